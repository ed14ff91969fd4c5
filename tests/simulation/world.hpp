#pragma once

#include "core/clock/virtual_time.hpp"
#include "tests/simulation/ports.hpp"
#include "tests/simulation/provider_model.hpp"
#include "worker/send/sender.hpp"
#include "worker/sweep/sweeper.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fanfare::simulation {

/// What one world is made of.
struct WorldPlan {
    std::uint64_t seed = 1;
    DoubtPolicy on_doubt = DoubtPolicy::hold;
    std::size_t chunks = 6, people_per_chunk = 12, workers = 2;
    double per_second = 40;
    Odds odds{};
    StoreFault fault = StoreFault::none;
    std::size_t crashes = 0;  // Workers that end at some await, and begin anew after a while.
    std::size_t pauses = 0;   // Workers that stand still past their lease.
};

class SimulatedWorker;

/// Workers that send some jobs' chunks, from beginning to end, under one virtual time in one
/// thread: the real dispatcher, batcher, sender, pacer, breaker and sweeper, and models of the
/// ledger, the people and the provider.
///
/// A worker that crashes is never run again; what it had stays as it was until the process ends.
class World {
public:
    explicit World(const WorldPlan& plan);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    /// Runs until everybody has their outcome, but no longer than `most` of virtual time. Gives
    /// what went wrong; "" where all is as promised.
    [[nodiscard]] std::string run(std::chrono::minutes most);

    [[nodiscard]] std::chrono::seconds took() const;
    [[nodiscard]] const Inbox& inbox() const { return inbox_; }
    [[nodiscard]] const StoreModel& store() const { return store_; }

private:
    struct Misfortune {
        std::uint64_t at_step = 0;
        bool is_crash = false;
    };
    void begin_worker();
    void meet(const Misfortune& misfortune);
    void thaw_all();
    [[nodiscard]] std::string judge() const;
    [[nodiscard]] std::string judge(const StoreModel::Chunk& chunk, std::size_t person) const;

    WorldPlan plan_;
    Dice dice_;
    VirtualTime time_;
    StoreModel store_;
    Inbox inbox_;
    std::vector<std::unique_ptr<SimulatedWorker>> workers_;
    std::vector<Misfortune> misfortunes_;  // The next one last.
    std::vector<std::pair<SteadyTime, SimulatedWorker*>> frozen_;
    std::vector<SteadyTime> births_;  // Of workers that are to come.
};

}  // namespace fanfare::simulation
