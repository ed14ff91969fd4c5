#include "producer/api/replays.hpp"

#include "core/async/task_group.hpp"
#include "core/clock/timer.hpp"
#include "core/estimate/money.hpp"
#include "core/estimate/outlook.hpp"
#include "core/ledger/account_states.hpp"
#include "core/ledger/replay_words.hpp"
#include "core/ledger/retention.hpp"
#include "core/settings/text_rules.hpp"
#include "producer/api/fields.hpp"
#include "producer/api/query_string.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/to_json.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <random>
#include <variant>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::size_t replay_jobs_max = 1'000;  // That one order may name, and one answer has.
constexpr std::size_t words_max = 100;
constexpr std::int64_t ttl_max_s = 31'536'000;
constexpr std::chrono::seconds wait_max{5};  // Beyond, the answer is that it goes on.
constexpr std::chrono::milliseconds replay_look_first{20};
constexpr std::chrono::milliseconds replay_look_max{250};

/// A replay as it was asked for.
struct ReplayRequest {
    ledger::ReplayOrder order;
    bool dry_run = false;
};

/// Reads the body of an order.
class Reading {
public:
    explicit Reading(const HttpCall& call)
        : fields_{call.body,
                  {"jobs", "system", "kind", "subject", "channel", "account", "outcomes", "reasons",
                   "since", "until", "include_unknown", "ttl_s", "because", "dry_run"}} {}

    std::variant<ReplayRequest, HttpReply> read(const Caller& caller) {
        ReplayRequest asked;
        asked.dry_run = flag("dry_run");
        auto& order = asked.order;
        order.because = asked.dry_run ? fields_.text_or("because", because_bytes_max, "")
                                      : fields_.text("because", because_bytes_max);
        const auto ttl = fields_.whole_or("ttl_s", 1, ttl_max_s, 0);
        if (ttl > 0) order.ttl = std::chrono::seconds{ttl};
        const auto words = read_words();
        if (fault_) return std::move(*fault_);  // A flag that is none makes others seem missing.
        if (fields_.fault()) return *fields_.fault();
        auto filter = ledger::read_words(words);
        if (const auto* const fault = std::get_if<ledger::WordFault>(&filter)) {
            return to_refusal(*fault);
        }
        order.filter = std::move(std::get<ledger::ReplayFilter>(filter));
        order.filter.systems = caller.systems;
        order.filter.sources = caller.sources;
        order.who = caller.owner == caller.client
                        ? caller.client
                        : fmt::format("{} for {}", caller.client, caller.owner);
        order.unattended = true;
        return asked;
    }

private:
    ledger::ReplayWords read_words() {
        ledger::ReplayWords words;
        words.jobs = texts("jobs", replay_jobs_max);
        words.system = fields_.text_if_there("system", 40);
        words.kind = fields_.text_if_there("kind", 100);
        words.subject = fields_.text_if_there("subject", Job::id_bytes_max);
        words.channel = fields_.text_if_there("channel", 10);
        words.account = fields_.text_if_there("account", 100);
        words.outcomes = texts("outcomes", words_max);
        words.reasons = texts("reasons", words_max);
        words.since = fields_.moment("since", false);
        words.until = fields_.moment("until", false);
        words.include_unknown = flag("include_unknown");
        return words;
    }

    static HttpReply to_refusal(const ledger::WordFault& fault) {
        const auto sentence = fmt::format("{}; send {}", fault.problem, fault.expected);
        if (fault.field.empty()) return refusal(422, "missing_field", sentence);
        return refusal(422,
                       fault.field == "include_unknown" ? "may_be_told_twice" : "invalid_value",
                       fmt::format("/{}: {}", fault.field, sentence));
    }

    void refuse(std::string_view name, std::string_view sentence) {
        if (!fault_) fault_ = refusal(422, "wrong_type", fmt::format("/{}: {}", name, sentence));
    }

    bool flag(std::string_view name) {
        const auto* const value = fields_.find(name);
        if (value == nullptr) return false;
        if (value->shape != JsonValue::Shape::boolean) refuse(name, "is neither true nor false");
        return value->text == "true";
    }

    std::vector<std::string> texts(std::string_view name, std::size_t count_max) {
        std::vector<std::string> found;
        const auto* const value = fields_.find(name);
        if (value == nullptr) return found;
        const bool sound = value->is_array() && !value->items.empty() &&
                           value->items.size() <= count_max &&
                           std::all_of(value->items.begin(), value->items.end(),
                                       [](const auto& item) { return item.is_string(); });
        if (!sound) {
            refuse(name, fmt::format("is no list of 1 to {} texts", count_max));
            return found;
        }
        for (const auto& item : value->items) found.push_back(item.text);
        return found;
    }

    Fields fields_;
    std::optional<HttpReply> fault_;
};

json::object left_out_to_json(const ledger::ReplaySum& sum) {
    return {{"expired", sum.expired},
            {"told_by_fallback", sum.elsewhere},
            {"told_since", sum.told_since},
            {"called_off", sum.called_off},
            {"held", sum.held}};
}

json::object outlook_to_json(const Terms& terms, const Outlook& outlook) {
    json::object by_channel;
    Micros total = 0;
    for (const auto channel : channels) {
        const auto index = static_cast<std::size_t>(channel);
        const auto& one = outlook.channels[index];
        if (one.people == 0 && one.found.messages == 0) continue;
        auto object = to_json(one.found, channel, 1, terms);
        object["people"] = one.people;
        object["looked_at"] = one.looked_at;
        by_channel[text(to_string(channel))] = std::move(object);
        total +=
            total_cost(count_units(one.found, channel), 1, to_micros(terms.settings.costs[index]));
    }
    return {{"exact", outlook.is_exact()},
            {"not_asked", json::array(outlook.not_asked.begin(), outlook.not_asked.end())},
            {"currency", "USD"},
            {"channels", std::move(by_channel)},
            {"cost", dollars(total)}};
}

/// What a dry run tells.
struct Told {
    ledger::ReplaySummary summary;
    Outlook outlook;
    Terms terms;
};

json::object to_document(const Told& told) {
    json::array chosen;
    std::int64_t unknown = 0;
    for (const auto& line : told.summary.lines) {
        if (line.outcome == Outcome::unknown) unknown += line.sum.people;
        chosen.push_back(json::object{{"channel", text(to_string(line.channel))},
                                      {"outcome", text(to_string(line.outcome))},
                                      {"reason", text(to_string(line.reason))},
                                      {"jobs", line.sum.jobs},
                                      {"people", line.sum.people},
                                      {"left_out", left_out_to_json(line.sum)}});
    }
    return {{"dry_run", true},
            {"jobs", told.summary.all.jobs},
            {"people", told.summary.all.people},
            {"left_out", left_out_to_json(told.summary.all)},
            {"may_be_told_twice", unknown},
            {"chosen", std::move(chosen)},
            {"if_served_now", outlook_to_json(told.terms, told.outlook)}};
}

asio::awaitable<HttpReply> tell(const ApiContext& parts, const Caller& caller,
                                const ReplayRequest& asked) {
    const auto& order = asked.order;
    auto work = [&](postgres::Connection& ledger) {
        const auto counts = ledger::count_replay(ledger, order.filter);
        const OutlookParts of_outlook{parts.settings, parts.systems, parts.templates, parts.clock};
        const bool lives_anew = order.ttl.has_value();
        return Told{ledger::sum_up(counts, lives_anew),
                    look_ahead(of_outlook, ledger, order.filter, lives_anew, counts),
                    {parts.settings, ledger::rates_by_hand(ledger)}};
    };
    std::string client = caller.client;
    const auto turn = co_await parts.turns.take(std::move(client));
    if (!turn) co_return busy();
    std::string doing{"count who is chosen"};
    const auto told = co_await parts.surveying.run(std::move(doing), work);
    if (!told) co_return unavailable(told.error());
    const auto document = to_document(told.value());
    co_return reply_with(200, document);
}

json::object row_to_json(const ledger::ReplayLine& line) {
    json::value ttl;
    if (line.ttl_s) ttl = *line.ttl_s;
    return {{"id", line.id},
            {"at", line.at},
            {"finished_at", text_or_null(line.finished_at)},
            {"who", line.who},
            {"because", line.because},
            {"filter", parsed(line.filter)},
            {"ttl_s", std::move(ttl)},
            {"jobs", line.jobs},
            {"people", line.people},
            {"held", line.held}};
}

/// One replay and its jobs.
struct Shown {
    ledger::ReplayLine line;
    std::vector<ledger::ReplayPair> jobs;
};

std::optional<Shown> find_replay(postgres::Connection& ledger, std::int64_t id,
                                 const Caller& caller) {
    const ledger::ReplayPage page{.systems = caller.access.systems,
                                  .sources = caller.access.sources,
                                  .before = 0,
                                  .only = id};
    auto lines = ledger::list_replays(ledger, page, 1);
    if (lines.empty()) return std::nullopt;
    return Shown{std::move(lines[0]),
                 ledger::jobs_of_replay(ledger, id, static_cast<int>(replay_jobs_max))};
}

json::object to_document(const Shown& shown) {
    auto document = row_to_json(shown.line);
    json::array jobs;
    for (const auto& each : shown.jobs) {
        jobs.push_back(json::object{
            {"job", each.job}, {"replay_of", each.replay_of}, {"people", each.people}});
    }
    document["new_jobs"] = std::move(jobs);
    return document;
}

/// Looks until it is carried out, or the time is over.
asio::awaitable<HttpReply> wait_for(const ApiContext& parts, const Caller& caller,
                                    std::int64_t id) {
    const auto end = parts.clock.steady_now() + wait_max;
    auto wait = replay_look_first;
    while (true) {
        auto look = [&](postgres::Connection& ledger) { return find_replay(ledger, id, caller); };
        std::string looking{"look up a replay"};
        auto looked = co_await parts.reading.run(std::move(looking), look);
        if (!looked) co_return unavailable(looked.error());
        if (!looked.value()) co_return nothing_here("replay");
        const bool is_over = !looked.value()->line.finished_at.empty();
        if (is_over || parts.clock.steady_now() >= end) {
            const auto document = to_document(*looked.value());
            auto reply = reply_with(is_over ? 200 : 202, document);
            reply.headers.emplace_back("Location", fmt::format("/v1/replays/{}", id));
            co_return reply;
        }
        co_await pause_for(wait);
        wait = std::min(wait * 2, replay_look_max);
    }
}

std::string compose_key(const std::string& given, const Caller& caller) {
    if (!given.empty()) return key_of_source("api", caller.owner, given);
    std::random_device device;  // Whoever is served once more is no longer chosen: no harm in it.
    return fmt::format("api//{:08x}{:08x}{:08x}", device(), device(), device());
}

asio::awaitable<HttpReply> order_replay(const ApiContext& parts, const HttpCall& call,
                                        const Caller& caller) {
    const auto key = read_idempotency_key(call);
    if (const auto* const reply = std::get_if<HttpReply>(&key)) co_return *reply;
    auto read = Reading{call}.read(caller);
    if (auto* const reply = std::get_if<HttpReply>(&read)) co_return std::move(*reply);
    auto& asked = std::get<ReplayRequest>(read);
    auto& order = asked.order;
    if (!order.filter.system.empty()) {
        if (auto denial = denied(caller, order.filter.system)) co_return std::move(*denial);
    }
    std::string finding{"look up jobs to replay"};
    auto look = [&](postgres::Connection& ledger) {
        return ledger::missing_jobs(ledger, order.filter);
    };
    const auto missing = co_await parts.reading.run(std::move(finding), look);
    if (!missing) co_return unavailable(missing.error());
    if (!missing.value().empty()) co_return nothing_here("job as " + missing.value().front());
    std::string finding_dropped{"look for jobs that are no longer kept"};
    auto look_for_dropped = [&](postgres::Connection& ledger) {
        return ledger::dropped_jobs(ledger, order.filter.jobs);
    };
    const auto dropped = co_await parts.reading.run(std::move(finding_dropped), look_for_dropped);
    if (!dropped) co_return unavailable(dropped.error());
    if (!dropped.value().empty()) co_return no_longer_kept(dropped.value().front());
    if (asked.dry_run) co_return co_await tell(parts, caller, asked);
    order.key = compose_key(std::get<std::string>(key), caller);
    std::string noting{"note a replay"};
    auto begin = [&](postgres::Connection& ledger) { return ledger::begin_replay(ledger, order); };
    const auto known = co_await parts.ledger.run(std::move(noting), begin);
    if (!known) co_return unavailable(known.error());
    if (!known.value().same) {
        co_return refusal(409, "key_reused",
                          "This idempotency key was used for something else; take a new one.");
    }
    parts.hurry();
    co_return co_await wait_for(parts, caller, known.value().id);
}

asio::awaitable<HttpReply> list_replays(const ApiContext& parts, const HttpCall& call,
                                        const Caller& caller) {
    constexpr std::array<std::string_view, 2> known{"cursor", "limit"};
    const auto read = QueryString::read(call, known);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& query = std::get<QueryString>(read);
    const auto limit = query.limit();
    if (!limit) co_return bad_query("limit", "a whole number from 1 to 1000");
    ledger::ReplayPage page{
        .systems = caller.access.systems, .sources = caller.access.sources, .before = 0, .only = 0};
    if (!query["cursor"].empty()) {
        const auto place = read_cursor(query["cursor"]);
        const auto before = place ? parse_whole(place->first) : std::nullopt;
        if (!before || *before < 1) co_return bad_query("cursor", "next_cursor of the page before");
        page.before = *before;
    }
    auto work = [&](postgres::Connection& ledger) {
        return ledger::list_replays(ledger, page, *limit + 1);
    };
    std::string doing{"list replays"};
    auto found = co_await parts.reading.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    auto& lines = found.value();
    const bool more = lines.size() > static_cast<std::size_t>(*limit);
    if (more) lines.pop_back();
    json::array replays;
    for (const auto& line : lines) replays.push_back(row_to_json(line));
    json::value next;
    if (more) next = make_cursor(std::to_string(lines.back().id), "");
    const json::object document{{"replays", std::move(replays)}, {"next_cursor", std::move(next)}};
    co_return reply_with(200, document);
}

asio::awaitable<HttpReply> show_replay(const ApiContext& parts, const HttpCall& call,
                                       const Caller& caller) {
    const auto id = parse_whole(call.param("id"));
    if (!id || *id < 1) co_return nothing_here("replay");
    auto work = [&](postgres::Connection& ledger) { return find_replay(ledger, *id, caller); };
    std::string doing{"look up a replay"};
    const auto found = co_await parts.reading.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    if (!found.value()) co_return nothing_here("replay");
    const auto document = to_document(*found.value());
    co_return reply_with(200, document);
}

}  // namespace

void add_replay_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    const auto bound = [&parts](auto serve) {
        return [&parts, serve](const HttpCall& call, const Caller& caller) {
            return serve(parts, call, caller);
        };
    };
    routes.post("/v1/replays", Scope::replay, bound(order_replay));
    routes.get("/v1/replays", Scope::read, bound(list_replays));
    routes.get("/v1/replays/{id}", Scope::read, bound(show_replay));
}

}  // namespace fanfare::api
