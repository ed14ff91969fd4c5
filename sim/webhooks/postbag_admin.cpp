// The admin's side of the postbag: settings, keys, and what has been told.

#include "sim/webhooks/record.hpp"
#include "sim/webhooks/signing.hpp"

namespace fanfare::sim {

namespace json = boost::json;

WebhookSettings Postbag::settings(ProviderIndex provider) const {
    const std::lock_guard lock{mutex_};
    return offices_[provider]->settings;
}

void Postbag::set_settings(ProviderIndex provider, WebhookSettings settings) {
    {
        const std::lock_guard lock{mutex_};
        auto& office = *offices_[provider];
        const bool is_new_url = settings.url != office.settings.url;
        office.settings = std::move(settings);
        office.keys = nullptr;
        const auto bit = std::uint64_t{1} << provider;
        if (office.settings.enabled()) {
            wanted_ |= bit;
        } else {
            wanted_ &= ~bit;
        }
        if (office.has_subscription && is_new_url) {
            office.subscription = {};
            if (!office.settings.url.empty()) {
                office.subscription.token = hex_of(seed_, ++next_order_, 28);
                office.subscription.due = Moment{};  // At once.
            }
        }
    }
    wake();
}

void Postbag::make_pairs() {
    if (keys_->sns != nullptr) return;
    auto made = *keys_;
    make_key_pairs(made);
    keys_ = std::make_shared<const Keys>(std::move(made));
}

std::shared_ptr<const Keys> Postbag::keys() {
    const std::lock_guard lock{mutex_};
    make_pairs();
    return keys_;
}

void Postbag::set_keys(Keys keys) {
    const std::lock_guard lock{mutex_};
    keys_ = std::make_shared<const Keys>(std::move(keys));
    for (auto& office : offices_) office->keys = nullptr;
}

std::shared_ptr<const Keys> Postbag::keys_of(Office& office, Scheme scheme) {
    if (office.keys != nullptr) return office.keys;
    if (scheme == Scheme::sendgrid || scheme == Scheme::ses) make_pairs();
    auto own = *keys_;
    own.vonage_method = office.settings.signature_method;
    own.sns_version = static_cast<int>(office.settings.sns_signature_version);
    if (const auto& key = office.settings.key; !key.empty()) {
        if (scheme == Scheme::mailgun) own.mailgun_signing_key = key;
        if (scheme == Scheme::ses) own.sns_topic = key;
        if (scheme == Scheme::twilio) own.twilio_token = key;
        if (scheme >= Scheme::vonage_sms) own.vonage_secret = key;
    }
    office.keys = std::make_shared<const Keys>(std::move(own));
    return office.keys;
}

bool Postbag::confirm(std::string_view token) {
    bool known = false;
    {
        const std::lock_guard lock{mutex_};
        for (auto& office : offices_) {
            auto& question = office->subscription;
            if (!question.asked || question.token != token) continue;
            question.confirmed = true;
            known = true;
        }
    }
    if (known) wake();
    return known;
}

json::object Postbag::summary(ProviderIndex provider) const {
    const std::lock_guard lock{mutex_};
    const auto& office = *offices_[provider];
    const auto& counts = office.counts;
    json::object shown{
        {"on", office.settings.enabled()}, {"messages", counts.messages},
        {"skipped", counts.skipped},       {"posts", counts.posts},
        {"answered", counts.answered},     {"failed", counts.failed},
        {"given_up", counts.given_up},     {"duplicated", counts.duplicated},
        {"in_flight", office.in_flight},   {"pending", office.waiting.size() + office.out}};
    json::object outcomes;
    for (std::size_t i = 0; i < event_kind_count; ++i) {
        const auto kind = static_cast<EventKind>(i);
        if (kind == EventKind::accepted || kind == EventKind::deferred) continue;
        outcomes[to_string(kind)] = office.outcomes[i];
    }
    shown["outcomes"] = std::move(outcomes);
    if (office.has_subscription) {
        shown["subscription_asked"] = office.subscription.asked;
        shown["subscription_confirmed"] = office.subscription.confirmed;
    }
    return shown;
}

std::vector<Postbag::Line> Postbag::lines(std::size_t index, std::size_t count) const {
    const std::lock_guard lock{mutex_};
    std::vector<Line> lines;
    for (; count > 0 && index < entries_.size(); --count, ++index) {
        const auto& entry = entries_[index];
        lines.push_back({entry.address, entry.provider, jobs_[entry.job], entry.told});
    }
    return lines;
}

std::uint64_t Postbag::generation() const {
    const std::lock_guard lock{mutex_};
    return generation_;
}

void Postbag::reset() {
    const std::lock_guard lock{mutex_};
    for (auto& office : offices_) {
        office->waiting.clear();
        office->out = 0;
        office->in_flight = 0;
        office->counts = {};
        office->outcomes = {};
    }
    entries_.clear();
    jobs_.clear();
    job_index_.clear();
    sent_.clear();
    ++generation_;
}

}  // namespace fanfare::sim
