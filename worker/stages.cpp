#include "worker/stages.hpp"

#include "core/program/version.hpp"
#include "core/wire/descriptor.hpp"
#include "worker/chance.hpp"
#include "worker/plan/chunk_sizes.hpp"
#include "worker/send/accounts.hpp"
#include "worker/topics.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>

#include <utility>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::size_t source_connections = 4;

}  // namespace

Stages::Stages(Worker::Configuration configuration, Shutdown& given)
    : shutdown{given},
      settings{std::move(configuration.settings)},
      systems{std::move(configuration.systems)},
      templates{std::move(configuration.templates)},
      ledger{settings.database.url, {.goes_by_key = true}, settings.database.connections},
      references{settings.link_key},
      // A link that nobody could check would be worse than none.
      job_contexts{
          systems, templates,
          JobContexts::Reach{settings.database.url, source_connections, settings.worker.lease},
          references.has_key() ? settings.callback_url : std::string{}, system_clock()},
      dispatcher{loop.get_executor(), system_clock(), settings.worker.republish_after},
      batcher{
          loop.get_executor(), ports.chunks, {.lease = settings.worker.lease, .token = [this] {
                                                  return static_cast<std::int64_t>(random() >> 1);
                                              }}} {}

Stages::~Stages() {
    health.reset();    // Its looks go through the producer.
    consumer.reset();  // First of what may take its time: others read on.
    planning.reset();
    producer.reset();
}

Result<void> Stages::open() {
    tracer = Tracer::open(settings.observe, {"fanfare-worker", version(), name}, system_clock());
    auto embedded = kafka::open_broker(settings.kafka);
    if (!embedded) return embedded.error();
    broker = std::move(embedded.value());
    auto opened = kafka::TopicKeeper::open(settings.kafka);
    if (!opened) return opened.error();
    keeper = std::move(opened.value());
    if (auto done = open_selector(); !done) return done;
    const auto topics = kafka::list_topics(settings.kafka);
    std::vector<std::string> used{topics.chunks.begin(), topics.chunks.end()};
    used.push_back(topics.dead);
    auto publishing = kafka::Producer::open(settings.kafka, used, keeper.get());
    if (!publishing) return publishing.error();
    producer = std::move(publishing.value());
    wire();
    return open_health();
}

Result<void> Stages::open_selector() {
    const ProviderContext context{.callback_url = settings.callback_url};
    auto opened = open_accounts(settings, context, loop.get_executor(),
                                {ports.bucket, system_clock(), probe});
    if (!opened) return opened.error();
    selector.emplace(std::move(opened.value()));
    watch.emplace(settings, *selector, context, loop.get_executor());
    accounts.emplace(
        AccountWatch::Parts{ports.fleet, *selector, pauses, dispatcher, system_clock(), name});
    return {};
}

/// The pipeline, in the order of a notification's way.
void Stages::wire() {
    const auto topics = kafka::list_topics(settings.kafka);
    const auto executor = loop.get_executor();
    const auto plan_soon = [this](const auto& job, Lane lane) { planning->add(job, lane); };
    const auto checked = [this](const auto& job) { planning->was_checked(job); };
    const auto finished = [this](const kafka::Received& record) { consumer->finish(record); };
    const auto& worker = settings.worker;
    broker_ports.emplace(*producer, topics);
    planning.emplace(Planning::Parts{ports.plans, ports.audiences, broker_ports->descriptors, clock,
                                     probe, stopping, any_chance, tracer.get()},
                     worker, chunk_sizes(settings, *selector));
    intake.emplace(executor,
                   Intake::Parts{ports.intake, ports.orders, broker_ports->dead_letters, topics,
                                 systems, templates, job_contexts.has_links(), probe, clock,
                                 plan_soon, finished, tracer.get(), checked});
    sender.emplace(
        Sender::Parts{executor, dispatcher, batcher, ports.chunks, ports.jobs, ports.contacts,
                      ports.dead_addresses, *selector, pauses, references, clock, probe,
                      [this] { return std::uniform_real_distribution<>{}(random); }, finished,
                      tracer.get()},
        worker);
    const auto pause = [this](bool on) { consumer->set_paused(receipts_topic, on); };
    const auto bounces = static_cast<int>(worker.soft_bounces_max);
    ReceiptWriter::Parts writing{ports.receipts, probe, bounces, finished, pause, system_clock()};
    receipts.emplace(executor, std::move(writing));
    sweeper.emplace(Sweeper::Parts{executor, ports.sweep, system_clock(), batcher, dispatcher,
                                   [this](Channel channel) { return selector->serves(channel); },
                                   probe, plan_soon, [this] { return receipts->apply_early(); }},
                    worker);
}

Result<void> Stages::open_consumer() {
    auto opened = kafka::Consumer::open(
        settings.kafka, read_topics(settings.kafka),
        [this](kafka::Received record) {
            asio::post(loop,
                       [this, record = std::move(record)]() mutable { route(std::move(record)); });
        },
        keeper.get());
    if (!opened) return opened.error();
    consumer = std::move(opened.value());
    return {};
}

/// Where a record goes: a job to the intake, a descriptor to its queue.
void Stages::route(kafka::Received record) {
    if (stopping) return;  // Unfinished: read again by whoever comes next.
    if (record.topic == jobs_topic) {
        intake->take(std::move(record));
        return;
    }
    if (record.topic == receipts_topic) {
        receipts->take(std::move(record));
        return;
    }
    const auto key = decode_descriptor(record.value);
    if (!key) {
        dropped.warn(fmt::format("dropped a record of lane {} offset {}: not a descriptor",
                                 record.topic - 1, record.offset));
        probe.dead_letter("not_a_descriptor");
        consumer->finish(record);
        return;
    }
    const auto lane = static_cast<Lane>(record.topic - 1);
    const auto pushed = dispatcher.push(lane, {*key, record});
    if (pushed == Pushed::kept) return;                      // Whoever sends the chunk finishes it.
    if (pushed == Pushed::left) probe.dropped_descriptor();  // Planned in the ledger still.
    consumer->finish(record);
}

}  // namespace fanfare
