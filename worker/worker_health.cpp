// What operators see of a worker by HTTP: alive, ready, and its figures.
#include "core/postgres/pulse.hpp"
#include "core/program/version.hpp"
#include "worker/probes/exposition.hpp"
#include "worker/stages.hpp"
#include "worker/topics.hpp"

#include <chrono>
#include <utility>

namespace fanfare {
namespace {

constexpr std::chrono::seconds stuck_after{30};

}  // namespace

Result<void> Stages::open_health() {
    const auto lags = [this] { return polled ? consumer->lags() : kafka::Lags{}; };
    auto pools = job_contexts.pools();
    pools.push_back({"ledger", "", &ledger});
    auto families = worker_exposition(probe.registry(), lags, read_topics(settings.kafka),
                                      std::move(pools), tracer.get());
    auto opened = HealthServer::start(
        settings.observe, system_clock(), std::move(families),
        {.alive =
             [this] {
                 return !polled.load() || all_turn({loop_turned.load(), consumer->last_poll()},
                                                   system_clock().steady_now(), stuck_after);
             },
         .ready =
             [this] {
                 if (stopping) return Readiness{false, "draining"};
                 if (!polled) return Readiness{false, "starting"};
                 if (!clock.is_steady()) return Readiness{false, ledger::clock_jumped};
                 if (auto why = keeper->trouble(); !why.empty()) {
                     return Readiness{false, std::move(why)};
                 }
                 if (consumer->was_member_within(SideWatch::grace)) return Readiness{true, ""};
                 return Readiness{false, "not a member of Kafka's group yet"};
             },
         .sides = sides(),
         .program = "worker",
         .version = version()});
    if (!opened) return opened.error();
    health = std::move(opened.value());
    return {};
}

std::vector<Side> Stages::sides() {
    auto pulse = std::make_shared<postgres::Pulse>(settings.database.url);
    return {{"PostgreSQL", [this, pulse] { return stopping || pulse->beats(); }},
            {"Kafka", [this] { return stopping || producer->reaches_broker(); }}};
}

}  // namespace fanfare
