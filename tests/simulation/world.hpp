#pragma once

#include "core/clock/virtual_time.hpp"
#include "tests/simulation/simulated_worker.hpp"
#include "tests/simulation/verdict.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::simulation {

/// Workers that plan and send some jobs, from beginning to end, under one virtual time in one
/// thread: the real dispatcher, batcher, sender, pacer, breaker and sweeper, and models of the
/// ledger, the topics, the people and the providers.
///
/// A worker that crashes is never run again; what it had stays as it was until the process ends.
class World {
public:
    explicit World(const WorldPlan& plan, bool wants_story = false);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    /// Runs until everybody has their outcome, but no longer than `most` of virtual time.
    [[nodiscard]] Verdict run(std::chrono::minutes most);

    [[nodiscard]] std::chrono::seconds took() const;
    [[nodiscard]] const Inbox& inbox() const { return inbox_; }
    [[nodiscard]] const StoreModel& store() const { return store_; }
    [[nodiscard]] const std::string& story() const { return story_.text(); }

private:
    void begin_worker();
    void believe_wrong_clock();
    void publish_jobs();
    void admit(StoreModel::NewJob order);
    void make_context(const std::string& id, const std::string& origin);
    void tick();
    void carry_out(const Move& move);
    void move_worker(const Move& move);
    [[nodiscard]] bool is_frozen(const SimulatedWorker& worker) const;
    [[nodiscard]] bool is_dead(const SimulatedWorker& worker) const;
    void bury(SimulatedWorker& worker, std::chrono::milliseconds back_after);
    void crash(SimulatedWorker& worker, std::chrono::milliseconds back_after);
    void end(SimulatedWorker& worker, std::chrono::milliseconds back_after);
    void drain(SimulatedWorker& worker, std::chrono::milliseconds back_after);
    void end_drained();
    void replay(const Move& move);
    void wipe(const Move& move);
    void begin_storm(const Move& move);
    void step_clock(const Move& move);
    void change_settings(const Move& move);
    [[nodiscard]] const std::string* job_of(const Move& move) const;
    [[nodiscard]] bool is_settled() const;
    void run_second();

    WorldPlan plan_;
    VirtualTime time_;
    Story story_;
    StoreModel store_;
    Inbox inbox_;
    TopicModel topic_;
    SettingsFile file_;
    Kind kind_;
    boost::asio::io_context outside_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};
    std::map<std::string, StoreModel::NewJob> orders_;
    JobContextsById jobs_;
    std::vector<std::unique_ptr<SimulatedWorker>> workers_;
    std::vector<Move> moves_;  // The next one last.
    std::uint64_t steps_left_ = 0;
    bool counting_ = false;
    std::vector<std::pair<SteadyTime, SimulatedWorker*>> frozen_;
    struct Drain {
        SteadyTime until;  // As worker.drain_max_ms.
        std::chrono::milliseconds back_after;
        SimulatedWorker* worker = nullptr;
    };
    std::vector<Drain> drains_;
    std::vector<SteadyTime> births_;                             // Of workers that are to come.
    std::vector<std::pair<SteadyTime, std::uint64_t>> missing_;  // Until the group notices.
    std::vector<std::pair<SteadyTime, std::string>> releases_;   // Of jobs held back.
    std::vector<SimulatedWorker*> dead_;
    std::optional<SteadyTime> clock_right_at_;  // The ledger's.
    std::chrono::milliseconds clock_set_{0};    // Ahead for good ...
    std::optional<SteadyTime> clock_set_at_;    // ... from then on.
    struct Revocation {
        std::string account;
        int below = 0;
    };
    std::vector<std::pair<SteadyTime, Revocation>> revocations_;
    std::uint64_t begun_ = 0, replays_ = 0;
};

}  // namespace fanfare::simulation
