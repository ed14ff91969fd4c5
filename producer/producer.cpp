#include "producer/producer.hpp"

#include "core/kafka/producer.hpp"
#include "core/kafka/topic_keeper.hpp"
#include "core/ledger/first_look.hpp"
#include "core/observe/health.hpp"
#include "core/observe/log.hpp"
#include "core/postgres/pool_families.hpp"
#include "core/postgres/pulse.hpp"
#include "core/program/version.hpp"
#include "core/tracing/tracer.hpp"
#include "producer/figures/elected.hpp"
#include "producer/http_gateway.hpp"
#include "producer/publishing/job_publisher.hpp"
#include "producer/retention/keeper.hpp"
#include "producer/schedule/scheduler.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <random>
#include <thread>

namespace fanfare {
namespace {

namespace asio = boost::asio;
// A statement of the ledger may take half of this.
constexpr std::chrono::seconds stuck_after{60};
constexpr std::chrono::seconds look_max{2};  // For the broker's answer to a look.
constexpr std::chrono::milliseconds close_max{1'500};
constexpr std::chrono::milliseconds spans_max{1'000};  // For what is left of them.

/// No other program has it, nor has this one when it is started anew.
std::string own_name() {
    std::random_device random;
    return fmt::format("producer-{}-{:08x}{:08x}", getpid(), random(), random());
}

class WiredProducer final : public ProducerProgram {
public:
    WiredProducer(Configuration configuration, Shutdown& shutdown)
        : shutdown_{shutdown},
          settings_{std::move(configuration.settings)},
          systems_{std::move(configuration.systems)},
          ledger_{settings_.database.url, {}, 1},
          probe_{std::make_shared<prometheus::Registry>()} {}

    ~WiredProducer() override {
        health_.reset();  // It shows what the pools of the others do.
        gateway_.reset();
        if (kafka_) kafka_->give_up();
        kafka_.reset();  // Its callbacks reach into the two that follow.
        jobs_.reset();
        scheduler_.reset();
        figures_.reset();
    }

    Result<void> open() {
        probe_.expect(systems_);
        tracer_ =
            Tracer::open(settings_.observe, {"fanfare-producer", version(), name_}, system_clock());
        auto broker = kafka::open_broker(settings_.kafka);
        if (!broker) return broker.error();
        broker_ = std::move(broker.value());
        auto keeper = kafka::TopicKeeper::open(settings_.kafka);
        if (!keeper) return keeper.error();
        keeper_ = std::move(keeper.value());
        auto kafka = kafka::Producer::open(settings_.kafka, {topics_.jobs}, keeper_.get());
        if (!kafka) return kafka.error();
        kafka_ = std::move(kafka.value());
        jobs_.emplace(JobPublisher::Parts{*kafka_, topics_.jobs, ledger_, tracer_.get()});
        scheduler_ = std::make_unique<Scheduler>(
            Scheduler::Parts{
                ledger_, systems_, system_clock(), probe_,
                [this](const OutgoingJob& job, std::function<void(bool)> acknowledged) {
                    return jobs_->publish(job, std::move(acknowledged));
                },
                settings_.database.url},
            settings_.producer);
        if (auto done = open_front(); !done) return done;
        return open_health();
    }

    int run() override {
        if (const auto code = ledger::wait_for_ledger(settings_, loop_, stopping_)) return *code;
        asio::signal_set signals{loop_, SIGTERM, SIGINT};
        signals.async_wait([this, &signals](const boost::system::error_code& fault, int) {
            if (fault) return;
            spdlog::info("draining: what is on its way to the broker is waited for");
            stopping_ = true;
            shutdown_.begin(settings_.producer.drain_max, [] {
                spdlog::warn(
                    "producer.drain_max_ms is over: what is on its way to the broker is left to "
                    "leases, and published again as the same jobs");
            });
            scheduler_->stop();
            figures_->stop();
            retention_.stop();
            signals.async_wait([](const boost::system::error_code& second, int) {
                if (!second) std::_Exit(130);  // Asked twice: leases settle what is under way.
            });
        });
        scheduler_->start();
        figures_->start();
        retention_.start();
        if (gateway_) gateway_->start();
        started_ = true;
        spdlog::info("producer started: {} systems", systems_.size());
        std::thread joiner{[this] {
            scheduler_->join();
            figures_->join();
            retention_.join();
            if (gateway_) gateway_->stop();
            if (tracer_) tracer_->finish(spans_max);
            asio::post(loop_, [this] { loop_.stop(); });
        }};
        loop_.run();
        joiner.join();
        shutdown_.close_within(close_max);
        spdlog::info("drained");
        return 0;
    }

private:
    Result<void> open_front() {
        if (settings_.producer.http.port < 0) return {};
        auto front = HttpGateway::open(
            settings_, systems_, system_clock(), probe_.registry(), keeper_.get(),
            [this] { scheduler_->hurry(); }, tracer_.get());
        if (!front) return front.error();
        gateway_ = std::move(front.value());
        return {};
    }

    Result<void> open_health() {
        figures_ = std::make_shared<ElectedFigures>(
            ElectedFigures::Parts{ledger_, systems_, system_clock(), name_, accounts()});
        auto families = std::make_shared<Exposition>();
        families->add(probe_.registry());
        families->add(figures_);
        families->add([pools = pools()](Families& all) { postgres::append_pools(all, pools); });
        families->add([this](Families& all) { append_spans(all, tracer_.get()); });
        auto health = HealthServer::start(
            settings_.observe, system_clock(), std::move(families),
            {.alive =
                 [this] {
                     return !started_ || all_turn({scheduler_->last_turn()},
                                                  system_clock().steady_now(), stuck_after);
                 },
             .ready = [this] { return readiness(); },
             .sides = sides(),
             .program = "producer",
             .version = version()});
        if (!health) return health.error();
        health_ = std::move(health.value());
        return {};
    }

    std::vector<ledger::NamedAccount> accounts() const {
        std::vector<ledger::NamedAccount> all;
        for (const auto& account : settings_.accounts) {
            all.push_back({account.name, account.channel});
        }
        return all;
    }

    std::vector<postgres::NamedPool> pools() const {
        auto all = scheduler_->pools();
        all.push_back({"ledger", "", &ledger_});
        if (!gateway_) return all;
        const auto more = gateway_->pools();
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

    Readiness readiness() const {
        if (stopping_) return {false, "draining"};
        if (!started_) return {false, "starting"};
        if (auto why = keeper_->trouble(); !why.empty()) return {false, std::move(why)};
        if (auto why = scheduler_->trouble(); !why.empty()) return {false, std::move(why)};
        return {true, ""};
    }

    /// The looks end with the drain: a side that is away does not hold it up.
    std::vector<Side> sides() {
        auto pulse = std::make_shared<postgres::Pulse>(settings_.database.url);
        return {{"PostgreSQL", [this, pulse] { return stopping_ || pulse->beats(); }},
                {"the ledger", [this] { return stopping_ || scheduler_->publisher().is_well(); }},
                {"Kafka", [this] { return stopping_ || kafka_->reaches_broker(look_max); }}};
    }

    Shutdown& shutdown_;
    Settings settings_;
    Systems systems_;
    const std::string name_ = own_name();
    std::unique_ptr<Tracer> tracer_;  // Null: nobody wants spans. Outlives whoever ends them.
    asio::io_context loop_{1};
    std::optional<kafka::EmbeddedBroker> broker_;
    std::unique_ptr<kafka::TopicKeeper> keeper_;
    kafka::Topics topics_ = kafka::list_topics(settings_.kafka);
    postgres::Pool ledger_;
    std::optional<JobPublisher> jobs_;
    ScheduleProbe probe_;
    std::unique_ptr<Scheduler> scheduler_;
    std::shared_ptr<ElectedFigures> figures_;
    RetentionKeeper retention_{
        {settings_.database.url, system_clock(), name_, settings_.database.keep}};
    std::unique_ptr<kafka::Producer> kafka_;
    std::unique_ptr<HealthServer> health_;
    std::unique_ptr<HttpGateway> gateway_;
    std::atomic<bool> started_{false};
    std::atomic<bool> stopping_{false};
};

}  // namespace

Result<std::unique_ptr<ProducerProgram>> ProducerProgram::open(Configuration configuration,
                                                               Shutdown& shutdown) {
    auto producer = std::make_unique<WiredProducer>(std::move(configuration), shutdown);
    if (auto done = producer->open(); !done) return done.error();
    return std::unique_ptr<ProducerProgram>{std::move(producer)};
}

}  // namespace fanfare
