#include "producer/api/notify.hpp"

#include "core/async/task_group.hpp"
#include "core/clock/timer.hpp"
#include "core/ledger/notification_edits.hpp"
#include "core/ledger/progress.hpp"
#include "core/ledger/snapshot.hpp"
#include "producer/api/cron.hpp"
#include "producer/api/fields.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/text_validation.hpp"

#include <fmt/format.h>
#include <boost/json/object.hpp>

#include <algorithm>
#include <variant>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using Detail = ledger::NotificationDetail;

constexpr std::int64_t wait_default_s = 5;
constexpr std::int64_t wait_max_s = 30;
constexpr std::size_t refreshes_in_line = 64;  // Many shows may begin at once.
constexpr std::chrono::milliseconds notify_look_first{20};
// The scheduler may be at the same due query, and find it: so long that is waited for at least.
constexpr std::chrono::seconds busy_max{2};
constexpr std::chrono::milliseconds notify_look_max{250};

/// One occurrence of a subject, as it is asked for.
struct NotifyRequest {
    const System& system;
    std::string kind;
    std::string subject;
    std::chrono::seconds wait{0};
};

std::variant<NotifyRequest, HttpReply> read_notify_request(const ApiContext& parts,
                                                           const HttpCall& call,
                                                           const Caller& caller) {
    const std::string name{call.param("system")};
    if (auto denial = denied(caller, name)) return std::move(*denial);
    const auto system = parts.systems.find(name);
    std::string subject{call.param("subject")};
    if (system == parts.systems.end() || !is_plain(subject, Job::id_bytes_max)) {
        return nothing_here("system or subject");
    }
    Fields fields{call.body, {"kind", "wait_s"}};
    auto kind = fields.text("kind", 100);
    const std::chrono::seconds wait{fields.whole_or("wait_s", 0, wait_max_s, wait_default_s)};
    if (auto fault = fields.fault()) return std::move(*fault);
    if (system->second.find_kind(kind) == nullptr) {
        return refusal(422, "unknown_kind", "/kind: the system has no such kind");
    }
    return NotifyRequest{system->second, std::move(kind), std::move(subject), wait};
}

/// What there is once the due query has run; maybe not all while the scheduler runs it itself.
struct Refreshed {
    std::optional<Detail> detail;
    bool busy = false;
};

Result<Refreshed> find_notified(const ApiContext& parts, const Caller& caller,
                                const NotifyRequest& asked, postgres::Connection& reading) {
    const auto refreshed = refresh_now(parts, asked.system, asked.kind);
    if (!refreshed) return refreshed.error();
    auto detail = ledger::latest_of_subject(reading, asked.system.name, asked.kind, asked.subject,
                                            caller.access);
    return Refreshed{std::move(detail), refreshed.value().busy};
}

/// How far it has come.
struct NotifyStatus {
    std::optional<Detail> detail;
    std::optional<ledger::JobProgress> progress;

    [[nodiscard]] bool is_over() const {
        if (progress) return progress->state != "planning" && progress->state != "sending";
        return !detail || detail->state == "cancelled" || detail->state == "expired";
    }
};

json::object to_document(const NotifyStatus& status) {
    const auto& detail = *status.detail;
    std::int64_t planned = 0;
    std::int64_t told = 0;
    json::object outcomes;
    for (std::size_t i = 0; i < outcome_count; ++i) {
        const auto outcome = static_cast<Outcome>(i);
        std::int64_t count = 0;
        if (status.progress) {
            for (const auto& channel : status.progress->channels) count += channel.outcomes[i];
        }
        planned += count;
        const bool reached = outcome == Outcome::sent || outcome == Outcome::delivered ||
                             outcome == Outcome::opened || outcome == Outcome::clicked;
        if (reached) told += count;
        outcomes[text(to_string(outcome))] = count;
    }
    return {{"job", detail.id},
            {"system", detail.key.system},
            {"kind", detail.key.kind},
            {"subject", ledger::plain_subject(detail.key.subject)},
            {"occurrence", detail.key.occurrence},
            {"state", status.progress ? status.progress->state : std::string{"accepted"}},
            {"planned", planned},
            {"sent", told},
            {"outcomes", std::move(outcomes)}};
}

HttpReply still_busy() {
    auto reply = refusal(503, "unavailable", "Its due query runs right now; send it again.");
    reply.headers.emplace_back("Retry-After", "1");
    return reply;
}

/// Finds it and makes it due; or why not.
asio::awaitable<std::variant<Detail, HttpReply>> hurry(const ApiContext& parts,
                                                       const Caller& caller,
                                                       const NotifyRequest& asked, SteadyTime end) {
    std::optional<Detail> detail;
    const auto last_look = std::max(end, parts.clock.steady_now() + busy_max);
    while (true) {
        auto work = [&](postgres::Connection& reading) {
            return find_notified(parts, caller, asked, reading);
        };
        std::string client = caller.client;
        auto turn = co_await parts.refreshes.take(std::move(client), refreshes_in_line);
        if (!turn) co_return busy();
        std::string doing{"look for a notification"};
        auto found = co_await parts.refreshing.run(std::move(doing), work);
        turn.reset();
        if (!found) co_return unavailable(found.error());
        if (!found.value()) co_return unavailable(found.value().error());
        detail = std::move(found.value().value().detail);
        const bool may_come = !detail && found.value().value().busy;
        if (!may_come) break;
        if (parts.clock.steady_now() >= last_look) co_return still_busy();
        co_await pause_for(notify_look_first);
    }
    if (!detail) co_return nothing_here("notification: no due query finds one now");
    auto make_due = [&](postgres::Connection& ledger) {
        if (detail->state != "scheduled") return ledger::Edit::done;
        return ledger::send_notification_now(ledger, detail->id, caller.client);
    };
    std::string hurrying{"send a notification now"};
    const auto hurried = co_await parts.ledger.run(std::move(hurrying), make_due);
    if (!hurried) co_return unavailable(hurried.error());
    if (hurried.value() == ledger::Edit::past_expiry) {
        co_return refusal(409, "past_expiry", "It has expired; nobody is told.");
    }
    parts.hurry();
    co_return std::move(*detail);
}

/// Looks until it is over, or the time is.
asio::awaitable<Result<NotifyStatus>> settle(const ApiContext& parts, const Caller& caller,
                                             const std::string& id, SteadyTime end) {
    auto wait = notify_look_first;
    while (true) {
        auto look = [&](postgres::Connection& ledger) {
            ledger::Snapshot work{ledger.raw()};
            return NotifyStatus{ledger::find_notification(work, id, caller.access),
                                ledger::load_progress(work, id)};
        };
        std::string looking{"look up a notification's job"};
        auto looked = co_await parts.ledger.run(std::move(looking), look);
        if (!looked) co_return looked.error();
        if (looked.value().is_over() || parts.clock.steady_now() >= end) co_return looked;
        co_await pause_for(wait);
        wait = std::min(wait * 2, notify_look_max);
    }
}

asio::awaitable<HttpReply> notify(const ApiContext& parts, const HttpCall& call,
                                  const Caller& caller) {
    const auto read = read_notify_request(parts, call, caller);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& asked = std::get<NotifyRequest>(read);
    const auto end = parts.clock.steady_now() + asked.wait;
    auto hurried = co_await hurry(parts, caller, asked, end);
    if (auto* const reply = std::get_if<HttpReply>(&hurried)) co_return std::move(*reply);
    const std::string id = std::get<Detail>(hurried).id;
    const auto settled = co_await settle(parts, caller, id, end);
    if (!settled) co_return unavailable(settled.error());
    const auto& status = settled.value();
    if (!status.detail) co_return nothing_here("notification");
    if (!status.progress && status.is_over()) {
        co_return refusal(409, "too_late",
                          fmt::format("It is {}; nobody is told.", status.detail->state));
    }
    const auto document = to_document(status);
    auto reply = reply_with(status.is_over() ? 200 : 202, document);
    reply.headers.emplace_back("Location", "/v1/jobs/" + id);
    co_return reply;
}

}  // namespace

void add_notify_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    routes.post("/v1/systems/{system}/subjects/{subject}/notify", Scope::schedule,
                [&parts](const HttpCall& call, const Caller& caller) {
                    return notify(parts, call, caller);
                });
}

}  // namespace fanfare::api
