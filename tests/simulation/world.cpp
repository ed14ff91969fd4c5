#include "tests/simulation/world.hpp"

#include "core/async/task_group.hpp"
#include "worker/send/accounts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::simulation {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* job_id = "0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11";
constexpr std::uint64_t steps_of_fate = 3'000;  // Within which a world's misfortunes come.

WorkerSettings small_settings() {
    WorkerSettings settings;
    settings.lease = seconds{20};
    settings.backoff_first = milliseconds{500};
    settings.backoff_max = seconds{10};
    settings.sweep_interval = seconds{1};
    settings.republish_after = seconds{5};
    for (auto& channel : settings.channels) channel.chunk_recipients_max = 12;
    return settings;
}

/// The one job of every world; made once.
const std::shared_ptr<const JobContext>& the_job() {
    static const System system = [] {
        System made;
        made.name = "shows";
        return made;
    }();
    static const Kind kind = [] {
        Kind made;
        made.name = "show.live";
        made.templates = "show.live";
        return made;
    }();
    static const std::shared_ptr<const JobContext> job = [] {
        auto made = std::make_shared<JobContext>();
        made->job.id = job_id;
        made->job.system = system.name;
        made->job.kind = kind.name;
        made->system = &system;
        made->kind = &kind;
        const std::vector<TemplateSource> texts{{"show.live/push.title.mustache", "Live"},
                                                {"show.live/push.body.mustache", "Now"}};
        made->templates = std::get<Templates>(Templates::parse(texts));
        return made;
    }();
    return job;
}

}  // namespace

/// One worker's send stage and sweeper on a loop of its own.
class SimulatedWorker {
public:
    struct Parts {
        const WorldPlan& plan;
        VirtualTime& time;
        Dice& dice;
        StoreModel& store;
        Inbox& inbox;
    };
    explicit SimulatedWorker(const Parts& parts)
        : parts_{parts},
          wire_{parts.dice, parts.plan.odds},
          ports_{parts.store, wire_},
          people_{wire_, the_job()},
          sweep_{parts.store, wire_, the_job()} {
        parts_.time.attach(loop_);
        selector_.emplace(accounts());
        batcher_.emplace(
            loop_.get_executor(), ports_,
            ChunkBatcher::Options{settings_.lease, [this] {
                                      return static_cast<std::int64_t>(parts_.dice.word() >> 1);
                                  }});
        sender_.emplace(
            Sender::Parts{loop_.get_executor(), dispatcher_, *batcher_, ports_, people_, people_,
                          people_, *selector_, pauses_, references_, parts_.time, probe_,
                          [this] { return parts_.dice.share(); }, [](const kafka::Received&) {}},
            settings_);
        sweeper_.emplace(
            Sweeper::Parts{loop_.get_executor(), sweep_, parts_.time, *batcher_, dispatcher_,
                           [this](Channel channel) { return selector_->serves(channel); }, probe_,
                           [](const std::string&, Lane) {}, [] { return nothing(); }},
            settings_);
        for (int i = 0; i < 3; ++i) tasks_.spawn(sender_->run_lane(Channel::push, false));
        tasks_.spawn(sweeper_->run());
    }

    [[nodiscard]] asio::io_context& loop() { return loop_; }

private:
    static asio::awaitable<void> nothing() { co_return; }

    std::vector<std::unique_ptr<Account>> accounts() {
        AccountSettings settings;
        settings.name = "phones";
        settings.channel = Channel::push;
        settings.timeout = seconds{5};
        settings.rate.per_second = parts_.plan.per_second;
        settings.rate.concurrency = 4;
        const auto connect = [this](const HttpOptions& options) -> std::unique_ptr<HttpClient> {
            const SimulatedHttp::Parts http{loop_.get_executor(), parts_.time, parts_.dice,
                                            parts_.plan.odds, parts_.inbox};
            return std::make_unique<SimulatedHttp>(http, options);
        };
        std::vector<std::unique_ptr<Account>> made;
        made.push_back(std::make_unique<Account>(
            loop_.get_executor(),
            Account::Parts{settings, std::make_shared<PushProvider>(), ports_, parts_.time,
                           probe_.account(settings.name, settings.channel), connect}));
        return made;
    }

    Parts parts_;
    WorkerSettings settings_ = small_settings();
    asio::io_context loop_{1};
    Wire wire_;
    ModelPorts ports_;
    ModelPeople people_;
    ModelSweep sweep_;
    WorkerProbe probe_{std::make_shared<prometheus::Registry>()};
    References references_{Secret{}};
    Pauses pauses_;
    Dispatcher dispatcher_{loop_.get_executor()};
    std::optional<AccountSelector> selector_;
    std::optional<ChunkBatcher> batcher_;
    std::optional<Sender> sender_;
    std::optional<Sweeper> sweeper_;
    TaskGroup tasks_{loop_.get_executor()};
};

World::World(const WorldPlan& plan)
    : plan_{plan}, dice_{plan.seed}, time_{TimePoint{}}, store_{time_, plan.fault} {
    inbox_.per_second_max = plan.per_second;
    for (std::size_t i = 0; i < plan.chunks; ++i) {
        std::vector<std::string> people;
        for (std::size_t k = 0; k < plan.people_per_chunk; ++k) {
            people.push_back(fmt::format("u{:03}{:03}", i, k));
        }
        store_.add({job_id, Channel::push, static_cast<std::int32_t>(i)}, std::move(people),
                   plan.on_doubt);
    }
    for (std::size_t i = 0; i < plan.workers; ++i) begin_worker();
    for (std::size_t i = 0; i < plan.crashes + plan.pauses; ++i) {
        misfortunes_.push_back({1 + dice_.below(steps_of_fate), i < plan.crashes});
    }
    std::sort(misfortunes_.begin(), misfortunes_.end(),
              [](const auto& a, const auto& b) { return a.at_step > b.at_step; });
}

/// Coroutines of the workers are suspended: as after a kill, nobody ends them in order. What they
/// have is let go of with the process.
World::~World() {
    using Workers = std::vector<std::unique_ptr<SimulatedWorker>>;
    static auto& graveyard = *std::make_unique<Workers>().release();
    for (auto& worker : workers_) {
        time_.detach(worker->loop());
        graveyard.push_back(std::move(worker));
    }
}

void World::begin_worker() {
    const SimulatedWorker::Parts parts{plan_, time_, dice_, store_, inbox_};
    workers_.push_back(std::make_unique<SimulatedWorker>(parts));
}

void World::meet(const Misfortune& misfortune) {
    SimulatedWorker* const worker = workers_[dice_.below(workers_.size())].get();
    const auto is_frozen = [worker](const auto& entry) { return entry.second == worker; };
    if (std::any_of(frozen_.begin(), frozen_.end(), is_frozen)) return;
    if (misfortune.is_crash) {
        time_.detach(worker->loop());
        births_.push_back(time_.steady_now() + dice_.between(100, 30'000));
    } else {
        time_.freeze(worker->loop());
        frozen_.emplace_back(time_.steady_now() + dice_.between(15'000, 60'000), worker);
    }
}

void World::thaw_all() {
    const auto now = time_.steady_now();
    std::erase_if(frozen_, [&](const auto& entry) {
        if (entry.first > now) return false;
        time_.thaw(entry.second->loop());
        return true;
    });
    const auto due = std::erase_if(births_, [now](SteadyTime at) { return at <= now; });
    for (std::size_t i = 0; i < due; ++i) begin_worker();
}

std::string World::run(std::chrono::minutes most) {
    const auto end = time_.steady_now() + most;
    std::uint64_t steps = 0;
    while (time_.steady_now() < end && !store_.is_settled()) {
        const auto next = time_.steady_now() + seconds{1};
        while (time_.step(next)) {
            ++steps;
            while (!misfortunes_.empty() && misfortunes_.back().at_step <= steps) {
                meet(misfortunes_.back());
                misfortunes_.pop_back();
            }
        }
        time_.run_for(std::max(next - time_.steady_now(), SteadyTime::duration{0}));
        thaw_all();
        if (!store_.broken().empty()) return store_.broken();
        if (!inbox_.broken.empty()) return inbox_.broken;
    }
    time_.run_for(seconds{90});  // Nobody is told afterwards.
    return judge();
}

std::string World::judge() const {
    if (!store_.is_settled()) return "somebody has no outcome";
    if (!store_.broken().empty()) return store_.broken();
    for (const auto& [key, chunk] : store_.chunks()) {
        for (std::size_t i = 0; i < chunk.recipients.size(); ++i) {
            if (auto why = judge(chunk, i); !why.empty()) return why;
        }
    }
    return {};
}

std::string World::judge(const StoreModel::Chunk& chunk, std::size_t person) const {
    const auto& name = chunk.recipients[person];
    const auto outcome = static_cast<Outcome>(chunk.outcomes[person]);
    const auto found = inbox_.accepted.find(name);
    const int accepted = found == inbox_.accepted.end() ? 0 : found->second;
    const auto say = [&](std::string_view what) {
        return fmt::format("{} is {} and was told {} times: {}", name, to_string(outcome), accepted,
                           what);
    };
    if (!is_final(outcome)) return say("not final");
    if (outcome == Outcome::sent && accepted == 0) return say("falsely sent");
    if (plan_.on_doubt == DoubtPolicy::hold && accepted > 1) return say("doubled");
    const bool may_be_told = outcome == Outcome::sent || outcome == Outcome::unknown;
    if (plan_.on_doubt == DoubtPolicy::hold && accepted > 0 && !may_be_told) return say("lost");
    return {};
}

std::chrono::seconds World::took() const {
    return std::chrono::floor<seconds>(time_.steady_now().time_since_epoch());
}

}  // namespace fanfare::simulation
