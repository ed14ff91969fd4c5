#include "producer/api/jobs.hpp"
#include "producer/api/fields.hpp"

#include "core/domain/uuid.hpp"
#include "core/wire/timestamp.hpp"
#include "producer/api/create_job.hpp"
#include "producer/api/query_string.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/to_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::array<std::string_view, 5> job_states{"planning", "sending", "done", "cancelled",
                                                     "failed"};

json::object row_to_json(const ledger::JobLine& job) {
    json::value version;  // null.
    if (job.own_templates) version = *job.own_templates;
    return {{"id", job.id},
            {"system", job.system},
            {"kind", job.kind},
            {"subject", text_or_null(job.subject)},
            {"title", text_or_null(job.title)},
            {"lane", job.lane},
            {"source", job.source},
            {"state", job.state},
            {"created_at", job.created_at},
            {"planned_at", text_or_null(job.planned_at)},
            {"finished_at", text_or_null(job.finished_at)},
            {"expires_at", text_or_null(job.expires_at)},
            {"failure", text_or_null(job.failure)},
            {"incomplete", job.incomplete},
            {"left_out", job.left_out},
            {"template_version", version},
            {"replay_of", text_or_null(job.replay_of)},
            {"dropped_at", text_or_null(job.dropped_at)}};
}

asio::awaitable<HttpReply> order_job(const ApiContext& parts, const HttpCall& call,
                                     const Caller& caller) {
    auto read = read_order(call, caller, parts.known());
    if (auto* const reply = std::get_if<HttpReply>(&read)) co_return std::move(*reply);
    co_return co_await create_job(parts, caller, std::get<Order>(read));
}

asio::awaitable<HttpReply> list_jobs(const ApiContext& parts, const HttpCall& call,
                                     const Caller& caller) {
    constexpr std::array<std::string_view, 7> known{"system",       "kind",   "state", "since",
                                                    "has_failures", "cursor", "limit"};
    const auto read = QueryString::read(call, known);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& query = std::get<QueryString>(read);
    const auto limit = query.limit();
    if (!limit) co_return bad_query("limit", "a whole number from 1 to 1000");
    ledger::JobFilter filter;
    filter.system = query["system"];
    filter.kind = query["kind"];
    filter.state = query["state"];
    const bool state_is_known =
        filter.state.empty() ||
        std::find(job_states.begin(), job_states.end(), filter.state) != job_states.end();
    if (!state_is_known) {
        co_return bad_query("state", "planning, sending, done, cancelled or failed");
    }
    filter.since = query["since"];
    if (!filter.since.empty() && !parse_timestamp(filter.since)) {
        co_return bad_query("since", "a moment, such as 2026-11-28T09:30:00Z");
    }
    const auto failures = query["has_failures"];
    if (!failures.empty() && failures != "true" && failures != "false") {
        co_return bad_query("has_failures", "true or false");
    }
    filter.has_failures = failures == "true";
    if (!query["cursor"].empty()) {
        const auto place = read_cursor(query["cursor"]);
        if (!place || !parse_timestamp(place->first) || !is_uuid(place->second)) {
            co_return bad_query("cursor", "next_cursor of the page before");
        }
        filter.before_at = place->first;
        filter.before_id = place->second;
    }
    std::string doing{"list jobs"};
    auto work = [&](postgres::Connection& ledger) {
        return ledger::list_jobs(ledger, caller.access, filter, *limit + 1);
    };
    auto found = co_await parts.reading.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    auto& lines = found.value();
    const bool more = lines.size() > static_cast<std::size_t>(*limit);
    if (more) lines.pop_back();
    json::array jobs;
    for (const auto& one : lines) {
        auto object = row_to_json(one.line);
        object["planned"] = one.planned;
        object["settled"] = one.settled;
        object["failed"] = one.failed;
        object["unknown"] = one.unknown;
        jobs.push_back(std::move(object));
    }
    json::value next;
    if (more) next = make_cursor(lines.back().line.created_at, lines.back().line.id);
    const json::object page{{"jobs", std::move(jobs)}, {"next_cursor", std::move(next)}};
    co_return reply_with(200, page);
}

asio::awaitable<HttpReply> show_job(const ApiContext& parts, const HttpCall& call,
                                    const Caller& caller) {
    const auto named = parse_uuid(call.param("id"));
    if (!named) co_return nothing_here("job");
    const auto& id = *named;
    std::string doing{"look up a job"};
    auto work = [&](postgres::Connection& ledger) {
        return ledger::find_job_detail(ledger, id, caller.access);
    };
    auto found = co_await parts.reading.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    if (!found.value()) co_return nothing_here("job");
    const auto& job = *found.value();
    auto document = row_to_json(job.line);
    document["audience"] = parsed(job.audience);
    document["data"] = parsed(job.data);
    document["channels"] = job.progress ? to_json(job.progress->channels) : json::array{};
    json::array replays;
    for (const auto& each :
         job.progress ? job.progress->replays : decltype(job.progress->replays){}) {
        replays.push_back(json::object{{"job", each.job}, {"people", each.people}});
    }
    document["replays"] = std::move(replays);
    co_return reply_with(200, document);
}

asio::awaitable<HttpReply> cancel_job(const ApiContext& parts, const HttpCall& call,
                                      const Caller& caller) {
    if (auto fault = fault_of_empty(call)) co_return std::move(*fault);
    const auto named = parse_uuid(call.param("id"));
    if (!named) co_return nothing_here("job");
    const auto& id = *named;
    std::string doing{"cancel a job"};
    bool is_done = false;  // Also where only those were open that took people of it over.
    auto work = [&](postgres::Connection& ledger) -> std::optional<ledger::JobLine> {
        if (!ledger::find_job(ledger, id, caller.access)) return std::nullopt;
        is_done = ledger::cancel_wherever(ledger, id);
        return ledger::find_job(ledger, id, caller.access);
    };
    auto found = co_await parts.ledger.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    if (!found.value()) co_return nothing_here("job");
    const auto& line = *found.value();
    if (!is_done) {
        co_return refusal(409, "job_over", "The job is over; everyone has their outcome.");
    }
    const auto document = row_to_json(line);
    co_return reply_with(200, document);
}

}  // namespace

void add_job_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    const auto bound = [&parts](auto serve) {
        return [&parts, serve](const HttpCall& call, const Caller& caller) {
            return serve(parts, call, caller);
        };
    };
    routes.post("/v1/jobs", Scope::publish, bound(order_job));
    routes.get("/v1/jobs", Scope::read, bound(list_jobs));
    routes.get("/v1/jobs/{id}", Scope::read, bound(show_job));
    routes.post("/v1/jobs/{id}/cancel", Scope::cancel, bound(cancel_job));
}

}  // namespace fanfare::api
