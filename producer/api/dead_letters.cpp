#include "producer/api/dead_letters.hpp"

#include "core/crypto/digest.hpp"
#include "core/domain/printable.hpp"
#include "core/domain/utf8.hpp"
#include "core/kafka/dead_letters.hpp"
#include "core/ledger/dead_letters.hpp"
#include "core/orders/order_rules.hpp"
#include "core/wire/timestamp.hpp"
#include "producer/api/fields.hpp"
#include "producer/api/query_string.hpp"
#include "producer/api/reply.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <array>
#include <optional>
#include <variant>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using kafka::DeadLetter;

constexpr std::chrono::seconds publish_max{10};  // Less than a request may take.
constexpr std::size_t digest_length = 64;
constexpr std::size_t body_max = 2 * Job::bytes_max;  // A job as a text within JSON.

/// A letter, and what became of it; nothing where it is open.
struct Letter {
    DeadLetter letter;
    std::optional<ledger::LetterFate> fate;
};

std::optional<HttpReply> denied_letters(const Caller& caller) {
    if (!caller.owner_bound && caller.systems.empty()) return std::nullopt;
    return refusal(403, "owner_denied", "Nobody knows whose a dead letter is.");
}

json::object row_to_json(const Letter& one) {
    const auto& [letter, fate] = one;
    const auto at = TimePoint{std::chrono::milliseconds{letter.timestamp_ms}};
    return {{"letter", letter.digest},
            {"at", format_timestamp(at)},
            {"key", printable(letter.key)},
            {"bytes", letter.bytes},
            {"from", printable(letter.from)},
            {"reason", printable(letter.reason)},
            {"message", printable(letter.message)},
            {"fate", text_or_null(fate ? fate->fate : "")},
            {"fate_at", text_or_null(fate ? fate->at : "")},
            {"fate_by", text_or_null(fate ? fate->who : "")}};
}

json::object to_document(const Letter& one) {
    auto document = row_to_json(one);
    const auto& payload = one.letter.payload;
    const bool is_text = is_utf8(payload);
    document["payload"] = is_text ? json::value(text(payload)) : json::value();
    document["payload_base64"] = is_text ? json::value() : json::value(text(base64(payload)));
    document["payload_is_whole"] = !one.letter.is_cut();
    return document;
}

/// What one call reads of the letters; the topic may fail where the ledger does not.
template <class Value, class Read>
asio::awaitable<std::variant<Value, HttpReply>> read_letters(const ApiContext& parts,
                                                             const Caller& caller, Read read) {
    std::string client = caller.client;
    const auto turn = co_await parts.turns.take(std::move(client));
    if (!turn) co_return busy();
    std::string doing{"read dead letters"};
    auto found = co_await parts.surveying.run(std::move(doing), read);
    if (!found) co_return unavailable(found.error());
    if (!found.value()) co_return unavailable(found.value().error());
    co_return std::move(found.value().value());
}

struct Page {
    std::vector<Letter> letters;
    std::optional<kafka::DeadPlace> next;
};

constexpr std::string_view cursor_word = "dead";

/// Nothing for a cursor that is not of this list.
std::optional<kafka::DeadPlace> parse_dead_place(std::string_view cursor) {
    if (cursor.empty()) return kafka::DeadPlace{};
    const auto words = read_cursor(cursor);
    if (!words || words->first != cursor_word) return std::nullopt;
    return kafka::parse_dead_place(words->second);
}

asio::awaitable<HttpReply> list_letters(const ApiContext& parts, const HttpCall& call,
                                        const Caller& caller) {
    if (auto denial = denied_letters(caller)) co_return std::move(*denial);
    constexpr std::array<std::string_view, 3> known{"all", "cursor", "limit"};
    const auto read = QueryString::read(call, known);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& query = std::get<QueryString>(read);
    const auto limit = query.limit();
    if (!limit) co_return bad_query("limit", "a whole number from 1 to 1000");
    const auto all = query["all"];
    if (!all.empty() && all != "true" && all != "false")
        co_return bad_query("all", "true or false");
    const auto from = parse_dead_place(query["cursor"]);
    if (!from) co_return bad_query("cursor", "next_cursor of the page before");
    const bool also_sealed = all == "true";
    auto look = [&](postgres::Connection& ledger) -> Result<Page> {
        const auto fates = ledger::letter_fates(ledger);
        const auto wanted = [&](const DeadLetter& letter) {
            return also_sealed || !fates.contains(letter.digest);
        };
        auto found = kafka::read_dead_page(parts.settings.kafka, parts.clock, {}, *from,
                                           static_cast<std::size_t>(*limit), wanted);
        if (!found) return found.error();
        Page page{{}, std::move(found.value().next)};
        for (auto& letter : found.value().letters) {
            const auto fate = fates.find(letter.digest);
            const bool is_open = fate == fates.end();
            page.letters.push_back(
                {std::move(letter), is_open ? std::nullopt : std::optional{fate->second}});
        }
        return page;
    };
    auto found = co_await read_letters<Page>(parts, caller, look);
    if (auto* const reply = std::get_if<HttpReply>(&found)) co_return std::move(*reply);
    const auto& page = std::get<Page>(found);
    json::array letters;
    for (const auto& letter : page.letters) letters.push_back(row_to_json(letter));
    std::string next;
    if (page.next) next = make_cursor(cursor_word, kafka::to_text(*page.next));
    const json::object document{{"dead_letters", std::move(letters)},
                                {"more", page.next.has_value()},
                                {"next_cursor", text_or_null(next)}};
    co_return reply_with(200, document);
}

/// The one that the path names.
asio::awaitable<std::variant<Letter, HttpReply>> find_letter(const ApiContext& parts,
                                                             const HttpCall& call,
                                                             const Caller& caller) {
    if (auto denial = denied_letters(caller)) co_return std::move(*denial);
    const std::string digest{call.param("letter")};
    if (digest.size() != digest_length) co_return nothing_here("dead letter");
    using Found = std::optional<Letter>;
    auto look = [&](postgres::Connection& ledger) -> Result<Found> {
        auto letters = kafka::find_dead_letters(parts.settings.kafka, parts.clock, digest);
        if (!letters) return letters.error();
        if (letters.value().empty()) return Found{};
        return Found{
            Letter{std::move(letters.value().front()), ledger::letter_fate(ledger, digest)}};
    };
    auto found = co_await read_letters<Found>(parts, caller, look);
    if (auto* const reply = std::get_if<HttpReply>(&found)) co_return std::move(*reply);
    auto& letter = std::get<Found>(found);
    if (!letter) co_return nothing_here("dead letter");
    co_return std::move(*letter);
}

asio::awaitable<HttpReply> show_letter(const ApiContext& parts, const HttpCall& call,
                                       const Caller& caller) {
    auto found = co_await find_letter(parts, call, caller);
    if (auto* const reply = std::get_if<HttpReply>(&found)) co_return std::move(*reply);
    const auto document = to_document(std::get<Letter>(found));
    co_return reply_with(200, document);
}

/// Seals a letter's fate once for all; what is done about it within that.
asio::awaitable<HttpReply> seal(const ApiContext& parts, const Caller& caller, Letter letter,
                                std::string_view fate, std::function<Result<void>()> act) {
    std::optional<Failure> fault;
    const auto done = [&] {
        const auto result = act();
        if (result) return;
        fault = result.error();
        throw std::runtime_error{"the letter was not published"};  // Nothing is remembered.
    };
    auto work = [&](postgres::Connection& ledger) {
        return ledger::seal_letter(ledger, letter.letter.digest, fate, caller.client, done);
    };
    std::string doing{"seal a dead letter"};
    const auto before = co_await parts.sealing.run(std::move(doing), work);
    if (fault && fault->code == Errc::kafka_too_large) {
        co_return refusal(422, "too_large", "The broker takes no message of that size.");
    }
    if (fault) co_return unavailable(*fault);
    if (!before) co_return unavailable(before.error());
    if (const auto& known = before.value()) {
        co_return refusal(409, "letter_sealed",
                          fmt::format("The letter was {} at {} by {}: nothing is done again.",
                                      known->fate, known->at, known->who));
    }
    spdlog::info("{}: a dead letter is {}", caller.client, fate);
    const json::object document{{"letter", letter.letter.digest}, {"fate", text(fate)}};
    co_return reply_with(200, document);
}

/// What a letter is to be instead; nothing: as it is.
std::variant<std::optional<std::string>, HttpReply> mended(const HttpCall& call) {
    using Instead = std::optional<std::string>;
    if (call.body.empty()) return Instead{};
    Fields fields{call.body, {"payload"}};
    if (const auto& fault = fields.fault()) return *fault;
    const auto* const payload = fields.find("payload");
    if (payload == nullptr) return Instead{};
    if (!payload->is_string() || payload->text.empty()) {
        return refusal(422, "wrong_type", "/payload: send the whole mended payload as a text");
    }
    return Instead{payload->text};
}

std::optional<HttpReply> refused_again(const ApiContext& parts, const kafka::DeadLetter& letter,
                                       const std::string& payload) {
    const auto judged =
        settle_record(letter.event_headers, payload, parts.systems, parts.templates);
    const auto* const rejection = std::get_if<Rejection>(&judged);
    if (rejection == nullptr) return std::nullopt;
    return refusal(422, rejection->code, "/payload: " + rejection->message);
}

asio::awaitable<HttpReply> requeue(const ApiContext& parts, const HttpCall& call,
                                   const Caller& caller) {
    if (auto denial = denied_letters(caller)) co_return std::move(*denial);
    auto read = mended(call);
    if (auto* const reply = std::get_if<HttpReply>(&read)) co_return std::move(*reply);
    const auto& instead = std::get<std::optional<std::string>>(read);
    auto found = co_await find_letter(parts, call, caller);
    if (auto* const reply = std::get_if<HttpReply>(&found)) co_return std::move(*reply);
    auto& letter = std::get<Letter>(found);
    if (!instead && letter.letter.is_cut()) {
        co_return refusal(422, "payload_cut",
                          "The letter holds only the beginning of what was published: send the "
                          "whole as payload.");
    }
    const auto& original = letter.letter;
    const std::string payload = instead.value_or(original.payload);
    // One that no worker would take is another letter at once, and this one is sealed.
    if (auto reply = instead ? refused_again(parts, original, payload) : std::nullopt) {
        co_return std::move(*reply);
    }
    std::function<Result<void>()> act = [&] {
        return kafka::publish_again(parts.settings.kafka, original, payload, publish_max);
    };
    Letter copy = letter;
    std::string_view fate = "requeued";
    co_return co_await seal(parts, caller, std::move(copy), fate, std::move(act));
}

asio::awaitable<HttpReply> drop(const ApiContext& parts, const HttpCall& call,
                                const Caller& caller) {
    auto found = co_await find_letter(parts, call, caller);
    if (auto* const reply = std::get_if<HttpReply>(&found)) co_return std::move(*reply);
    std::function<Result<void>()> act = [] { return Result<void>{}; };
    std::string_view fate = "dropped";
    co_return co_await seal(parts, caller, std::move(std::get<Letter>(found)), fate,
                            std::move(act));
}

}  // namespace

void add_dead_letter_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    routes.get("/v1/dead-letters", Scope::operate,
               [&parts](const HttpCall& call, const Caller& who) {
                   return list_letters(parts, call, who);
               });
    constexpr std::string_view one = "/v1/dead-letters/{letter}";
    routes.get(one, Scope::operate, [&parts](const HttpCall& call, const Caller& who) {
        return show_letter(parts, call, who);
    });
    routes.post(
        "/v1/dead-letters/{letter}/requeue", Scope::operate,
        [&parts](const HttpCall& call, const Caller& who) { return requeue(parts, call, who); },
        body_max);
    routes.post(
        "/v1/dead-letters/{letter}/drop", Scope::operate,
        [&parts](const HttpCall& call, const Caller& who) { return drop(parts, call, who); });
}

}  // namespace fanfare::api
