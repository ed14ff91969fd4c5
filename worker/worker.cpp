#include "worker/worker.hpp"

#include "core/clock/timer.hpp"
#include "core/kafka/consumer.hpp"
#include "core/kafka/topic_keeper.hpp"
#include "core/ledger/clock.hpp"
#include "core/ledger/first_look.hpp"
#include "core/observe/health.hpp"
#include "core/observe/seldom.hpp"
#include "core/postgres/pulse.hpp"
#include "core/program/exit_codes.hpp"
#include "core/program/version.hpp"
#include "core/tracing/tracer.hpp"
#include "core/wire/descriptor.hpp"
#include "worker/broker_ports.hpp"
#include "worker/chance.hpp"
#include "worker/intake/intake.hpp"
#include "worker/ledger_ports.hpp"
#include "worker/plan/chunk_sizes.hpp"
#include "worker/plan/planning.hpp"
#include "worker/probes/exposition.hpp"
#include "worker/receipts/receipt_writer.hpp"
#include "worker/reload/secret_watch.hpp"
#include "worker/send/account_watch.hpp"
#include "worker/send/accounts.hpp"
#include "worker/send/sender.hpp"
#include "worker/sweep/closer.hpp"
#include "worker/sweep/opt_outs.hpp"
#include "worker/sweep/sweeper.hpp"
#include "worker/sweep/time_watch.hpp"
#include "worker/sweep/write_backs.hpp"
#include "worker/topics.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <optional>
#include <random>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::size_t source_connections = 4;
constexpr std::size_t urgent_lanes = 2;
constexpr std::chrono::seconds stuck_after{30};
constexpr std::chrono::milliseconds publish_max{1'000};  // Of a drain.
constexpr std::chrono::milliseconds close_max{1'500};
constexpr std::chrono::milliseconds leave_max{1'000};
constexpr std::chrono::milliseconds spans_max{1'000};  // For what is left of them.

class WiredWorker final : public Worker {
public:
    WiredWorker(Configuration configuration, Shutdown& shutdown)
        : shutdown_{shutdown},
          settings_{std::move(configuration.settings)},
          systems_{std::move(configuration.systems)},
          templates_{std::move(configuration.templates)},
          ledger_{settings_.database.url, {}, settings_.database.connections},
          references_{settings_.link_key},
          // A link that nobody could check would be worse than none.
          job_contexts_{systems_, templates_,
                        JobContexts::Reach{settings_.database.url, source_connections,
                                           settings_.worker.lease},
                        references_.has_key() ? settings_.callback_url : std::string{}},
          dispatcher_{loop_.get_executor()},
          batcher_{loop_.get_executor(),
                   ports_.chunks,
                   {.lease = settings_.worker.lease,
                    .token = [this] { return static_cast<std::int64_t>(random_() >> 1); }}} {}

    ~WiredWorker() override {
        health_.reset();    // Its looks go through the producer.
        consumer_.reset();  // First of what may take its time: others read on.
        planning_.reset();
        producer_.reset();
    }

    Result<void> open() {
        tracer_ =
            Tracer::open(settings_.observe, {"fanfare-worker", version(), name_}, system_clock());
        auto broker = kafka::open_broker(settings_.kafka);
        if (!broker) return broker.error();
        broker_ = std::move(broker.value());
        auto keeper = kafka::TopicKeeper::open(settings_.kafka);
        if (!keeper) return keeper.error();
        keeper_ = std::move(keeper.value());
        if (auto done = open_roster(); !done) return done;
        const auto topics = kafka::list_topics(settings_.kafka);
        std::vector<std::string> used{topics.chunks.begin(), topics.chunks.end()};
        used.push_back(topics.dead);
        auto producer = kafka::Producer::open(settings_.kafka, used, keeper_.get());
        if (!producer) return producer.error();
        producer_ = std::move(producer.value());
        wire();
        return open_health();
    }

    int run() override {
        if (const auto code = ledger::wait_for_ledger(settings_, loop_, stopping_)) return *code;
        auto consumer = open_consumer();
        if (!consumer) {
            spdlog::critical("{}", describe(consumer.error()));
            return exit_unavailable;
        }
        consumer_ = std::move(consumer.value());
        TaskGroup tasks{loop_.get_executor()};
        tasks.spawn(serve());
        loop_.run();
        return exit_code_;
    }

private:
    Result<void> open_roster() {
        const ProviderContext context{.callback_url = settings_.callback_url};
        auto accounts = open_accounts(settings_, context, loop_.get_executor(),
                                      {ports_.bucket, system_clock(), probe_});
        if (!accounts) return accounts.error();
        selector_.emplace(std::move(accounts.value()));
        watch_.emplace(settings_, *selector_, context, loop_.get_executor());
        accounts_.emplace(AccountWatch::Parts{ports_.fleet, *selector_, pauses_, dispatcher_,
                                              system_clock(), name_});
        return {};
    }

    /// The pipeline, in the order of a notification's way.
    void wire() {
        const auto topics = kafka::list_topics(settings_.kafka);
        const auto executor = loop_.get_executor();
        const auto plan_soon = [this](const auto& job, Lane lane) { planning_->add(job, lane); };
        const auto checked = [this](const auto& job) { planning_->was_checked(job); };
        const auto finished = [this](const kafka::Received& record) { consumer_->finish(record); };
        const auto& worker = settings_.worker;
        broker_ports_.emplace(*producer_, topics);
        planning_.emplace(
            Planning::Parts{ports_.plans, ports_.audiences, broker_ports_->descriptors, clock_,
                            probe_, stopping_, any_chance, tracer_.get()},
            worker, chunk_sizes(settings_, *selector_));
        intake_.emplace(
            executor, Intake::Parts{ports_.intake, ports_.orders, broker_ports_->dead_letters,
                                    topics, systems_, templates_, job_contexts_.has_links(), probe_,
                                    clock_, plan_soon, finished, tracer_.get(), checked});
        sender_.emplace(
            Sender::Parts{executor, dispatcher_, batcher_, ports_.chunks, ports_.jobs,
                          ports_.contacts, ports_.dead_addresses, *selector_, pauses_, references_,
                          clock_, probe_,
                          [this] { return std::uniform_real_distribution<>{}(random_); }, finished,
                          tracer_.get()},
            worker);
        const auto pause = [this](bool on) { consumer_->set_paused(receipts_topic, on); };
        const auto bounces = static_cast<int>(worker.soft_bounces_max);
        ReceiptWriter::Parts writing{ports_.receipts, probe_, bounces,
                                     finished,        pause,  system_clock()};
        receipts_.emplace(executor, std::move(writing));
        sweeper_.emplace(
            Sweeper::Parts{executor, ports_.sweep, system_clock(), batcher_, dispatcher_,
                           [this](Channel channel) { return selector_->serves(channel); }, probe_,
                           plan_soon, [this] { return receipts_->apply_early(); }},
            worker);
    }

    Result<void> open_health() {
        const auto lags = [this] { return polled_ ? consumer_->lags() : kafka::Lags{}; };
        auto pools = job_contexts_.pools();
        pools.push_back({"ledger", "", &ledger_});
        auto families = worker_exposition(probe_.registry(), lags, read_topics(settings_.kafka),
                                          std::move(pools), tracer_.get());
        auto health = HealthServer::start(
            settings_.observe, system_clock(), std::move(families),
            {.alive =
                 [this] {
                     const auto now = system_clock().steady_now();
                     return !polled_.load() || (now - loop_turned_.load() < stuck_after &&
                                                now - consumer_->last_poll() < stuck_after);
                 },
             .ready =
                 [this] {
                     if (stopping_) return Readiness{false, "draining"};
                     if (!polled_) return Readiness{false, "starting"};
                     if (!clock_.is_steady()) return Readiness{false, ledger::clock_jumped};
                     if (auto why = keeper_->trouble(); !why.empty()) {
                         return Readiness{false, std::move(why)};
                     }
                     if (consumer_->was_member_within(SideWatch::grace)) return Readiness{true, ""};
                     return Readiness{false, "not a member of Kafka's group yet"};
                 },
             .sides = sides(),
             .program = "worker",
             .version = version()});
        if (!health) return health.error();
        health_ = std::move(health.value());
        return {};
    }

    std::vector<Side> sides() {
        auto pulse = std::make_shared<postgres::Pulse>(settings_.database.url);
        return {{"PostgreSQL", [this, pulse] { return stopping_ || pulse->beats(); }},
                {"Kafka", [this] { return stopping_ || producer_->reaches_broker(); }}};
    }

    Result<std::unique_ptr<kafka::Consumer>> open_consumer() {
        return kafka::Consumer::open(
            settings_.kafka, read_topics(settings_.kafka),
            [this](kafka::Received record) {
                asio::post(loop_, [this, record = std::move(record)]() mutable {
                    route(std::move(record));
                });
            },
            keeper_.get());
    }

    /// Where a record goes: a job to the intake, a descriptor to its queue.
    void route(kafka::Received record) {
        if (stopping_) return;  // Unfinished: read again by whoever comes next.
        if (record.topic == jobs_topic) {
            intake_->take(std::move(record));
            return;
        }
        if (record.topic == receipts_topic) {
            receipts_->take(std::move(record));
            return;
        }
        const auto key = decode_descriptor(record.value);
        if (!key) {
            dropped_.warn(fmt::format("dropped a record of lane {} offset {}: not a descriptor",
                                      record.topic - 1, record.offset));
            probe_.dead_letter("not_a_descriptor");
            consumer_->finish(record);
            return;
        }
        const auto lane = static_cast<Lane>(record.topic - 1);
        if (!dispatcher_.push(lane, {*key, record})) {
            probe_.dropped_descriptor();  // Still planned in the ledger; the sweeper knows.
            consumer_->finish(record);
        }
    }

    asio::awaitable<void> serve() {
        spdlog::info("worker {} started: {} accounts, {} systems", name_, selector_->all().size(),
                     systems_.size());
        asio::signal_set signals{loop_, SIGTERM, SIGINT};
        co_await accounts_->look();  // Before anything begins.
        TaskGroup lanes{loop_.get_executor()};
        for (const auto channel : channels) {
            const auto& limits = settings_.worker.channels[static_cast<std::size_t>(channel)];
            for (std::size_t i = 0; i < limits.chunks_in_flight_max; ++i) {
                lanes.spawn(sender_->run_lane(channel, false));
            }
            for (std::size_t i = 0; i < urgent_lanes; ++i) {
                lanes.spawn(sender_->run_lane(channel, true));
            }
        }
        TaskGroup upkeep{loop_.get_executor()};
        upkeep.spawn(sweeper_->run());
        upkeep.spawn(write_backs_.run());
        upkeep.spawn(opt_outs_.run());
        upkeep.spawn(tick());
        upkeep.spawn(accounts_->run());
        upkeep.spawn(time_.run());
        upkeep.spawn(watch_->run());
        upkeep.spawn(watch_->hear());
        batcher_.on_settled = [this](const std::string& job) { closer_.close_soon(job); };
        co_await signals.async_wait(asio::use_awaitable);
        co_await drain(lanes, upkeep, signals);
        loop_.stop();
    }

    asio::awaitable<void> drain(TaskGroup& lanes, TaskGroup& upkeep, asio::signal_set& signals) {
        spdlog::info("draining: what is claimed is sent and recorded, then the worker ends");
        shutdown_.begin(settings_.worker.drain_max, [this] { leave_the_rest(); });
        signals.async_wait([](const boost::system::error_code& fault, int) {
            if (!fault) std::_Exit(130);  // Asked twice: leases settle what is in flight.
        });
        stopping_ = true;
        dispatcher_.stop();
        sender_->stop();
        for (const auto& account : selector_->all()) account->pacer().stop();
        intake_->stop();
        receipts_->stop();
        sweeper_->stop();
        write_backs_.stop();
        opt_outs_.stop();
        watch_->stop();
        accounts_->stop();
        time_.stop();
        co_await lanes.join();
        batcher_.stop();
        co_await batcher_.join();
        co_await receipts_->join();
        co_await upkeep.join();
        co_await finish_publishing();
        co_await intake_->join();
        co_await closer_.join();
        signals.cancel();
        selector_->clear();
        if (tracer_) tracer_->finish(spans_max);
        shutdown_.close_within(close_max);
        consumer_->stop();
        settle_warnings(true);
        spdlog::info("drained");
    }

    /// Dead letters are waited for, for a moment; of all else the ledger knows.
    asio::awaitable<void> finish_publishing() {
        const auto end = system_clock().steady_now() + publish_max;
        while (producer_->waiting() > 0 && system_clock().steady_now() < end) {
            co_await pause_for(std::chrono::milliseconds{10});
        }
        producer_->give_up();
    }

    /// When a drain takes too long; on the thread of the shutdown.
    void leave_the_rest() {
        spdlog::warn(
            "worker.drain_max_ms is over: {} chunks in flight are left to their leases, and what "
            "is being planned to another worker",
            probe_.chunks_in_flight());
        consumer_->leave(leave_max);
    }

    void settle_warnings(bool at_once) {
        dropped_.settle(at_once);
        intake_->settle_warnings(at_once);
        receipts_->settle_warnings(at_once);
    }

    asio::awaitable<void> tick() {
        while (!stopping_) {
            loop_turned_ = system_clock().steady_now();
            polled_ = true;
            settle_warnings(false);
            if (consumer_->is_fatal()) {
                spdlog::critical("kafka client failed for good; restart the worker");
                exit_code_ = exit_unavailable;
                shutdown_.set_exit_code(exit_code_);
                std::raise(SIGTERM);
                co_return;
            }
            co_await pause_for(std::chrono::milliseconds{200});
        }
    }

    Shutdown& shutdown_;
    Settings settings_;
    Systems systems_;
    Templates templates_;
    const std::string name_ = random_word();
    std::mt19937_64 random_{std::random_device{}()};
    asio::io_context loop_{1};
    std::unique_ptr<Tracer> tracer_;  // Null: nobody wants spans. Outlives whoever ends them.
    WorkerProbe probe_{std::make_shared<prometheus::Registry>()};
    std::optional<kafka::EmbeddedBroker> broker_;
    std::unique_ptr<kafka::TopicKeeper> keeper_;
    postgres::Pool ledger_;
    ledger::LedgerClock clock_{system_clock()};
    References references_;
    JobContexts job_contexts_;
    LedgerPorts ports_{{ledger_, job_contexts_, clock_, system_clock()}};
    std::optional<AccountSelector> selector_;
    std::optional<SecretWatch> watch_;
    Pauses pauses_;
    Dispatcher dispatcher_;
    std::optional<AccountWatch> accounts_;
    ChunkBatcher batcher_;
    Closer closer_{loop_.get_executor(), ports_.job_ends, probe_};
    Seldom dropped_{"records of the lanes dropped: not descriptors", system_clock()};
    std::unique_ptr<kafka::Producer> producer_;
    std::unique_ptr<kafka::Consumer> consumer_;
    std::atomic<bool> stopping_{false};
    std::atomic<bool> polled_{false};
    std::atomic<SteadyTime> loop_turned_{system_clock().steady_now()};
    std::optional<BrokerPorts> broker_ports_;
    std::optional<Planning> planning_;
    std::optional<Intake> intake_;
    std::optional<Sender> sender_;
    std::optional<ReceiptWriter> receipts_;
    std::optional<Sweeper> sweeper_;
    WriteBacks write_backs_{ports_.write_backs, ports_.done_listeners, settings_.worker};
    OptOuts opt_outs_{ports_.opt_outs, ports_.address_books, settings_.worker};
    TimeWatch time_{{ports_.time, clock_, probe_, [this](bool held) { dispatcher_.set_held(held); },
                     settings_.worker.lease}};
    std::unique_ptr<HealthServer> health_;
    int exit_code_ = 0;
};

}  // namespace

Result<std::unique_ptr<Worker>> Worker::open(Configuration configuration, Shutdown& shutdown) {
    auto worker = std::make_unique<WiredWorker>(std::move(configuration), shutdown);
    if (auto done = worker->open(); !done) return done.error();
    return std::unique_ptr<Worker>{std::move(worker)};
}

}  // namespace fanfare
