#include "producer/api/pauses.hpp"

#include "core/domain/uuid.hpp"
#include "core/ledger/pauses.hpp"
#include "core/settings/text_rules.hpp"
#include "core/wire/timestamp.hpp"
#include "producer/api/accounts.hpp"
#include "producer/api/fields.hpp"
#include "producer/api/query_string.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/text_validation.hpp"

#include <spdlog/spdlog.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
constexpr std::size_t name_bytes_max = 200;
constexpr std::int64_t for_s_max = 31'536'000;

/// Speaks for no owner of its own.
bool is_unbound(const Caller& caller) {
    return !caller.owner_bound && caller.owner == caller.client;
}

/// Whether more is this caller's to hold back than jobs that it sees. `system`: of a kind; "" for
/// what serves all systems.
bool is_operator(const Caller& caller, std::string_view system) {
    return is_unbound(caller) && (system.empty() ? caller.systems.empty() : caller.may(system));
}

std::string_view find_system(const ledger::PauseTarget& target) {
    if (target.what != ledger::Paused::kind) return {};
    return std::string_view{target.name}.substr(0, target.name.find('/'));
}

json::object row_to_json(const ledger::PauseLine& line) {
    return {{text(to_string(line.target.what)), line.target.name},
            {"since", line.since},
            {"until", text_or_null(line.until)},
            {"who", line.who},
            {"because", line.because}};
}

bool is_kind(const Systems& systems, const std::string& name) {
    const auto slash = name.find('/');
    if (slash == std::string::npos) return false;
    const auto system = systems.find(name.substr(0, slash));
    return system != systems.end() && system->second.find_kind(name.substr(slash + 1)) != nullptr;
}

HttpReply not_yours() {
    return refusal(403, "owner_denied", "This client pauses jobs of its own only.");
}

HttpReply paused_by_others() {
    return refusal(403, "owner_denied", "It is paused by others already; they end or change that.");
}

/// Brings a job's id into the form that all else names it by; false where it is none.
bool settle_name(ledger::PauseTarget& target) {
    if (target.what != ledger::Paused::job) return true;
    auto id = parse_uuid(target.name);
    if (id) target.name = std::move(*id);
    return id.has_value();
}

/// What a target names, where there is such a thing and it is this caller's to name. Jobs are
/// looked up later.
std::optional<HttpReply> check_target(const ApiContext& parts, const Caller& caller,
                                      ledger::PauseOrder& order) {
    if (order.target.what == ledger::Paused::job) {
        return settle_name(order.target) ? std::nullopt : std::optional{nothing_here("job")};
    }
    const auto& name = order.target.name;
    if (!is_operator(caller, find_system(order.target))) return not_yours();
    switch (order.target.what) {
        case ledger::Paused::kind:
            if (!is_kind(parts.systems, name)) return nothing_here("kind");
            break;
        case ledger::Paused::channel:
            if (!parse_channel(name)) return nothing_here("channel");
            break;
        case ledger::Paused::account: {
            const auto* const account = find_account(parts.settings, name);
            if (account == nullptr) return nothing_here("account");
            order.channel = account->channel;
            break;
        }
        case ledger::Paused::job:
            break;
    }
    return std::nullopt;
}

/// What of a job there is to hold back.
enum class Left : std::uint8_t { something, nothing, unseen };

Left find_left(postgres::Connection& connection, const Caller& caller,
               const ledger::PauseTarget& target) {
    if (target.what != ledger::Paused::job) return Left::something;
    const auto job = ledger::find_job(connection, target.name, caller.access);
    if (!job) return Left::unseen;
    return job->finished_at.empty() ? Left::something : Left::nothing;
}

std::variant<ledger::PauseOrder, HttpReply> read_pause(const ApiContext& parts,
                                                       const HttpCall& call, const Caller& caller) {
    Fields fields{call.body, {"job", "kind", "channel", "account", "because", "until", "for_s"}};
    ledger::PauseOrder order;
    order.who = caller.client;
    order.over_others = is_unbound(caller);
    order.because = fields.text("because", because_bytes_max);
    const auto until = fields.moment("until", false);
    const auto for_s = fields.whole_or("for_s", 1, for_s_max, 0);
    int named = 0;
    for (const auto word : ledger::paused_words) {
        auto name = fields.text_if_there(word, name_bytes_max);
        if (name.empty()) continue;
        order.target = {*ledger::parse_paused(word), std::move(name)};
        ++named;
    }
    if (const auto& fault = fields.fault()) return *fault;
    if (named != 1) {
        return refusal(422, "unknown_target", "send exactly one of job, kind, channel, account");
    }
    if (!until.empty() && for_s > 0) {
        return refusal(422, "invalid_end", "send until or for_s, not both");
    }
    order.until = parse_timestamp(until);
    if (for_s > 0) order.until = parts.clock.now() + std::chrono::seconds{for_s};
    if (order.until && *order.until <= parts.clock.now()) {
        return refusal(422, "invalid_end", "/until: has passed already");
    }
    if (auto fault = check_target(parts, caller, order)) return std::move(*fault);
    return order;
}

asio::awaitable<HttpReply> pause(const ApiContext& parts, const HttpCall& call,
                                 const Caller& caller) {
    auto read = read_pause(parts, call, caller);
    if (auto* const reply = std::get_if<HttpReply>(&read)) co_return std::move(*reply);
    const auto& order = std::get<ledger::PauseOrder>(read);
    auto left = Left::unseen;
    auto work = [&](postgres::Connection& ledger) -> std::optional<ledger::PauseLine> {
        left = find_left(ledger, caller, order.target);
        if (left != Left::something) return std::nullopt;
        return ledger::pause(ledger, order);
    };
    std::string doing{"pause"};
    const auto found = co_await parts.ledger.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    if (left == Left::unseen) co_return nothing_here("job");
    if (left == Left::nothing) {
        co_return refusal(409, "job_over", "The job has ended: there is nothing to hold back.");
    }
    if (!found.value()) co_return paused_by_others();
    spdlog::info("{} pauses a {}", caller.client, to_string(order.target.what));
    const auto document = row_to_json(*found.value());
    co_return reply_with(201, document);
}

asio::awaitable<HttpReply> resume(const ApiContext& parts, const HttpCall& call,
                                  const Caller& caller) {
    const auto read = QueryString::read(call, ledger::paused_words);
    if (const auto* const reply = std::get_if<HttpReply>(&read)) co_return *reply;
    const auto& query = std::get<QueryString>(read);
    ledger::PauseOrder order;
    int named = 0;
    for (const auto word : ledger::paused_words) {
        if (query[word].empty()) continue;
        order.target = {*ledger::parse_paused(word), std::string{query[word]}};
        ++named;
    }
    if (named != 1) co_return bad_query("job", "exactly one of job, kind, channel, account");
    const bool is_job = order.target.what == ledger::Paused::job;
    if (!settle_name(order.target)) co_return nothing_here("pause");
    if (!is_job && !is_operator(caller, find_system(order.target))) co_return not_yours();
    auto work = [&](postgres::Connection& ledger) -> std::optional<ledger::PauseLine> {
        if (find_left(ledger, caller, order.target) == Left::unseen) return std::nullopt;
        return ledger::resume(ledger, order.target, is_unbound(caller) ? "" : caller.client);
    };
    std::string doing{"resume"};
    const auto found = co_await parts.ledger.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    if (!found.value()) co_return nothing_here("pause");
    spdlog::info("{} resumes a {}", caller.client, to_string(order.target.what));
    const auto document = row_to_json(*found.value());
    co_return reply_with(200, document);
}

asio::awaitable<HttpReply> list_pauses(const ApiContext& parts, const Caller& caller) {
    auto work = [&](postgres::Connection& ledger) {
        auto lines = ledger::list_pauses(ledger);
        std::vector<std::string> jobs;
        for (const auto& line : lines) {
            if (line.target.what == ledger::Paused::job) jobs.push_back(line.target.name);
        }
        const auto seen = ledger::jobs_in_sight(ledger, jobs, caller.access);
        std::erase_if(lines, [&](const auto& line) {
            if (line.target.what == ledger::Paused::job) return !seen.contains(line.target.name);
            return !is_operator(caller, find_system(line.target));
        });
        return lines;
    };
    std::string doing{"list pauses"};
    const auto found = co_await parts.reading.run(std::move(doing), work);
    if (!found) co_return unavailable(found.error());
    json::array lines;
    for (const auto& line : found.value()) lines.push_back(row_to_json(line));
    const json::object document{{"pauses", std::move(lines)}};
    co_return reply_with(200, document);
}

}  // namespace

void add_pause_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    routes.post("/v1/pauses", Scope::operate, [&parts](const HttpCall& call, const Caller& caller) {
        return pause(parts, call, caller);
    });
    routes.post(
        "/v1/pauses", Scope::operate,
        [&parts](const HttpCall& call, const Caller& caller) {
            return resume(parts, call, caller);
        },
        Job::bytes_max, "DELETE");
    routes.get("/v1/pauses", Scope::read, [&parts](const HttpCall&, const Caller& caller) {
        return list_pauses(parts, caller);
    });
}

}  // namespace fanfare::api
