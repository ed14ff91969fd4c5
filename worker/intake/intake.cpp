#include "worker/intake/intake.hpp"

#include "core/clock/timer.hpp"
#include "core/domain/uuid.hpp"
#include "core/observe/log.hpp"
#include "core/wire/cloud_event.hpp"
#include "core/wire/job_rejection.hpp"
#include "core/wire/trace_context.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

namespace fanfare {
namespace {

namespace asio = boost::asio;
// Whole, as far as a record goes in which the reason stands too; a beginning, where a broker's
// limit is lower than ours; the reason alone.
constexpr std::array<std::size_t, 3> dead_value_bytes{kafka::record_bytes_max - 64 * 1024,
                                                      std::size_t{64} * 1024, 0};
constexpr std::size_t dead_key_bytes_max = 1024;
constexpr std::size_t dead_headers_bytes_max = 16 * 1024;
constexpr std::chrono::milliseconds intake_wait_first{100};
constexpr std::chrono::milliseconds intake_wait_max{5'000};

}  // namespace

std::optional<Rejection> Intake::check(ledger::NewJob& order) const {
    auto& job = order.job;
    if (auto rejection = settle_order(job, parts_.systems, parts_.templates)) {
        return rejection;
    }
    const auto& system = parts_.systems.find(job.system)->second;
    const auto& kind = *system.find_kind(job.kind);
    order.list = kind.list;
    order.writes_back = system.done.contains(job.kind);
    return std::nullopt;
}

void Intake::take(kafka::Received record) {
    waiting_.push_back(std::move(record));
    serve_next();
}

bool Intake::has_room() const noexcept {
    return serving_ < (serving_bytes_ < at_once_bytes ? at_once_max : large_at_once_max);
}

void Intake::serve_next() {
    if (waiting_.empty() || stopping_ || !has_room()) return;
    auto record = std::move(waiting_.front());
    waiting_.pop_front();
    ++serving_;
    serving_bytes_ += record.value.size();
    tasks_.spawn(serve(std::move(record)));
}

asio::awaitable<void> Intake::serve(kafka::Received record) {
    co_await handle(record);
    --serving_;
    serving_bytes_ -= record.value.size();
    serve_next();
}

/// What a record orders; or why it orders nothing.
std::optional<Rejection> Intake::read(const kafka::Received& record, ledger::NewJob& order) const {
    std::string of_the_event;
    auto decoded = decode_record(record.headers, record.value, &of_the_event);
    order.trace = read_trace(record.headers);  // Nearer than what the event came about in.
    if (order.trace.empty()) order.trace = std::move(of_the_event);
    if (auto* const bad = std::get_if<Rejection>(&decoded)) return std::move(*bad);
    order.job = std::move(std::get<Job>(decoded));
    order.digest = digest_of_order(order.job);
    order.origin = fmt::format("{}/{}", record.partition, record.offset);
    settle_expiry(order.job, published_at(record));
    return check(order);
}

/// What only the system's database knows. Its owner's own texts may need less than ours.
asio::awaitable<std::optional<Rejection>> Intake::look(const ledger::NewJob& order, bool& told) {
    auto rejection = co_await judge(order.job, told);
    if (!rejection) co_return rejection;
    const auto known = co_await parts_.store.is_taken(order);
    if (known && known.value()) co_return std::nullopt;  // Taken before: its record is read again.
    co_return rejection;
}

asio::awaitable<std::optional<Rejection>> Intake::judge(const Job& job, bool& told) {
    const auto& system = parts_.systems.find(job.system)->second;
    const auto& kind = *system.find_kind(job.kind);
    const auto now = parts_.clock.now();
    const Telling shipped{job, system, kind, parts_.templates, parts_.has_links, now};
    auto rejection = co_await parts_.orders.ask(shipped, &told);
    if (!rejection || job.source.empty()) co_return rejection;
    const auto own = co_await parts_.store.own_templates(job);
    if (!own) co_return std::nullopt;
    if (!own.value()) co_return rejection;
    Problems problems;
    const auto templates =
        parts_.templates.with_own(kind.templates, own.value()->parts, "", problems);
    const Telling owned{job, system, kind, templates, parts_.has_links, now};
    co_return co_await parts_.orders.ask(owned, nullptr);
}

/// Of a record that is of no trace: one begins, where anybody wants spans.
std::optional<Span> Intake::begin_trace(const kafka::Received& record,
                                        ledger::NewJob& order) const {
    if (parts_.tracer == nullptr || !order.trace.empty()) return std::nullopt;
    auto root = parts_.tracer->begin("intake", Span::Kind::consumer);
    order.trace = std::move(root.trace);
    if (!root.span) return std::nullopt;
    root.span->begin -= parts_.clock.now() - published_at(record);
    root.span->tell("fanfare.job", order.job.id);
    root.span->tell("messaging.system", "kafka");
    root.span->tell("messaging.destination.name", parts_.topics.jobs);
    return std::move(root.span);
}

/// Returns when the record is settled, or stop() was called.
asio::awaitable<void> Intake::handle(const kafka::Received& record) {
    ledger::NewJob order;
    auto rejection = read(record, order);
    std::optional<Span> root;
    bool told = false;
    if (!rejection) root = begin_trace(record, order);
    if (!rejection) rejection = co_await look(order, told);
    const std::string id = order.job.id.empty() ? record.key : order.job.id;
    auto wait = intake_wait_first;
    while (!stopping_) {
        bool settled = false;
        if (!rejection) settled = co_await accept(order, rejection, root, told);
        if (rejection) settled = co_await note_refusal(id, order, *rejection);
        if (settled && rejection) settled = co_await refuse(record, order, *rejection);
        if (settled) {
            parts_.finished(record);
            break;
        }
        co_await pause_for(wait);
        wait = std::min(wait * 2, intake_wait_max);
    }
}

/// A life time counts from publishing on: read again later, it ends no later. A publisher's clock
/// that is ahead gives nobody more time.
TimePoint Intake::published_at(const kafka::Received& record) const {
    const auto now = parts_.clock.now();
    if (record.timestamp_ms <= 0) return now;
    return std::min(now, TimePoint{std::chrono::milliseconds{record.timestamp_ms}});
}

asio::awaitable<bool> Intake::accept(const ledger::NewJob& order,
                                     std::optional<Rejection>& rejection, std::optional<Span>& root,
                                     bool told) {
    const auto inserted = co_await parts_.store.take(order);
    if (!inserted) {
        const LogTrace about{order.trace};
        troubled_.warn(fmt::format("job {}: {}", order.job.id, describe(inserted.error())));
        if (inserted.error().code == Errc::store_data) {
            rejection = reject("not_storable", "", "holds a value that PostgreSQL does not take");
        }
        co_return false;
    }
    const auto& taken = inserted.value();
    if (taken.how == ledger::TakenJob::How::key_reused) {
        rejection = reject("key_reused", "",
                           "has the key, or the id, of another job; the same key is for the same "
                           "job sent again, take a new one for anything else");
        co_return false;
    }
    parts_.probe.job(taken.how == ledger::TakenJob::How::added ? "accepted" : "repeated");
    if (root && taken.how == ledger::TakenJob::How::added) parts_.tracer->end(std::move(*root));
    // One that was there before may be another, to the letter.
    const bool is_new = taken.how == ledger::TakenJob::How::added;
    if (is_new && told && parts_.checked) parts_.checked(taken.id);
    // A repeated one may stem from a worker that died between inserting and planning.
    parts_.accepted(taken.id, order.job.lane);
    co_return true;
}

/// A job among the dead letters has no row; whoever published it learns why, and publishes it no
/// more. Our own publishers take the job's id for the record's key.
asio::awaitable<bool> Intake::note_refusal(const std::string& id, const ledger::NewJob& order,
                                           const Rejection& rejection) {
    if (!is_uuid(id)) co_return true;
    const auto noted = co_await parts_.store.refuse(id, rejection);
    const LogTrace about{order.trace};
    if (!noted) troubled_.warn(fmt::format("job {}: {}", id, describe(noted.error())));
    co_return noted.has_value();
}

/// With the headers of a CloudEvent, without which its bytes are none: these before any others. Of
/// any other record its trace, for when it is requeued.
Intake::Headers Intake::dead_letter_headers(const kafka::Received& record,
                                            const ledger::NewJob& order, const Rejection& rejection,
                                            std::size_t most) const {
    const bool cut = record.value.size() > most;
    Headers headers{{"fanfare-reason", rejection.code},
                    {"fanfare-message", rejection.message},
                    {"fanfare-topic", parts_.topics.jobs},
                    {"fanfare-partition", std::to_string(record.partition)},
                    {"fanfare-offset", std::to_string(record.offset)},
                    {"fanfare-bytes", std::to_string(record.value.size())},
                    {"fanfare-truncated", cut ? "true" : "false"}};
    if (most == 0) return headers;
    if (!is_cloud_event(record.headers)) {
        for (auto& header : trace_headers(order.trace)) headers.push_back(std::move(header));
        return headers;
    }
    std::size_t bytes = 0;
    for (const bool of_the_event : {true, false}) {
        for (const auto& [name, value] : record.headers) {
            if (name.starts_with("fanfare-") || is_event_header(name) != of_the_event) continue;
            bytes += name.size() + value.size();
            if (bytes <= dead_headers_bytes_max) headers.emplace_back(name, value);
        }
    }
    return headers;
}

asio::awaitable<bool> Intake::refuse(const kafka::Received& record, const ledger::NewJob& order,
                                     const Rejection& rejection) {
    {
        const LogTrace about{order.trace};
        refused_.warn(fmt::format("refused a job of partition {} offset {}: {}", record.partition,
                                  record.offset, for_log(rejection)));
    }
    for (const auto most : dead_value_bytes) {
        const auto published = co_await bury(record, order, rejection, most);
        if (published) {
            parts_.probe.job("rejected");
            parts_.probe.dead_letter(rejection.code);
            co_return true;
        }
        if (published.error().code != Errc::kafka_too_large) co_return false;
    }
    // Read again it would be refused again, and hold up whatever comes after it.
    spdlog::error(
        "partition {} offset {}: {} takes nothing of it, not even why it was refused; look at its "
        "max.message.bytes",
        record.partition, record.offset, parts_.topics.dead);
    parts_.probe.job("rejected");
    co_return true;
}

/// A dead letter with `most` bytes of what was refused. True once the broker has it.
asio::awaitable<Result<void>> Intake::bury(const kafka::Received& record,
                                           const ledger::NewJob& order, const Rejection& rejection,
                                           std::size_t most) {
    const DeadLetters::Letter letter{std::string_view{record.key}.substr(0, dead_key_bytes_max),
                                     std::string_view{record.value}.substr(0, most),
                                     dead_letter_headers(record, order, rejection, most)};
    co_return co_await parts_.dead_letters.publish(letter);
}

}  // namespace fanfare
