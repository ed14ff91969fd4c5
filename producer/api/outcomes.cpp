#include "producer/api/outcomes.hpp"

#include "core/domain/explain.hpp"
#include "core/domain/number.hpp"
#include "core/domain/uuid.hpp"
#include "core/ledger/outcome_lists.hpp"
#include "core/wire/timestamp.hpp"
#include "producer/api/csv.hpp"
#include "producer/api/query_string.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/text_validation.hpp"
#include "producer/api/to_json.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <variant>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::size_t rows_a_piece = 5'000;
constexpr std::size_t jobs_named_max = 100;

json::object row_to_json(const ledger::Delivery& delivery) {
    return {{"recipient", delivery.recipient},
            {"channel", text(to_string(delivery.channel))},
            {"outcome", text(to_string(delivery.outcome))},
            {"reason", text(to_string(delivery.reason))},
            {"cause", text(to_string(delivery.cause))},
            {"provider_id", text_or_null(delivery.provider_id)},
            {"account", text_or_null(delivery.account)},
            {"attempts", delivery.attempts},
            {"updated_at", delivery.updated_at}};
}

std::optional<ledger::DeliveryCursor> parse_delivery_cursor(std::string_view text) {
    ledger::DeliveryCursor cursor;
    if (text.empty()) return cursor;
    const auto words = read_cursor(text);
    if (!words) return std::nullopt;
    const auto dot = words->first.find('.');
    const std::string_view chunk{words->first};
    const bool sound = dot != std::string::npos &&
                       read_number(chunk.substr(0, dot), cursor.channel) && cursor.channel < 3 &&
                       read_number(chunk.substr(dot + 1), cursor.number) &&
                       read_number(std::string_view{words->second}, cursor.position);
    if (!sound) return std::nullopt;
    return cursor;
}

std::string to_cursor(const ledger::DeliveryCursor& cursor) {
    return make_cursor(fmt::format("{}.{}", cursor.channel, cursor.number),
                       std::to_string(cursor.position));
}

/// A job's outcomes as CSV, piece by piece: rows_a_piece of them in memory.
class CsvExport : public std::enable_shared_from_this<CsvExport> {
public:
    CsvExport(const ApiContext& parts, std::string client, std::string job,
              ledger::DeliveryFilter filter)
        : parts_{parts}, client_{std::move(client)}, job_{std::move(job)}, filter_{filter} {}

    asio::awaitable<std::optional<std::string>> next() {
        std::string piece;
        while (piece.empty() && more_) {
            deliveries_.clear();
            std::string client = client_;
            const auto turn = co_await parts_.turns.take(std::move(client), Turns::no_limit);
            if (!turn) co_return std::nullopt;
            std::string doing{"export outcomes"};
            auto work = [this](postgres::Connection& ledger) {
                return ledger::read_deliveries(ledger, job_, filter_, cursor_, rows_a_piece,
                                               deliveries_);
            };
            const auto read = co_await parts_.surveying.run(std::move(doing), work);
            if (!read) {
                log_failed_call(read.error());
                co_return std::nullopt;
            }
            more_ = read.value();
            for (const auto& delivery : deliveries_) append_row(delivery, piece);
        }
        co_return piece;
    }

private:
    static void append_row(const ledger::Delivery& delivery, std::string& out) {
        const auto attempts = std::to_string(delivery.attempts);
        append_csv_row(
            {delivery.recipient, to_string(delivery.channel), to_string(delivery.outcome),
             to_string(delivery.reason), delivery.provider_id, delivery.account, attempts,
             delivery.updated_at, to_string(delivery.cause)},
            out);
    }

    const ApiContext& parts_;
    std::string client_;
    std::string job_;
    ledger::DeliveryFilter filter_;
    ledger::DeliveryCursor cursor_;
    std::vector<ledger::Delivery> deliveries_;
    bool more_ = true;
};

HttpReply csv_reply(const ApiContext& parts, const Caller& caller, const std::string& id,
                    ledger::DeliveryFilter filter) {
    auto source = std::make_shared<CsvExport>(parts, caller.client, id, filter);
    HttpReply reply;
    reply.content_type = "text/csv; charset=utf-8";
    reply.headers.emplace_back("Content-Disposition",
                               fmt::format("attachment; filename=\"{}.csv\"", id));
    append_csv_row({"recipient", "channel", "outcome", "reason", "provider_id", "account",
                    "attempts", "updated_at", "cause"},
                   reply.body);
    reply.pieces = [source] { return source->next(); };
    return reply;
}

asio::awaitable<HttpReply> json_page(const ApiContext& parts, const std::string& id,
                                     ledger::DeliveryFilter filter, ledger::DeliveryCursor cursor,
                                     int limit) {
    std::vector<ledger::Delivery> deliveries;
    std::string doing{"read outcomes"};
    auto work = [&](postgres::Connection& ledger) {
        return ledger::read_deliveries(ledger, id, filter, cursor, static_cast<std::size_t>(limit),
                                       deliveries);
    };
    const auto read = co_await parts.reading.run(std::move(doing), work);
    if (!read) co_return unavailable(read.error());
    json::array outcomes;
    for (const auto& delivery : deliveries) outcomes.push_back(row_to_json(delivery));
    json::value next;
    if (read.value()) next = to_cursor(cursor);
    const json::object page{{"outcomes", std::move(outcomes)}, {"next_cursor", std::move(next)}};
    co_return reply_with(200, page);
}

/// Why a job's people cannot be told of; nothing where they can.
asio::awaitable<std::optional<HttpReply>> find_fault(const ApiContext& parts, const std::string& id,
                                                     const Caller& caller) {
    std::string doing{"look up a job"};
    auto work = [&](postgres::Connection& ledger) {
        return ledger::find_job(ledger, id, caller.access);
    };
    const auto found = co_await parts.reading.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    if (!found.value()) co_return nothing_here("job");
    if (!found.value()->dropped_at.empty()) co_return no_longer_kept(id);
    co_return std::nullopt;
}

std::variant<ledger::DeliveryFilter, HttpReply> read_filter(const QueryString& query) {
    ledger::DeliveryFilter filter{parse_channel(query["channel"]), parse_outcome(query["outcome"])};
    if (!query["channel"].empty() && !filter.channel) {
        return bad_query("channel", "email, sms or push");
    }
    if (!query["outcome"].empty() && !filter.outcome) {
        return bad_query("outcome", "an outcome: sent, no_address ...");
    }
    return filter;
}

asio::awaitable<HttpReply> show_outcomes(const ApiContext& parts, const HttpCall& call,
                                         const Caller& caller) {
    constexpr std::array<std::string_view, 4> known{"channel", "outcome", "cursor", "limit"};
    const auto read = QueryString::read(call, known);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& query = std::get<QueryString>(read);
    auto filtered = read_filter(query);
    if (auto* const reply = std::get_if<HttpReply>(&filtered)) co_return std::move(*reply);
    const auto filter = std::get<ledger::DeliveryFilter>(filtered);
    const auto limit = query.limit();
    const auto cursor = parse_delivery_cursor(query["cursor"]);
    if (!limit) co_return bad_query("limit", "a whole number from 1 to 1000");
    if (!cursor) co_return bad_query("cursor", "next_cursor of the page before");
    const auto named = parse_uuid(call.param("id"));
    if (!named) co_return nothing_here("job");
    const auto& id = *named;
    auto fault = co_await find_fault(parts, id, caller);
    if (fault) co_return std::move(*fault);
    if (call.header("accept").find("text/csv") != std::string_view::npos) {
        co_return csv_reply(parts, caller, id, filter);
    }
    co_return co_await json_page(parts, id, filter, *cursor, *limit);
}

/// "at|id" of the last whole job, and "job|channel.number.position" within the next one.
std::string to_cursor(const ledger::OutcomeCursor& cursor) {
    const auto& within = cursor.within;
    return make_cursor(
        fmt::format("{}|{}", cursor.before_at, cursor.before_id),
        fmt::format("{}|{}.{}.{}", cursor.job, within.channel, within.number, within.position));
}

std::optional<ledger::OutcomeCursor> parse_outcome_cursor(std::string_view text) {
    ledger::OutcomeCursor cursor;
    if (text.empty()) return cursor;
    const auto words = read_cursor(text);
    if (!words) return std::nullopt;
    const auto halves = [](std::string_view word) {
        const auto bar = std::min(word.find('|'), word.size());
        return std::pair{word.substr(0, bar), word.substr(std::min(bar + 1, word.size()))};
    };
    const auto [at, id] = halves(words->first);
    const auto [job, within] = halves(words->second);
    const auto first = std::min(within.find('.'), within.size());
    const auto second = std::min(within.find('.', first + 1), within.size());
    if (second == within.size()) return std::nullopt;
    const bool sound =
        (at.empty() ? id.empty() : parse_timestamp(at) && is_uuid(id)) &&
        (job.empty() || is_uuid(job)) &&
        read_number(within.substr(0, first), cursor.within.channel) &&
        read_number(within.substr(first + 1, second - first - 1), cursor.within.number) &&
        read_number(within.substr(second + 1), cursor.within.position);
    if (!sound || cursor.within.channel >= static_cast<int>(channel_count)) return std::nullopt;
    cursor.before_at = at;
    cursor.before_id = id;
    cursor.job = job;
    return cursor;
}

/// What a query asks of several jobs.
struct OutcomesRequest {
    ledger::OutcomeJobs jobs;
    ledger::DeliveryFilter filter;
    ledger::OutcomeCursor cursor;
    int limit = 0;
};

std::variant<OutcomesRequest, HttpReply> read_outcomes_request(const HttpCall& call) {
    constexpr std::array<std::string_view, 9> known{
        "job", "system", "kind", "subject", "since", "channel", "outcome", "cursor", "limit"};
    const auto read = QueryString::read(call, known);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) return *reply;
    const auto& query = std::get<QueryString>(read);
    OutcomesRequest asked;
    asked.jobs = {.jobs = {},
                  .system = std::string{query["system"]},
                  .kind = std::string{query["kind"]},
                  .subject = std::string{query["subject"]},
                  .since = std::string{query["since"]}};
    for (auto rest = query["job"]; !rest.empty();) {
        const auto comma = std::min(rest.find(','), rest.size());
        auto job = parse_uuid(rest.substr(0, comma));
        if (!job || asked.jobs.jobs.size() == jobs_named_max) {
            return bad_query("job", "1 to 100 ids, with commas between them");
        }
        asked.jobs.jobs.push_back(std::move(*job));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    if (!asked.jobs.since.empty() && !parse_timestamp(asked.jobs.since)) {
        return bad_query("since", "a moment, such as 2026-11-28T09:30:00Z");
    }
    auto filter = read_filter(query);
    if (auto* const reply = std::get_if<HttpReply>(&filter)) return std::move(*reply);
    asked.filter = std::get<ledger::DeliveryFilter>(filter);
    const auto limit = query.limit();
    auto cursor = parse_outcome_cursor(query["cursor"]);
    if (!limit) return bad_query("limit", "a whole number from 1 to 1000");
    if (!cursor) return bad_query("cursor", "next_cursor of the page before");
    asked.limit = *limit;
    asked.cursor = std::move(*cursor);
    return asked;
}

asio::awaitable<HttpReply> show_many(const ApiContext& parts, const HttpCall& call,
                                     const Caller& caller) {
    auto read = read_outcomes_request(call);
    if (auto* const reply = std::get_if<HttpReply>(&read)) co_return std::move(*reply);
    auto& asked = std::get<OutcomesRequest>(read);
    std::vector<ledger::JobDelivery> deliveries;
    auto work = [&](postgres::Connection& ledger) {
        return ledger::read_outcomes(ledger, caller.access, asked.jobs, asked.filter, asked.cursor,
                                     static_cast<std::size_t>(asked.limit), deliveries);
    };
    std::string doing{"read outcomes of several jobs"};
    const auto more = co_await parts.reading.run(std::move(doing), work);
    if (!more) co_return unavailable(more.error());
    json::array outcomes;
    for (const auto& [job, delivery] : deliveries) {
        auto object = row_to_json(delivery);
        object["job"] = job;
        outcomes.push_back(std::move(object));
    }
    json::value next;
    if (more.value()) next = to_cursor(asked.cursor);
    const json::object page{{"outcomes", std::move(outcomes)}, {"next_cursor", std::move(next)}};
    co_return reply_with(200, page);
}

asio::awaitable<HttpReply> show_recipient(const ApiContext& parts, const HttpCall& call,
                                          const Caller& caller) {
    const auto named = parse_uuid(call.param("id"));
    if (!named) co_return nothing_here("job");
    const auto& id = *named;
    const std::string recipient{call.param("recipient")};
    if (!is_plain(recipient, Job::id_bytes_max)) co_return nothing_here("recipient");
    std::string doing{"look up a recipient"};
    auto work = [&](postgres::Connection& ledger) {
        return ledger::find_person_in_job(ledger, id, recipient, caller.access);
    };
    const auto found = co_await parts.reading.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    if (!found.value()) co_return nothing_here("job");
    const auto& [line, fates, all] = *found.value();
    if (fates.empty() && !line.dropped_at.empty()) co_return no_longer_kept(id);
    json::array list;
    for (const auto& fate : fates) list.push_back(to_json(fate));
    json::array chain;
    for (const auto& [job, fate] : all) {
        auto one = to_json(fate);
        one["job"] = job;
        chain.push_back(std::move(one));
    }
    const bool is_planned = !line.planned_at.empty();
    const json::object document{{"recipient", recipient},
                                {"planned", !fates.empty()},
                                {"why", text(explain_planned(!fates.empty(), is_planned))},
                                {"channels", std::move(list)},
                                {"chain", std::move(chain)}};
    co_return reply_with(200, document);
}

}  // namespace

void add_outcome_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    const auto bound = [&parts](auto serve) {
        return [&parts, serve](const HttpCall& call, const Caller& caller) {
            return serve(parts, call, caller);
        };
    };
    routes.get("/v1/outcomes", Scope::export_, bound(show_many));
    routes.get("/v1/jobs/{id}/outcomes", Scope::export_, bound(show_outcomes));
    routes.get("/v1/jobs/{id}/recipients/{recipient}", Scope::read, bound(show_recipient));
}

}  // namespace fanfare::api
