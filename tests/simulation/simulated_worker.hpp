#pragma once

#include "core/async/task_group.hpp"
#include "core/clock/virtual_time.hpp"
#include "tests/simulation/clocks.hpp"
#include "tests/simulation/ports.hpp"
#include "tests/simulation/topic_model.hpp"
#include "worker/send/sender.hpp"
#include "worker/sweep/sweeper.hpp"
#include "worker/sweep/time_watch.hpp"

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
        const SettingsFile& file;
        std::uint64_t number = 0;               // Of all workers of its world.
        std::chrono::milliseconds clock_off{};  // Of its machine's calendar.
    };
    explicit SimulatedWorker(const Parts& parts);

    [[nodiscard]] boost::asio::io_context& loop() { return loop_; }
    [[nodiscard]] std::uint64_t number() const { return parts_.number; }
    [[nodiscard]] MachineClock& machine() { return machine_; }
    [[nodiscard]] bool knows_the_time() const { return clock_.is_known(); }

    /// As Stages::drain(): nothing new is taken, what is claimed is sent and recorded.
    void drain();
    [[nodiscard]] bool is_drained() const { return is_drained_; }

private:
    using Task = boost::asio::awaitable<void>;
    [[nodiscard]] std::vector<std::unique_ptr<Account>> accounts();
    [[nodiscard]] std::unique_ptr<Account> account(const std::string& name, Channel channel);
    [[nodiscard]] AccountSettings account_settings(const std::string& name, Channel channel) const;
    [[nodiscard]] std::shared_ptr<Provider> provider(const std::string& name,
                                                     Channel channel) const;
    [[nodiscard]] const Clock& calendar() const;
    [[nodiscard]] Task begin_when_time_is_known();
    void begin_sending();
    [[nodiscard]] Task look_at_settings();
    void reload();
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
    [[nodiscard]] Task finish();

    Parts parts_;
    Dice dice_;
    WorkerSettings settings_;
    MachineClock machine_;
    ledger::LedgerClock clock_{machine_};
    BelievedClock<StoreModel> believed_;
    boost::asio::io_context loop_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE};  // One thread runs it.
    Wire wire_;
    ModelPorts ports_;
    ModelPeople people_;
    ModelSweep sweep_;
    ModelTime ledger_time_;
    WorkerProbe& probe_;
    Pauses pauses_;
    Dispatcher dispatcher_{loop_.get_executor(), machine_, settings_.republish_after};
    TopicReader reader_;
    std::optional<Timer> news_;  // Of its topics: rings earlier when something comes.
    std::optional<AccountSelector> selector_;
    std::optional<ChunkBatcher> batcher_;
    std::optional<Sender> sender_;
    std::optional<Sweeper> sweeper_;
    std::optional<TimeWatch> time_watch_;
    int revision_ = 0;  // Of the settings that its accounts have.
    std::map<std::string, int> credentials_;
    TaskGroup tasks_{loop_.get_executor()};
    TaskGroup sending_{loop_.get_executor()};
    bool is_draining_ = false, is_drained_ = false;
    std::set<std::string> planning_;
};

}  // namespace fanfare::simulation
