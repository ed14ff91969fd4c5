#include "producer/api/cron.hpp"

#include "core/async/task_group.hpp"
#include "core/audience/source.hpp"
#include "core/clock/timer.hpp"
#include "core/ledger/api_notifications.hpp"
#include "producer/api/fields.hpp"
#include "producer/api/reply.hpp"
#include "producer/schedule/refresh.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace fanfare::api {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::chrono::milliseconds published_max{5'000};
constexpr std::chrono::milliseconds look_every{50};
constexpr postgres::Limits ledger_limits{.statement_timeout = std::chrono::seconds{30}};

struct Round {
    std::string begun;
    Result<Refreshed> refreshed;
};

asio::awaitable<HttpReply> run_now(const ApiContext& parts, const HttpCall& call,
                                   const Caller& caller) {
    if (auto fault = fault_of_empty(call)) co_return std::move(*fault);
    const std::string name{call.param("system")};
    if (auto denial = denied(caller, name)) co_return std::move(*denial);
    const auto found = parts.systems.find(name);
    if (found == parts.systems.end()) co_return nothing_here("system");
    const auto& system = found->second;
    auto work = [&](postgres::Connection& ledger) {
        auto begun = ledger::ledger_now(ledger);
        return Round{std::move(begun), refresh_now(parts, system, "")};
    };
    std::string client = caller.client;
    auto turn = co_await parts.refreshes.take(std::move(client));
    if (!turn) co_return busy();
    std::string doing{"run due queries"};
    const auto round = co_await parts.refreshing.run(std::move(doing), work);
    turn.reset();
    if (!round) co_return unavailable(round.error());
    if (!round.value().refreshed) co_return unavailable(round.value().refreshed.error());
    const auto& begun = round.value().begun;
    const auto end = parts.clock.steady_now() + published_max;
    auto look = [&](postgres::Connection& ledger) {
        return ledger::published_since(ledger, name, begun, caller.access);
    };
    ledger::PublishedSince since;
    while (true) {
        parts.hurry();
        std::string looking{"look up what was published"};
        auto looked = co_await parts.reading.run(std::move(looking), look);
        if (!looked) co_return unavailable(looked.error());
        since = std::move(looked.value());
        if (since.waiting == 0 || parts.clock.steady_now() >= end) break;
        co_await pause_for(look_every);
    }
    json::array published;
    for (const auto& detail : since.published) {
        published.push_back(json::object{{"kind", detail.key.kind},
                                         {"subject", ledger::plain_subject(detail.key.subject)},
                                         {"occurrence", detail.key.occurrence},
                                         {"job", detail.id}});
    }
    ledger::RefreshCounts seen;
    for (const auto& [source, counts] : round.value().refreshed.value().tally.by_source) {
        if (caller.sees(source)) seen += counts;
    }
    const json::object document{{"found", seen.found},
                                {"changed", seen.changed},
                                {"cancelled", seen.cancelled},
                                {"waiting", since.waiting},
                                {"published", std::move(published)}};
    co_return reply_with(200, document);
}

}  // namespace

Result<Refreshed> refresh_now(const ApiContext& parts, const System& system,
                              std::string_view kind) {
    postgres::Pool ledger{parts.settings.database.url, ledger_limits, 1};
    const auto& url = database_for(parts.settings, system);
    postgres::Pool source{url, Refresher::due_limits(system), 1};
    Refresher refresher{{ledger, source, parts.clock, parts.settings.producer.horizon}, system};
    Refreshed refreshed;
    for (const auto& schedule : system.schedules) {
        if (!kind.empty() && schedule.kind != kind) continue;
        const auto done = refresher.refresh(schedule);
        if (!done) return done.error();
        if (!done.value()) {
            refreshed.busy = true;
            continue;
        }
        refreshed.tally += done.value()->tally;
    }
    return refreshed;
}

void add_cron_routes(AuthorizedRoutes& routes, const ApiContext& parts) {
    routes.post("/v1/cron/{system}", Scope::schedule,
                [&parts](const HttpCall& call, const Caller& caller) {
                    return run_now(parts, call, caller);
                });
}

}  // namespace fanfare::api
