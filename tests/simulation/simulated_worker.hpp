#pragma once

#include "core/async/task_group.hpp"
#include "core/clock/virtual_time.hpp"
#include "tests/simulation/ports.hpp"
#include "tests/simulation/topic_model.hpp"
#include "worker/send/sender.hpp"
#include "worker/sweep/sweeper.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>

namespace fanfare::simulation {

/// One worker's send stage and sweeper on a loop of its own, as they are shipped; what reads
/// topics, takes jobs and plans them is a model, because the shipped one speaks SQL.
class SimulatedWorker {
public:
    struct Parts {
        const WorldPlan& plan;
        VirtualTime& time;
        StoreModel& store;
        Inbox& inbox;
        TopicModel& topic;
        Story& story;
        boost::asio::any_io_executor outside;
        const std::map<std::string, StoreModel::NewJob>& orders;
        const JobContextsById& jobs;
        std::uint64_t number = 0;  // Of all workers of its world.
    };
    explicit SimulatedWorker(const Parts& parts);

    [[nodiscard]] boost::asio::io_context& loop() { return loop_; }
    [[nodiscard]] std::uint64_t number() const { return parts_.number; }

private:
    using Task = boost::asio::awaitable<void>;
    [[nodiscard]] std::vector<std::unique_ptr<Account>> accounts();
    [[nodiscard]] Task read();
    [[nodiscard]] Task take(kafka::Received record, std::string job);
    [[nodiscard]] Task plan(std::string job);
    [[nodiscard]] Task write_plan(StoreModel::PlanTask task);
    struct Standing {
        std::map<std::string, std::chrono::microseconds> blocked;
        std::vector<ledger::PauseTarget> paused;
    };
    [[nodiscard]] Task watch();
    void obey(const Standing& standing);
    [[nodiscard]] Task apply_early();

    Parts parts_;
    Dice dice_;
    WorkerSettings settings_;
    boost::asio::io_context loop_{1};
    Wire wire_;
    ModelPorts ports_;
    ModelPeople people_;
    ModelSweep sweep_;
    WorkerProbe& probe_;
    Pauses pauses_;
    Dispatcher dispatcher_{loop_.get_executor()};
    TopicReader reader_;
    std::optional<AccountSelector> selector_;
    std::optional<ChunkBatcher> batcher_;
    std::optional<Sender> sender_;
    std::optional<Sweeper> sweeper_;
    TaskGroup tasks_{loop_.get_executor()};
    std::set<std::string> planning_;
};

}  // namespace fanfare::simulation
