// The admin's side of the queue: settings, keys, and what has been told.

#include "sim/webhooks/record.hpp"
#include "sim/webhooks/signing.hpp"

namespace fanfare::sim {

namespace json = boost::json;

WebhookSettings WebhookQueue::settings(ProviderIndex provider) const {
    const std::lock_guard lock{mutex_};
    return queues_[provider]->settings;
}

void WebhookQueue::set_settings(ProviderIndex provider, WebhookSettings settings) {
    {
        const std::lock_guard lock{mutex_};
        auto& queue = *queues_[provider];
        const bool is_new_url = settings.url != queue.settings.url;
        queue.settings = std::move(settings);
        queue.keys = nullptr;
        const auto bit = std::uint64_t{1} << provider;
        if (queue.settings.enabled()) {
            wanted_ |= bit;
        } else {
            wanted_ &= ~bit;
        }
        if (queue.has_subscription && is_new_url) {
            queue.subscription = {};
            if (!queue.settings.url.empty()) {
                queue.subscription.token = to_hex(seed_, ++next_order_, 28);
                queue.subscription.due = SteadyTime{};  // At once.
            }
        }
    }
    wake();
}

void WebhookQueue::make_pairs() {
    if (keys_->sns != nullptr) return;
    auto made = *keys_;
    make_key_pairs(made);
    keys_ = std::make_shared<const Keys>(std::move(made));
}

std::shared_ptr<const Keys> WebhookQueue::keys() {
    const std::lock_guard lock{mutex_};
    make_pairs();
    return keys_;
}

void WebhookQueue::set_keys(Keys keys) {
    const std::lock_guard lock{mutex_};
    keys_ = std::make_shared<const Keys>(std::move(keys));
    for (auto& queue : queues_) queue->keys = nullptr;
}

std::shared_ptr<const Keys> WebhookQueue::find_keys(ProviderQueue& queue, Scheme scheme) {
    if (queue.keys != nullptr) return queue.keys;
    if (scheme == Scheme::sendgrid || scheme == Scheme::ses) make_pairs();
    auto own = *keys_;
    own.vonage_method = queue.settings.signature_method;
    own.sns_version = static_cast<int>(queue.settings.sns_signature_version);
    if (const auto& key = queue.settings.key; !key.empty()) {
        if (scheme == Scheme::mailgun) own.mailgun_signing_key = key;
        if (scheme == Scheme::ses) own.sns_topic = key;
        if (scheme == Scheme::twilio) own.twilio_token = key;
        if (scheme >= Scheme::vonage_sms) own.vonage_secret = key;
    }
    queue.keys = std::make_shared<const Keys>(std::move(own));
    return queue.keys;
}

bool WebhookQueue::confirm(std::string_view token) {
    bool known = false;
    {
        const std::lock_guard lock{mutex_};
        for (auto& queue : queues_) {
            auto& question = queue->subscription;
            if (!question.asked || question.token != token) continue;
            question.confirmed = true;
            known = true;
        }
    }
    if (known) wake();
    return known;
}

json::object WebhookQueue::summary(ProviderIndex provider) const {
    const std::lock_guard lock{mutex_};
    const auto& queue = *queues_[provider];
    const auto& counts = queue.counts;
    json::object shown{
        {"on", queue.settings.enabled()}, {"messages", counts.messages},
        {"skipped", counts.skipped},      {"posts", counts.posts},
        {"answered", counts.answered},    {"failed", counts.failed},
        {"given_up", counts.given_up},    {"duplicated", counts.duplicated},
        {"in_flight", queue.in_flight},   {"pending", queue.waiting.size() + queue.out}};
    json::object outcomes;
    for (std::size_t i = 0; i < event_kind_count; ++i) {
        const auto kind = static_cast<EventKind>(i);
        if (kind == EventKind::accepted || kind == EventKind::deferred) continue;
        outcomes[to_string(kind)] = queue.outcomes[i];
    }
    shown["outcomes"] = std::move(outcomes);
    if (queue.has_subscription) {
        shown["subscription_asked"] = queue.subscription.asked;
        shown["subscription_confirmed"] = queue.subscription.confirmed;
    }
    return shown;
}

std::vector<WebhookQueue::Line> WebhookQueue::lines(std::size_t index, std::size_t count) const {
    const std::lock_guard lock{mutex_};
    std::vector<Line> lines;
    for (; count > 0 && index < entries_.size(); --count, ++index) {
        const auto& entry = entries_[index];
        lines.push_back({entry.address, entry.provider, jobs_[entry.job], entry.told});
    }
    return lines;
}

std::uint64_t WebhookQueue::generation() const {
    const std::lock_guard lock{mutex_};
    return generation_;
}

void WebhookQueue::reset() {
    const std::lock_guard lock{mutex_};
    for (auto& queue : queues_) {
        queue->waiting.clear();
        queue->out = 0;
        queue->in_flight = 0;
        queue->counts = {};
        queue->outcomes = {};
    }
    entries_.clear();
    jobs_.clear();
    job_index_.clear();
    sent_.clear();
    ++generation_;
}

}  // namespace fanfare::sim
