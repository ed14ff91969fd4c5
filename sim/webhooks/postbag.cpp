#include "sim/webhooks/postbag.hpp"

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

Moment after(Moment now, double ms) {
    return now + std::chrono::microseconds{static_cast<std::int64_t>(ms * 1000)};
}

}  // namespace

Postbag::Postbag(std::uint64_t seed, const std::vector<std::string_view>& providers)
    : seed_{seed}, keys_{std::make_shared<const Keys>()} {
    for (std::size_t i = 0; i < providers.size(); ++i) {
        auto& office = *offices_.emplace_back(std::make_unique<Office>());
        office.provider = static_cast<ProviderIndex>(i);
        office.has_subscription = providers[i] == "ses";
    }
}

Postbag::~Postbag() = default;

bool Postbag::wants(ProviderIndex provider) const noexcept {
    return (wanted_.load(std::memory_order_relaxed) >> provider & 1U) != 0;
}

void Postbag::wake() const {
    if (on_work_) on_work_();
}

void Postbag::on_work(std::function<void()> wake) { on_work_ = std::move(wake); }

void Postbag::take(ProviderIndex provider, std::string_view reference,
                   const std::vector<Delivery>& deliveries, const Clock& clock) {
    if (deliveries.empty()) return;
    {
        const std::lock_guard lock{mutex_};
        auto& office = *offices_[provider];
        const auto job = job_of(reference);
        for (const auto& delivery : deliveries) admit(office, job, delivery, clock);
    }
    wake();
}

std::uint32_t Postbag::job_of(std::string_view reference) {
    const auto name = reference.substr(0, reference.find('.'));
    const auto found = job_index_.find(name);
    if (found != job_index_.end()) return found->second;
    const auto index = static_cast<std::uint32_t>(jobs_.size());
    jobs_.emplace_back(name);
    job_index_.emplace(jobs_.back(), index);
    return index;
}

void Postbag::admit(Office& office, std::uint32_t job, const Delivery& delivery,
                    const Clock& clock) {
    const auto& settings = office.settings;
    const bool has_url = !delivery.callback.empty() || !settings.url.empty();
    if (!has_url || entries_.size() >= messages_max) {
        ++office.counts.skipped;
        return;
    }
    ++office.counts.messages;
    const auto outcome = decide_outcome(settings, seed_, delivery.scheme, delivery.address);
    ++office.outcomes[static_cast<std::size_t>(outcome)];
    entries_.push_back({delivery.address, job, office.provider, outcome});
    const auto person = stable_hash(delivery.address);
    const auto accepted_ms = unix_ms(clock);
    Record record;
    record.due = after(clock.moment(), settings.delay_ms);
    // Unlike any other, even one of an earlier run, so that no receiver takes it for a repeat.
    record.number = stable_hash(delivery.message_id) ^ person ^
                    static_cast<std::uint64_t>(accepted_ms) * odd ^ next_order_ << 20U;
    record.accepted_ms = accepted_ms;
    record.entry = static_cast<std::uint32_t>(entries_.size() - 1);
    record.scheme = delivery.scheme;
    record.options = {.progress = settings.progress_events,
                      .deferred = draw(seed_, person, draw_deferred) < settings.deferred_rate,
                      .reversed = draw(seed_, person, draw_reorder) < settings.reorder_rate};
    if (course_for(record).size == 0) return;
    record.packed = pack(delivery);
    put(office, std::move(record));
}

void Postbag::put(Office& office, Record record) {
    record.order = next_order_++;
    office.waiting.push_back(std::move(record));
    std::push_heap(office.waiting.begin(), office.waiting.end(), later<Record, Record>);
}

Course Postbag::course_for(const Record& record) const {
    return course_of(entries_[record.entry].outcome, record.scheme, record.options);
}

Event Postbag::event_of(const Record& record) const {
    Event event;
    event.kind = course_for(record).kinds[record.step];
    event.delivery = unpack(record.packed);
    event.delivery.scheme = record.scheme;
    event.delivery.address = entries_[record.entry].address;
    event.number = record.number;
    // A weightier event happened later, in whichever order they are told.
    event.happened_ms = record.accepted_ms + static_cast<std::int64_t>(event.kind);
    return event;
}

std::optional<Parcel> Postbag::next(const Clock& clock) {
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 0; i < offices_.size(); ++i) {
        auto& office = *offices_[(turn_ + i) % offices_.size()];
        auto parcel = next_of(office, clock);
        if (!parcel) continue;
        turn_ = office.provider + std::size_t{1};
        return parcel;
    }
    return std::nullopt;
}

std::optional<Parcel> Postbag::next_of(Office& office, const Clock& clock) {
    const auto now = clock.moment();
    const auto& settings = office.settings;
    if (!office.has_room()) return std::nullopt;
    const auto& question = office.subscription;
    if (question.due && *question.due <= now) return ask_subscription(office, clock);
    if (office.is_waiting_for_consent()) return std::nullopt;
    auto& waiting = office.waiting;
    std::vector<Event> events;
    Sent sent{office.provider, {}};
    std::size_t room = 1;
    while (sent.records.size() < room && !waiting.empty() && waiting.front().due <= now) {
        std::pop_heap(waiting.begin(), waiting.end(), later<Record, Record>);
        auto record = std::move(waiting.back());
        waiting.pop_back();
        auto event = event_of(record);
        if (event.delivery.callback.empty() && settings.url.empty()) {
            ++office.counts.given_up;  // The URL was taken away meanwhile.
            continue;
        }
        if (record.scheme == Scheme::sendgrid) room = static_cast<std::size_t>(settings.batch);
        events.push_back(std::move(event));
        sent.records.push_back(std::move(record));
    }
    if (events.empty()) return std::nullopt;
    const auto& callback = events.front().delivery.callback;
    auto parcel = parcel_for(office, events.front().delivery.scheme,
                             callback.empty() ? settings.url : callback, clock);
    parcel.events = std::move(events);
    office.out += sent.records.size();
    sent_.emplace(parcel.id, std::move(sent));
    return parcel;
}

Parcel Postbag::parcel_for(Office& office, Scheme scheme, std::string url, const Clock& clock) {
    Parcel parcel;
    parcel.id = ++next_id_;
    parcel.posting = {.url = std::move(url), .now_ms = unix_ms(clock), .attempt = parcel.id};
    parcel.connect = office.settings.connect;
    parcel.keys = keys_of(office, scheme);
    ++office.in_flight;
    ++office.counts.posts;
    return parcel;
}

Parcel Postbag::ask_subscription(Office& office, const Clock& clock) {
    auto parcel = parcel_for(office, Scheme::ses, office.settings.url, clock);
    parcel.subscription_token = office.subscription.token;
    office.subscription.due.reset();
    office.subscription.asked = true;
    sent_.emplace(parcel.id, Sent{office.provider, {}});
    return parcel;
}

std::optional<Moment> Postbag::next_due() const {
    const std::lock_guard lock{mutex_};
    std::optional<Moment> due;
    const auto consider = [&](Moment moment) { due = due ? std::min(*due, moment) : moment; };
    for (const auto& office : offices_) {
        if (!office->has_room()) continue;  // done() comes first.
        if (office->subscription.due) consider(*office->subscription.due);
        if (office->is_waiting_for_consent() || office->waiting.empty()) continue;
        consider(office->waiting.front().due);
    }
    return due;
}

void Postbag::done(std::uint64_t id, const Reply& reply, const Clock& clock) {
    const std::lock_guard lock{mutex_};
    auto found = sent_.extract(id);
    if (found.empty()) return;  // Of a time before reset().
    auto& sent = found.mapped();
    auto& office = *offices_[sent.provider];
    --office.in_flight;
    office.out -= sent.records.size();
    if (sent.records.empty()) settle_subscription(office, reply, clock.moment());
    for (auto& record : sent.records) settle(office, std::move(record), reply, clock.moment());
}

void Postbag::settle(Office& office, Record record, const Reply& reply, Moment now) {
    auto& counts = office.counts;
    if (reply.status / 100 == 2) {
        auto& told = entries_[record.entry].told;
        told = std::max(told, course_for(record).kinds[record.step]);
        if (record.repeated) return advance(office, std::move(record), now);
        ++counts.answered;
        if (draw(seed_, record.number, draw_duplicate + record.step) >=
            office.settings.duplicate_rate) {
            return advance(office, std::move(record), now);
        }
        ++counts.duplicated;
        record.repeated = true;
        record.due = now;
        return put(office, std::move(record));
    }
    ++counts.failed;
    if (record.failures < 255) ++record.failures;
    const auto callback = unpack(record.packed).callback;
    const auto wait = retry_wait(record.scheme, record.failures, reply, callback);
    if (!wait) {
        if (!record.repeated) ++counts.given_up;
        return advance(office, std::move(record), now);
    }
    record.due =
        after(now, static_cast<double>(wait->count()) * 1000 * office.settings.retry_scale);
    put(office, std::move(record));
}

void Postbag::advance(Office& office, Record record, Moment now) {
    ++record.step;
    if (record.step >= course_for(record).size) return;
    record.failures = 0;
    record.repeated = false;
    record.due = now;
    put(office, std::move(record));
}

void Postbag::settle_subscription(Office& office, const Reply& reply, Moment now) {
    auto& question = office.subscription;
    if (reply.status / 100 == 2 || question.due) return;
    const auto wait = retry_wait(Scheme::ses, ++question.failures, reply, {});
    if (!wait) return;
    question.due =
        after(now, static_cast<double>(wait->count()) * 1000 * office.settings.retry_scale);
}

}  // namespace fanfare::sim
