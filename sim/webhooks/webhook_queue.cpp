#include "sim/webhooks/webhook_queue.hpp"

#include "sim/webhooks/record.hpp"
#include "sim/webhooks/signing.hpp"

#include <algorithm>
#include <chrono>

namespace fanfare::sim {

namespace {

// Draws of one message; those of events add the step.
constexpr std::uint64_t draw_deferred = 400;
constexpr std::uint64_t draw_reorder = 401;
constexpr std::uint64_t draw_duplicate = 410;

constexpr std::uint64_t odd = 0x9e3779b97f4a7c15ULL;

bool later(const auto& a, const auto& b) {
    return a.due != b.due ? a.due > b.due : a.order > b.order;
}

std::int64_t unix_ms(const Clock& clock) {
    return std::chrono::floor<std::chrono::milliseconds>(clock.now()).time_since_epoch().count();
}

SteadyTime after(SteadyTime now, double ms) {
    return now + std::chrono::microseconds{static_cast<std::int64_t>(ms * 1000)};
}

}  // namespace

WebhookQueue::WebhookQueue(std::uint64_t seed, const std::vector<std::string_view>& providers)
    : seed_{seed}, keys_{std::make_shared<const Keys>()} {
    for (std::size_t i = 0; i < providers.size(); ++i) {
        auto& queue = *queues_.emplace_back(std::make_unique<ProviderQueue>());
        queue.provider = static_cast<ProviderIndex>(i);
        queue.has_subscription = providers[i] == "ses";
    }
}

WebhookQueue::~WebhookQueue() = default;

bool WebhookQueue::wants(ProviderIndex provider) const noexcept {
    return (wanted_.load(std::memory_order_relaxed) >> provider & 1U) != 0;
}

void WebhookQueue::wake() const {
    if (on_work_) on_work_();
}

void WebhookQueue::on_work(std::function<void()> wake) { on_work_ = std::move(wake); }

void WebhookQueue::take(ProviderIndex provider, std::string_view reference,
                        const std::vector<Delivery>& deliveries, const Clock& clock) {
    if (deliveries.empty()) return;
    {
        const std::lock_guard lock{mutex_};
        auto& queue = *queues_[provider];
        const auto job = find_job(reference);
        for (const auto& delivery : deliveries) admit(queue, job, delivery, clock);
    }
    wake();
}

std::uint32_t WebhookQueue::find_job(std::string_view reference) {
    const auto name = reference.substr(0, reference.find('.'));
    const auto found = job_index_.find(name);
    if (found != job_index_.end()) return found->second;
    const auto index = static_cast<std::uint32_t>(jobs_.size());
    jobs_.emplace_back(name);
    job_index_.emplace(jobs_.back(), index);
    return index;
}

void WebhookQueue::admit(ProviderQueue& queue, std::uint32_t job, const Delivery& delivery,
                         const Clock& clock) {
    const auto& settings = queue.settings;
    const bool has_url = !delivery.callback.empty() || !settings.url.empty();
    if (!has_url || entries_.size() >= messages_max) {
        ++queue.counts.skipped;
        return;
    }
    ++queue.counts.messages;
    const auto outcome = decide_outcome(settings, seed_, delivery.scheme, delivery.address);
    ++queue.outcomes[static_cast<std::size_t>(outcome)];
    entries_.push_back({delivery.address, job, queue.provider, outcome});
    const auto person = stable_hash(delivery.address);
    const auto accepted_ms = unix_ms(clock);
    Record record;
    record.due = after(clock.steady_now(), settings.delay_ms);
    // Unlike any other, even one of an earlier run, so that no receiver takes it for a repeat.
    record.number = stable_hash(delivery.message_id) ^ person ^
                    static_cast<std::uint64_t>(accepted_ms) * odd ^ next_order_ << 20U;
    record.accepted_ms = accepted_ms;
    record.entry = static_cast<std::uint32_t>(entries_.size() - 1);
    record.scheme = delivery.scheme;
    record.options = {.progress = settings.progress_events,
                      .deferred = draw(seed_, person, draw_deferred) < settings.deferred_rate,
                      .reversed = draw(seed_, person, draw_reorder) < settings.reorder_rate};
    if (sequence_for(record).size == 0) return;
    record.packed = pack(delivery);
    put(queue, std::move(record));
}

void WebhookQueue::put(ProviderQueue& queue, Record record) {
    record.order = next_order_++;
    queue.waiting.push_back(std::move(record));
    std::push_heap(queue.waiting.begin(), queue.waiting.end(), later<Record, Record>);
}

EventSequence WebhookQueue::sequence_for(const Record& record) const {
    return plan_events(entries_[record.entry].outcome, record.scheme, record.options);
}

Event WebhookQueue::to_event(const Record& record) const {
    Event event;
    event.kind = sequence_for(record).kinds[record.step];
    event.delivery = unpack(record.packed);
    event.delivery.scheme = record.scheme;
    event.delivery.address = entries_[record.entry].address;
    event.number = record.number;
    // A weightier event happened later, in whichever order they are told.
    event.happened_ms = record.accepted_ms + static_cast<std::int64_t>(event.kind);
    return event;
}

std::optional<WebhookRequest> WebhookQueue::next(const Clock& clock) {
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 0; i < queues_.size(); ++i) {
        auto& queue = *queues_[(turn_ + i) % queues_.size()];
        auto webhook = take_next(queue, clock);
        if (!webhook) continue;
        turn_ = queue.provider + std::size_t{1};
        return webhook;
    }
    return std::nullopt;
}

std::optional<WebhookRequest> WebhookQueue::take_next(ProviderQueue& queue, const Clock& clock) {
    const auto now = clock.steady_now();
    const auto& settings = queue.settings;
    if (!queue.has_room()) return std::nullopt;
    const auto& question = queue.subscription;
    if (question.due && *question.due <= now) return ask_subscription(queue, clock);
    if (queue.is_waiting_for_consent()) return std::nullopt;
    auto& waiting = queue.waiting;
    std::vector<Event> events;
    Sent sent{queue.provider, {}};
    std::size_t room = 1;
    while (sent.records.size() < room && !waiting.empty() && waiting.front().due <= now) {
        std::pop_heap(waiting.begin(), waiting.end(), later<Record, Record>);
        auto record = std::move(waiting.back());
        waiting.pop_back();
        auto event = to_event(record);
        if (event.delivery.callback.empty() && settings.url.empty()) {
            ++queue.counts.given_up;  // The URL was taken away meanwhile.
            continue;
        }
        if (record.scheme == Scheme::sendgrid) room = static_cast<std::size_t>(settings.batch);
        events.push_back(std::move(event));
        sent.records.push_back(std::move(record));
    }
    if (events.empty()) return std::nullopt;
    const auto& callback = events.front().delivery.callback;
    auto webhook = webhook_for(queue, events.front().delivery.scheme,
                               callback.empty() ? settings.url : callback, clock);
    webhook.events = std::move(events);
    queue.out += sent.records.size();
    sent_.emplace(webhook.id, std::move(sent));
    return webhook;
}

WebhookRequest WebhookQueue::webhook_for(ProviderQueue& queue, Scheme scheme, std::string url,
                                         const Clock& clock) {
    WebhookRequest webhook;
    webhook.id = ++next_id_;
    webhook.posting = {.url = std::move(url), .now_ms = unix_ms(clock), .attempt = webhook.id};
    webhook.connect = queue.settings.connect;
    webhook.keys = find_keys(queue, scheme);
    ++queue.in_flight;
    ++queue.counts.posts;
    return webhook;
}

WebhookRequest WebhookQueue::ask_subscription(ProviderQueue& queue, const Clock& clock) {
    auto webhook = webhook_for(queue, Scheme::ses, queue.settings.url, clock);
    webhook.subscription_token = queue.subscription.token;
    queue.subscription.due.reset();
    queue.subscription.asked = true;
    sent_.emplace(webhook.id, Sent{queue.provider, {}});
    return webhook;
}

std::optional<SteadyTime> WebhookQueue::next_due() const {
    const std::lock_guard lock{mutex_};
    std::optional<SteadyTime> due;
    const auto consider = [&](SteadyTime moment) { due = due ? std::min(*due, moment) : moment; };
    for (const auto& queue : queues_) {
        if (!queue->has_room()) continue;  // done() comes first.
        if (queue->subscription.due) consider(*queue->subscription.due);
        if (queue->is_waiting_for_consent() || queue->waiting.empty()) continue;
        consider(queue->waiting.front().due);
    }
    return due;
}

void WebhookQueue::done(std::uint64_t id, const Reply& reply, const Clock& clock) {
    const std::lock_guard lock{mutex_};
    auto found = sent_.extract(id);
    if (found.empty()) return;  // Of a time before reset().
    auto& sent = found.mapped();
    auto& queue = *queues_[sent.provider];
    --queue.in_flight;
    queue.out -= sent.records.size();
    if (sent.records.empty()) settle_subscription(queue, reply, clock.steady_now());
    for (auto& record : sent.records) settle(queue, std::move(record), reply, clock.steady_now());
}

void WebhookQueue::settle(ProviderQueue& queue, Record record, const Reply& reply, SteadyTime now) {
    auto& counts = queue.counts;
    if (reply.status / 100 == 2) {
        auto& told = entries_[record.entry].told;
        told = std::max(told, sequence_for(record).kinds[record.step]);
        if (record.repeated) return advance(queue, std::move(record), now);
        ++counts.answered;
        if (draw(seed_, record.number, draw_duplicate + record.step) >=
            queue.settings.duplicate_rate) {
            return advance(queue, std::move(record), now);
        }
        ++counts.duplicated;
        record.repeated = true;
        record.due = now;
        return put(queue, std::move(record));
    }
    ++counts.failed;
    if (record.failures < 255) ++record.failures;
    const auto callback = unpack(record.packed).callback;
    const auto wait = retry_wait(record.scheme, record.failures, reply, callback);
    if (!wait) {
        if (!record.repeated) ++counts.given_up;
        return advance(queue, std::move(record), now);
    }
    record.due = after(now, static_cast<double>(wait->count()) * 1000 * queue.settings.retry_scale);
    put(queue, std::move(record));
}

void WebhookQueue::advance(ProviderQueue& queue, Record record, SteadyTime now) {
    ++record.step;
    if (record.step >= sequence_for(record).size) return;
    record.failures = 0;
    record.repeated = false;
    record.due = now;
    put(queue, std::move(record));
}

void WebhookQueue::settle_subscription(ProviderQueue& queue, const Reply& reply, SteadyTime now) {
    auto& question = queue.subscription;
    if (reply.status / 100 == 2 || question.due) return;
    const auto wait = retry_wait(Scheme::ses, ++question.failures, reply, {});
    if (!wait) return;
    question.due =
        after(now, static_cast<double>(wait->count()) * 1000 * queue.settings.retry_scale);
}

}  // namespace fanfare::sim
