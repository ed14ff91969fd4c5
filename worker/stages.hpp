#pragma once

#include "core/async/shutdown.hpp"
#include "core/kafka/consumer.hpp"
#include "core/kafka/topic_keeper.hpp"
#include "core/ledger/clock.hpp"
#include "core/observe/health.hpp"
#include "core/observe/seldom.hpp"
#include "core/tracing/tracer.hpp"
#include "worker/broker_ports.hpp"
#include "worker/intake/intake.hpp"
#include "worker/ledger_ports.hpp"
#include "worker/plan/planning.hpp"
#include "worker/receipts/receipt_writer.hpp"
#include "worker/reload/secret_watch.hpp"
#include "worker/send/account_watch.hpp"
#include "worker/send/job_context.hpp"
#include "worker/send/sender.hpp"
#include "worker/sweep/closer.hpp"
#include "worker/sweep/opt_outs.hpp"
#include "worker/sweep/sweeper.hpp"
#include "worker/sweep/time_watch.hpp"
#include "worker/sweep/write_backs.hpp"
#include "worker/worker.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace fanfare {

/// What a worker is made of, and how its parts know each other: in the order of a notification's
/// way, and of their lives. What comes later goes first.
///
/// Threads   one event loop; what Worker says of others.
struct Stages {
    Stages(Worker::Configuration configuration, Shutdown& shutdown);
    ~Stages();
    Stages(const Stages&) = delete;
    Stages& operator=(const Stages&) = delete;

    /// Opens everything but the consumer; fails with what to change.
    [[nodiscard]] Result<void> open();
    /// From here on records come.
    [[nodiscard]] Result<void> open_consumer();
    /// Stops all stages and waits for what they hold; then for `sending` and `upkeep`.
    [[nodiscard]] boost::asio::awaitable<void> drain(TaskGroup& sending, TaskGroup& upkeep,
                                                     boost::asio::signal_set& signals);
    void settle_warnings(bool at_once);

    Shutdown& shutdown;
    Settings settings;
    Systems systems;
    Templates templates;
    const std::string name = random_word();
    std::mt19937_64 random{std::random_device{}()};
    boost::asio::io_context loop{1};
    std::unique_ptr<Tracer> tracer;  // Null: nobody wants spans. Outlives whoever ends them.
    WorkerProbe probe{std::make_shared<prometheus::Registry>()};
    std::optional<kafka::EmbeddedBroker> broker;
    std::unique_ptr<kafka::TopicKeeper> keeper;
    postgres::Pool ledger;
    ledger::LedgerClock clock{system_clock()};
    References references;
    JobContexts job_contexts;
    LedgerPorts ports{{ledger, job_contexts, clock, system_clock()}};
    std::optional<AccountSelector> selector;
    std::optional<SecretWatch> watch;
    Pauses pauses;
    Dispatcher dispatcher;
    std::optional<AccountWatch> accounts;
    ChunkBatcher batcher;
    Closer closer{loop.get_executor(), ports.job_ends, probe};
    Seldom dropped{"records of the lanes dropped: not descriptors", system_clock()};
    std::unique_ptr<kafka::Producer> producer;
    std::unique_ptr<kafka::Consumer> consumer;
    std::atomic<bool> stopping{false};
    std::atomic<bool> polled{false};
    std::atomic<SteadyTime> loop_turned{system_clock().steady_now()};
    std::optional<BrokerPorts> broker_ports;
    std::optional<Planning> planning;
    std::optional<Intake> intake;
    std::optional<Sender> sender;
    std::optional<ReceiptWriter> receipts;
    std::optional<Sweeper> sweeper;
    WriteBacks write_backs{ports.write_backs, ports.done_listeners, settings.worker};
    OptOuts opt_outs{ports.opt_outs, ports.address_books, settings.worker,
                     [this](int turn) { return sweeper->is_worth_it(turn); }};
    TimeWatch time{{ports.time, clock, probe, [this](bool held) { dispatcher.set_held(held); },
                    settings.worker.lease, settings.worker.republish_after}};
    std::unique_ptr<HealthServer> health;

private:
    [[nodiscard]] Result<void> open_selector();
    void wire();
    [[nodiscard]] Result<void> open_health();
    void route(kafka::Received record);
    [[nodiscard]] std::vector<Side> sides();
    [[nodiscard]] boost::asio::awaitable<void> finish_publishing();
    void leave_the_rest();
};

}  // namespace fanfare
