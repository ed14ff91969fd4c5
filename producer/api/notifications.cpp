#include "producer/api/notifications.hpp"

#include "core/ledger/api_notifications.hpp"
#include "core/wire/timestamp.hpp"
#include "producer/api/fields.hpp"
#include "producer/api/plain.hpp"
#include "producer/api/query.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/shown.hpp"
#include "producer/schedule/due_job.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using Detail = ledger::NotificationDetail;

std::string object_text(const std::map<std::string, std::string>& values) {
    json::object object;
    for (const auto& [name, value] : values) object[name] = value;
    return json::serialize(object);
}

/// The job that a notification becomes, as its publisher makes it.
std::variant<Job, Rejection> job_of(const Parts& parts, const Detail& detail) {
    ledger::ClaimedNotification claimed;
    claimed.key = detail.key;
    claimed.job = detail.id.empty() ? derived_id(ledger::derivation_of(detail.key)) : detail.id;
    claimed.expires_at = detail.expires_at;
    claimed.params = detail.params;
    claimed.data = detail.data;
    return due_job(claimed, parts.systems);
}

/// Stops a notification and, where it was published, its job. False when that is over.
bool stop(const Parts& parts, postgres::Connection& connection, const Detail& detail,
          const std::string& by) {
    const auto made = job_of(parts, detail);
    const auto* const job = std::get_if<Job>(&made);
    // Until it is marked, a publisher may take it: marked first, then its job is looked after.
    if (detail.state != "published") ledger::cancel_by_hand(connection, detail.id, by);
    const bool was_taken = detail.epoch > 0 || detail.state != "scheduled";
    if (!was_taken || job == nullptr) return true;
    const ledger::PendingJob pending{detail.id, encode_job(*job)};
    const bool stopped = ledger::cancel_wherever(connection, detail.id, pending);
    if (stopped) ledger::cancel_by_hand(connection, detail.id, by);
    return stopped;
}

asio::awaitable<HttpReply> schedule(const Parts& parts, const HttpCall& call,
                                    const Caller& caller) {
    Fields fields{
        call.body,
        {"system", "kind", "subject", "occurrence", "due_at", "expires_at", "params", "data"}};
    Detail wanted;
    wanted.key = {fields.text("system", 40), fields.text("kind", 100), fields.text("subject", 200),
                  fields.moment("occurrence", true)};
    wanted.due_at = fields.moment("due_at", true);
    wanted.expires_at = fields.moment("expires_at", false);
    wanted.params = object_text(fields.scalars("params"));
    wanted.data = object_text(fields.scalars("data"));
    if (auto fault = fields.fault()) co_return std::move(*fault);
    if (auto denial = denied(caller, wanted.key.system)) co_return std::move(*denial);
    const auto made = job_of(parts, wanted);
    if (const auto* const rejection = std::get_if<Rejection>(&made)) co_return refusal(*rejection);
    const auto key = idempotency_key_of(call);
    if (const auto* const reply = std::get_if<HttpReply>(&key)) co_return *reply;
    ledger::ScheduledByHand by_hand;
    by_hand.key = wanted.key;
    by_hand.due_at = wanted.due_at;
    by_hand.expires_at = wanted.expires_at;
    by_hand.params = wanted.params;
    by_hand.data = wanted.data;
    by_hand.source = caller.owner;
    ledger::NewRequest request;
    request.owner = caller.owner;
    request.key = std::get<std::string>(key);
    request.digest = digest_of(ledger::derivation_of(wanted.key) + '\n' + wanted.due_at + '\n' +
                               wanted.expires_at + '\n' + wanted.params + '\n' + wanted.data);
    request.job = std::get<Job>(made).id;
    auto work = [&](postgres::Connection& connection) -> std::optional<ledger::Scheduling> {
        if (!request.key.empty() && !ledger::remember_request(connection, request).same) {
            return std::nullopt;
        }
        return ledger::schedule_by_hand(connection, by_hand);
    };
    std::string doing{"schedule a notification"};
    auto done = co_await parts.ledger.run(std::move(doing), work);
    if (!done) co_return unavailable(done.error());
    if (!done.value()) {
        co_return refusal(409, "key_reused",
                          "This Idempotency-Key was used for something else; take a new one.");
    }
    const auto& scheduling = *done.value();
    if (!scheduling.same) {
        co_return refusal(
            409, "moment_taken",
            "There is another notification of this subject and occurrence; PATCH it.");
    }
    parts.hurry();
    const auto document = shown(scheduling.detail);
    auto reply = reply_with(scheduling.is_new ? 201 : 200, document);
    reply.headers.emplace_back("Location", "/v1/notifications/" + scheduling.detail.id);
    co_return reply;
}

asio::awaitable<HttpReply> list(const Parts& parts, const HttpCall& call, const Caller& caller) {
    constexpr std::array<std::string_view, 6> known{"system", "kind",   "subject",
                                                    "state",  "cursor", "limit"};
    constexpr std::array<std::string_view, 6> states{"",          "scheduled", "publishing",
                                                     "published", "expired",   "cancelled"};
    const auto read = Query::read(call, known);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& query = std::get<Query>(read);
    const auto limit = query.limit();
    if (!limit) co_return bad_query("limit", "a whole number from 1 to 1000");
    ledger::NotificationFilter filter;
    filter.system = query["system"];
    filter.kind = query["kind"];
    filter.subject = query["subject"];
    filter.state = query["state"];
    if (std::find(states.begin(), states.end(), filter.state) == states.end()) {
        co_return bad_query("state", "scheduled, publishing, published, expired or cancelled");
    }
    if (!query["cursor"].empty()) {
        const auto place = read_cursor(query["cursor"]);
        if (!place || !parse_timestamp(place->first) || !is_uuid(place->second)) {
            co_return bad_query("cursor", "next_cursor of the page before");
        }
        filter.after_at = place->first;
        filter.after_id = place->second;
    }
    auto work = [&](postgres::Connection& connection) {
        return ledger::page_of_notifications(connection, caller.sight, filter, *limit + 1);
    };
    std::string doing{"list notifications"};
    auto found = co_await parts.reading.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    auto& details = found.value();
    const bool more = details.size() > static_cast<std::size_t>(*limit);
    if (more) details.pop_back();
    json::array notifications;
    for (const auto& detail : details) notifications.push_back(shown(detail));
    json::value next;
    if (more) next = make_cursor(details.back().due_at, details.back().id);
    const json::object page{{"notifications", std::move(notifications)},
                            {"next_cursor", std::move(next)}};
    co_return reply_with(200, page);
}

/// What one change found, and what it left.
struct Change {
    std::optional<Detail> detail;  // Nothing: there is none for this caller.
    bool done = true;              // False: it came too late.
};

/// Finds one by its id, lets `change` work on it, and answers with what it is then.
template <class Work>
asio::awaitable<HttpReply> change_one(const Parts& parts, const HttpCall& call,
                                      const Caller& caller, Work change) {
    const std::string id{call.param("id")};
    if (!is_uuid(id)) co_return nothing_here("notification");
    auto work = [&](postgres::Connection& connection) -> Change {
        const auto detail = ledger::find_notification(connection, id, caller.sight);
        if (!detail) return {};
        const bool done = change(connection, *detail);
        return {ledger::find_notification(connection, id, caller.sight), done};
    };
    std::string doing{"change a notification"};
    const auto changed = co_await parts.ledger.run(std::move(doing), work);
    if (!changed) co_return unavailable(changed.error());
    const auto& [detail, done] = changed.value();
    if (!detail) co_return nothing_here("notification");
    if (!done) co_return refusal(409, "too_late", "It is " + detail->state + "; nothing changed.");
    parts.hurry();
    const auto document = shown(*detail);
    co_return reply_with(200, document);
}

asio::awaitable<HttpReply> show(const Parts& parts, const HttpCall& call, const Caller& caller) {
    const std::string id{call.param("id")};
    if (!is_uuid(id)) co_return nothing_here("notification");
    auto work = [&](postgres::Connection& connection) {
        return ledger::find_notification(connection, id, caller.sight);
    };
    std::string doing{"find a notification"};
    const auto found = co_await parts.ledger.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    if (!found.value()) co_return nothing_here("notification");
    const auto document = shown(*found.value());
    co_return reply_with(200, document);
}

asio::awaitable<HttpReply> cancel(const Parts& parts, const HttpCall& call, const Caller& caller) {
    const auto change = [&](postgres::Connection& connection, const Detail& detail) {
        return detail.state != "expired" && stop(parts, connection, detail, caller.client);
    };
    co_return co_await change_one(parts, call, caller, change);
}

asio::awaitable<HttpReply> send_now(const Parts& parts, const HttpCall& call,
                                    const Caller& caller) {
    const auto change = [&](postgres::Connection& connection, const Detail& detail) {
        return ledger::hurry_by_hand(connection, detail.id, caller.client);
    };
    co_return co_await change_one(parts, call, caller, change);
}

asio::awaitable<HttpReply> reschedule(const Parts& parts, const HttpCall& call,
                                      const Caller& caller) {
    Fields fields{call.body, {"due_at", "expires_at", "params", "data"}};
    ledger::Rescheduling changes;
    changes.due_at = fields.moment("due_at", false);
    changes.expires_at = fields.moment("expires_at", false);
    const auto params = fields.scalars("params");
    const auto data = fields.scalars("data");
    if (fields.find("params") != nullptr) changes.params = object_text(params);
    if (fields.find("data") != nullptr) changes.data = object_text(data);
    if (auto fault = fields.fault()) co_return std::move(*fault);
    const auto change = [&](postgres::Connection& connection, const Detail& detail) {
        auto after = detail;
        if (!changes.params.empty()) after.params = changes.params;
        const auto made = job_of(parts, after);
        return std::holds_alternative<Job>(made) &&
               ledger::reschedule_by_hand(connection, detail.id, changes, caller.client);
    };
    co_return co_await change_one(parts, call, caller, change);
}

asio::awaitable<HttpReply> cancel_subject(const Parts& parts, const HttpCall& call,
                                          const Caller& caller) {
    const std::string system{call.param("system")};
    const std::string subject{call.param("subject")};
    if (auto denial = denied(caller, system)) co_return std::move(*denial);
    if (!parts.systems.contains(system) || !is_plain(subject, 200)) {
        co_return nothing_here("system or subject");
    }
    auto work = [&](postgres::Connection& connection) {
        const auto open = ledger::open_of_subject(connection, system, subject, caller.sight);
        for (const auto& detail : open) stop(parts, connection, detail, caller.client);
        return open;
    };
    std::string doing{"cancel a subject"};
    const auto stopped = co_await parts.ledger.run(std::move(doing), work);
    if (!stopped) co_return unavailable(stopped.error());
    json::array ids;
    for (const auto& detail : stopped.value()) ids.push_back(json::value(detail.id));
    const json::object document{{"cancelled", std::move(ids)}};
    co_return reply_with(200, document);
}

}  // namespace

void add_notification_routes(Door& door, const Parts& parts) {
    const auto bound = [&parts](auto serve) {
        return [&parts, serve](const HttpCall& call, const Caller& caller) {
            return serve(parts, call, caller);
        };
    };
    const std::string one{"/v1/notifications/{id}"};
    door.post("/v1/notifications", Scope::schedule, bound(schedule));
    door.get("/v1/notifications", Scope::read, bound(list));
    door.get(one, Scope::read, bound(show));
    door.post(one, Scope::schedule, bound(reschedule), Job::bytes_max, "PATCH");
    door.post(one + "/cancel", Scope::cancel, bound(cancel));
    door.post(one + "/send-now", Scope::schedule, bound(send_now));
    door.post("/v1/systems/{system}/subjects/{subject}/cancel", Scope::cancel,
              bound(cancel_subject));
}

}  // namespace fanfare::api
