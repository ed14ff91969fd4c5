#include "producer/api/notifications.hpp"

#include "core/domain/uuid.hpp"
#include "core/ledger/due_job.hpp"
#include "core/ledger/notification_edits.hpp"
#include "core/wire/timestamp.hpp"
#include "producer/api/fields.hpp"
#include "producer/api/owners.hpp"
#include "producer/api/query_string.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/telling.hpp"
#include "producer/api/text_validation.hpp"
#include "producer/api/to_json.hpp"

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

std::string object_text(const Params& values) {
    json::object object;
    for (const auto& [name, value] : values) object[name] = value;
    return json::serialize(object);
}

/// What came of a change, or why it can be no job, or none of this caller.
using Edited = std::variant<ledger::Edit, Rejection, HttpReply>;

/// Of its job, whose parameters are the notification's own.
HttpReply refusal_of_job(Rejection rejection) {
    constexpr std::string_view of_jobs{"/audience/params"};
    if (rejection.message.starts_with(of_jobs)) {
        rejection.message.erase(0, of_jobs.size() - std::string_view{"/params"}.size());
    }
    return refusal(rejection);
}

/// Nothing where it was done. `state`: what the notification is now.
std::optional<HttpReply> refused(const Edited& edited, const std::string& state) {
    if (const auto* const rejection = std::get_if<Rejection>(&edited)) {
        return refusal_of_job(*rejection);
    }
    if (const auto* const reply = std::get_if<HttpReply>(&edited)) return *reply;
    switch (std::get<ledger::Edit>(edited)) {
        case ledger::Edit::done:
            return std::nullopt;
        case ledger::Edit::unknown:
            return nothing_here("notification");
        case ledger::Edit::too_late:
            return refusal(409, "too_late", "It is " + state + "; nothing changed.");
        case ledger::Edit::past_expiry:
            return refusal(409, "past_expiry",
                           "It would have expired when it is due; give it a later expires_at.");
    }
    return std::nullopt;
}

/// The job that a notification makes, as if it were due now; or why it can make none.
std::variant<Job, Rejection> read_job(const ApiContext& parts, const Detail& detail) {
    auto made = due_job(detail, parts.systems);
    if (auto* const job = std::get_if<Job>(&made)) {
        if (auto rejection = settle_order(*job, parts.systems, parts.templates)) return *rejection;
    }
    return made;
}

asio::awaitable<HttpReply> schedule(const ApiContext& parts, const HttpCall& call,
                                    const Caller& caller) {
    Fields fields{
        call.body,
        {"system", "kind", "subject", "occurrence", "due_at", "expires_at", "params", "data"}};
    Detail wanted;
    wanted.key = {fields.text("system", 40), fields.text("kind", 100), fields.text("subject", 200),
                  fields.moment("occurrence", true)};
    wanted.due_at = fields.moment("due_at", true);
    wanted.expires_at = fields.moment("expires_at", false);
    auto params = fields.scalars("params");
    const auto said = object_text(params);
    wanted.data = object_text(fields.scalars("data"));
    if (auto fault = fields.fault()) co_return std::move(*fault);
    if (auto denial = denied(caller, wanted.key.system)) co_return std::move(*denial);
    if (!wanted.expires_at.empty() && wanted.expires_at <= wanted.due_at) {
        co_return refusal(422, "past_expiry", "/expires_at: is not after due_at; send a later one");
    }
    const auto& systems = parts.systems;
    if (auto denial = keep_to_owner(params, wanted.key.system, wanted.key.kind, Notified::anew,
                                    caller, systems)) {
        co_return std::move(*denial);
    }
    wanted.params = object_text(params);
    wanted.id = derived_id(ledger::derivation_name(wanted.key));
    wanted.source = caller.owner;
    const auto made = read_job(parts, wanted);
    if (const auto* const rejection = std::get_if<Rejection>(&made)) {
        co_return refusal_of_job(*rejection);
    }
    auto denial = co_await untellable(parts, std::get<Job>(made));
    if (denial) co_return std::move(*denial);
    const auto key = read_idempotency_key(call);
    if (const auto* const reply = std::get_if<HttpReply>(&key)) co_return *reply;
    ledger::NewNotification notification;
    notification.key = wanted.key;
    notification.due_at = wanted.due_at;
    notification.expires_at = wanted.expires_at;
    notification.params = wanted.params;
    notification.data = wanted.data;
    notification.source = caller.owner;
    notification.is_owners = caller.owner_bound;
    ledger::NewRequest request;
    request.owner = caller.owner;
    request.key = std::get<std::string>(key);
    request.digest = sha256_hex(ledger::derivation_name(wanted.key) + '\n' + wanted.due_at + '\n' +
                                wanted.expires_at + '\n' + said + '\n' + wanted.data);
    request.job = wanted.id;
    const auto lost_after = parts.settings.producer.republish_after;
    auto work = [&](postgres::Connection& connection) -> std::optional<ledger::Scheduling> {
        if (!request.key.empty() &&
            !ledger::remember_request(connection, request, lost_after).same) {
            return std::nullopt;
        }
        return ledger::schedule_notification(connection, notification);
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
        const auto& other = scheduling.detail;
        const bool may_change = other.state == "scheduled";
        co_return refusal(409, "moment_taken",
                          fmt::format("Another notification, {}, has this subject and occurrence "
                                      "and is {}{}.",
                                      other.id, other.state, may_change ? "; PATCH it" : ""));
    }
    parts.hurry();
    const auto document = to_json(scheduling.detail);
    auto reply = reply_with(scheduling.is_new ? 201 : 200, document);
    reply.headers.emplace_back("Location", "/v1/notifications/" + scheduling.detail.id);
    co_return reply;
}

asio::awaitable<HttpReply> list_notifications(const ApiContext& parts, const HttpCall& call,
                                              const Caller& caller) {
    constexpr std::array<std::string_view, 6> known{"system", "kind",   "subject",
                                                    "state",  "cursor", "limit"};
    constexpr std::array<std::string_view, 6> states{"",          "scheduled", "publishing",
                                                     "published", "expired",   "cancelled"};
    const auto read = QueryString::read(call, known);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& query = std::get<QueryString>(read);
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
        return ledger::page_of_notifications(connection, caller.access, filter, *limit + 1);
    };
    std::string doing{"list notifications"};
    auto found = co_await parts.reading.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    auto& details = found.value();
    const bool more = details.size() > static_cast<std::size_t>(*limit);
    if (more) details.pop_back();
    json::array notifications;
    for (const auto& detail : details) notifications.push_back(to_json(detail));
    json::value next;
    if (more) next = make_cursor(details.back().due_at, details.back().id);
    const json::object page{{"notifications", std::move(notifications)},
                            {"next_cursor", std::move(next)}};
    co_return reply_with(200, page);
}

/// What one change found, and what it left.
struct Change {
    std::optional<Detail> detail;  // Nothing: there is none for this caller.
    Edited edited;
};

/// Finds one by its id, lets `change` work on it, and answers with what it is then.
template <class Work>
asio::awaitable<HttpReply> change_one(const ApiContext& parts, const HttpCall& call,
                                      const Caller& caller, Work change) {
    const auto named = parse_uuid(call.param("id"));
    if (!named) co_return nothing_here("notification");
    const auto& id = *named;
    auto work = [&](postgres::Connection& connection) -> Change {
        const auto detail = ledger::find_notification(connection, id, caller.access);
        if (!detail) return {};
        auto edited = change(connection, *detail);
        return {ledger::find_notification(connection, id, caller.access), std::move(edited)};
    };
    std::string doing{"change a notification"};
    const auto changed = co_await parts.ledger.run(std::move(doing), work);
    if (!changed) co_return unavailable(changed.error());
    const auto& [detail, edited] = changed.value();
    if (!detail) co_return nothing_here("notification");
    if (auto refusal = refused(edited, detail->state)) co_return std::move(*refusal);
    parts.hurry();
    const auto document = to_json(*detail);
    co_return reply_with(200, document);
}

asio::awaitable<std::variant<Detail, HttpReply>> find_notification(const ApiContext& parts,
                                                                   const HttpCall& call,
                                                                   const Caller& caller) {
    const auto named = parse_uuid(call.param("id"));
    if (!named) co_return nothing_here("notification");
    const auto& id = *named;
    auto work = [&](postgres::Connection& connection) {
        return ledger::find_notification(connection, id, caller.access);
    };
    std::string doing{"find a notification"};
    auto found = co_await parts.ledger.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    if (!found.value()) co_return nothing_here("notification");
    co_return std::move(*found.value());
}

asio::awaitable<HttpReply> show_notification(const ApiContext& parts, const HttpCall& call,
                                             const Caller& caller) {
    auto found = co_await find_notification(parts, call, caller);
    if (auto* const reply = std::get_if<HttpReply>(&found)) co_return std::move(*reply);
    const auto document = to_json(std::get<Detail>(found));
    co_return reply_with(200, document);
}

asio::awaitable<HttpReply> cancel(const ApiContext& parts, const HttpCall& call,
                                  const Caller& caller) {
    if (auto fault = fault_of_empty(call)) co_return std::move(*fault);
    const auto change = [&](postgres::Connection& connection, const Detail& detail) -> Edited {
        return ledger::cancel_notification(connection, parts.systems, detail.key, caller.access,
                                           caller.client);
    };
    co_return co_await change_one(parts, call, caller, change);
}

asio::awaitable<HttpReply> send_now(const ApiContext& parts, const HttpCall& call,
                                    const Caller& caller) {
    if (auto fault = fault_of_empty(call)) co_return std::move(*fault);
    const auto change = [&](postgres::Connection& connection, const Detail& detail) -> Edited {
        return ledger::send_notification_now(connection, detail.id, caller.client);
    };
    co_return co_await change_one(parts, call, caller, change);
}

/// What a notification is to be instead.
struct Changes {
    ledger::NewMoment moment;
    std::optional<Params> params;
};

std::variant<Changes, HttpReply> read_changes(const HttpCall& call) {
    Fields fields{call.body, {"due_at", "expires_at", "params", "data"}};
    Changes changes;
    changes.moment.due_at = fields.moment("due_at", false);
    changes.moment.expires_at = fields.moment("expires_at", false);
    auto params = fields.scalars("params");
    if (fields.find("params") != nullptr) changes.params = std::move(params);
    const auto data = fields.scalars("data");
    if (fields.find("data") != nullptr) changes.moment.data = object_text(data);
    if (auto fault = fields.fault()) return std::move(*fault);
    return changes;
}

/// Its job with the changes, which keep to the caller's owner; or why it may not have them.
std::variant<Job, Rejection, HttpReply> job_with(const ApiContext& parts, const Caller& caller,
                                                 Detail detail, Changes& changes) {
    if (changes.params) {
        if (auto denial = keep_to_owner(*changes.params, detail.key.system, detail.key.kind,
                                        Notified::again, caller, parts.systems)) {
            return std::move(*denial);
        }
        detail.params = changes.moment.params = object_text(*changes.params);
    }
    if (!changes.moment.data.empty()) detail.data = changes.moment.data;
    auto made = read_job(parts, detail);
    if (auto* const rejection = std::get_if<Rejection>(&made)) return std::move(*rejection);
    return std::move(std::get<Job>(made));
}

asio::awaitable<HttpReply> reschedule(const ApiContext& parts, const HttpCall& call,
                                      const Caller& caller) {
    auto read = read_changes(call);
    if (auto* const reply = std::get_if<HttpReply>(&read)) co_return std::move(*reply);
    auto& changes = std::get<Changes>(read);
    auto found = co_await find_notification(parts, call, caller);
    if (auto* const reply = std::get_if<HttpReply>(&found)) co_return std::move(*reply);
    // Asked before anything is held for it: the system's database may take its time.
    const auto& before = std::get<Detail>(found);
    const auto job = job_with(parts, caller, before, changes);
    const auto* const wanted = std::get_if<Job>(&job);
    if (wanted != nullptr && before.state == "scheduled") {
        auto denial = co_await untellable(parts, *wanted);
        if (denial) co_return std::move(*denial);
    }
    const auto change = [&](postgres::Connection& connection, const Detail& detail) -> Edited {
        auto now = job_with(parts, caller, detail, changes);  // A refresh may have come between.
        if (auto* const rejection = std::get_if<Rejection>(&now)) return std::move(*rejection);
        if (auto* const reply = std::get_if<HttpReply>(&now)) return std::move(*reply);
        return ledger::reschedule_notification(connection, detail.id, changes.moment,
                                               caller.client);
    };
    co_return co_await change_one(parts, call, caller, change);
}

}  // namespace

void add_notification_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    const auto bound = [&parts](auto serve) {
        return [&parts, serve](const HttpCall& call, const Caller& caller) {
            return serve(parts, call, caller);
        };
    };
    const std::string one{"/v1/notifications/{id}"};
    routes.post("/v1/notifications", Scope::schedule, bound(schedule));
    routes.get("/v1/notifications", Scope::read, bound(list_notifications));
    routes.get(one, Scope::read, bound(show_notification));
    routes.post(one, Scope::schedule, bound(reschedule), Job::bytes_max, "PATCH");
    routes.post(one + "/cancel", Scope::cancel, bound(cancel));
    routes.post(one + "/send-now", Scope::schedule, bound(send_now));
}

}  // namespace fanfare::api
