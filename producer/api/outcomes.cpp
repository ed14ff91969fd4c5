#include "producer/api/outcomes.hpp"

#include "core/domain/why.hpp"
#include "core/ledger/deliveries.hpp"
#include "producer/api/csv.hpp"
#include "producer/api/plain.hpp"
#include "producer/api/query.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/shown.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <array>
#include <charconv>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::size_t rows_a_piece = 5'000;

json::object object_of(const ledger::Delivery& delivery) {
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

template <class Number>
bool read_number(std::string_view text, Number& number) {
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    return fault == std::errc{} && end == text.data() + text.size() && number >= 0;
}

std::optional<ledger::DeliveryCursor> cursor_of(std::string_view text) {
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

std::string text_of(const ledger::DeliveryCursor& cursor) {
    return make_cursor(fmt::format("{}.{}", cursor.channel, cursor.number),
                       std::to_string(cursor.position));
}

/// A job's outcomes as CSV, piece by piece: rows_a_piece of them in memory.
class CsvExport : public std::enable_shared_from_this<CsvExport> {
public:
    CsvExport(const Parts& parts, std::string client, std::string job,
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

    const Parts& parts_;
    std::string client_;
    std::string job_;
    ledger::DeliveryFilter filter_;
    ledger::DeliveryCursor cursor_;
    std::vector<ledger::Delivery> deliveries_;
    bool more_ = true;
};

HttpReply csv_reply(const Parts& parts, const Caller& caller, const std::string& id,
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

asio::awaitable<HttpReply> json_page(const Parts& parts, const std::string& id,
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
    for (const auto& delivery : deliveries) outcomes.push_back(object_of(delivery));
    json::value next;
    if (read.value()) next = text_of(cursor);
    const json::object page{{"outcomes", std::move(outcomes)}, {"next_cursor", std::move(next)}};
    co_return reply_with(200, page);
}

asio::awaitable<Result<bool>> is_visible(const Parts& parts, const std::string& id,
                                         const Caller& caller) {
    std::string doing{"look up a job"};
    auto work = [&](postgres::Connection& ledger) {
        return ledger::find_job(ledger, id, caller.sight).has_value();
    };
    co_return co_await parts.reading.run(std::move(doing), work);
}

asio::awaitable<HttpReply> show_outcomes(const Parts& parts, const HttpCall& call,
                                         const Caller& caller) {
    constexpr std::array<std::string_view, 4> known{"channel", "outcome", "cursor", "limit"};
    const auto read = Query::read(call, known);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& query = std::get<Query>(read);
    ledger::DeliveryFilter filter{parse_channel(query["channel"]), parse_outcome(query["outcome"])};
    if (!query["channel"].empty() && !filter.channel) {
        co_return bad_query("channel", "email, sms or push");
    }
    if (!query["outcome"].empty() && !filter.outcome) {
        co_return bad_query("outcome", "an outcome: sent, no_address ...");
    }
    const auto limit = query.limit();
    const auto cursor = cursor_of(query["cursor"]);
    if (!limit) co_return bad_query("limit", "a whole number from 1 to 1000");
    if (!cursor) co_return bad_query("cursor", "next_cursor of the page before");
    const std::string id{call.param("id")};
    if (!is_uuid(id)) co_return nothing_here("job");
    const auto visible = co_await is_visible(parts, id, caller);
    if (!visible) co_return unavailable(visible.error());
    if (!visible.value()) co_return nothing_here("job");
    if (call.header("accept").find("text/csv") != std::string_view::npos) {
        co_return csv_reply(parts, caller, id, filter);
    }
    co_return co_await json_page(parts, id, filter, *cursor, *limit);
}

asio::awaitable<HttpReply> show_recipient(const Parts& parts, const HttpCall& call,
                                          const Caller& caller) {
    const std::string id{call.param("id")};
    const std::string recipient{call.param("recipient")};
    if (!is_uuid(id)) co_return nothing_here("job");
    if (!is_plain(recipient, Job::id_bytes_max)) co_return nothing_here("recipient");
    std::string doing{"look up a recipient"};
    auto work = [&](postgres::Connection& ledger) {
        return ledger::find_person_in_job(ledger, id, recipient, caller.sight);
    };
    const auto found = co_await parts.reading.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    if (!found.value()) co_return nothing_here("job");
    const auto& [line, fates, all] = *found.value();
    json::array list;
    for (const auto& fate : fates) list.push_back(shown(fate));
    json::array chain;
    for (const auto& [job, fate] : all) {
        auto one = shown(fate);
        one["job"] = job;
        chain.push_back(std::move(one));
    }
    const bool is_planned = !line.planned_at.empty();
    const json::object document{{"recipient", recipient},
                                {"planned", !fates.empty()},
                                {"why", text(why_planned(!fates.empty(), is_planned))},
                                {"channels", std::move(list)},
                                {"chain", std::move(chain)}};
    co_return reply_with(200, document);
}

}  // namespace

void add_outcome_routes(Door& door, const Parts& parts) {
    const auto bound = [&parts](auto serve) {
        return [&parts, serve](const HttpCall& call, const Caller& caller) {
            return serve(parts, call, caller);
        };
    };
    door.get("/v1/jobs/{id}/outcomes", Scope::export_, bound(show_outcomes));
    door.get("/v1/jobs/{id}/recipients/{recipient}", Scope::read, bound(show_recipient));
}

}  // namespace fanfare::api
