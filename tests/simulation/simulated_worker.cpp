#include "tests/simulation/simulated_worker.hpp"

#include "worker/send/accounts.hpp"

#include <algorithm>

namespace fanfare::simulation {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds plan_lease{6};

WorkerSettings small_settings(const WorldPlan& plan) {
    WorkerSettings settings;
    settings.lease = seconds{20};
    settings.backoff_first = milliseconds{500};
    settings.backoff_max = seconds{10};
    settings.sweep_interval = seconds{2};
    settings.republish_after = seconds{5};
    for (auto& channel : settings.channels) {
        channel.chunk_recipients_max = static_cast<std::uint32_t>(plan.people);
    }
    return settings;
}

/// Numbers of all workers of all worlds: nobody reads them, and to make them takes long.
WorkerProbe& the_probe() {
    static WorkerProbe probe{std::make_shared<prometheus::Registry>()};
    return probe;
}

const References& the_references() {
    static const References references{Secret{}};
    return references;
}

}  // namespace

SimulatedWorker::SimulatedWorker(const Parts& parts)
    : parts_{parts},
      dice_{parts.plan.seed * 1'000'003 + parts.number},
      settings_{small_settings(parts.plan)},
      machine_{parts.time, parts.clock_off},
      believed_{parts.time, parts.store},
      wire_{dice_, parts_.plan.odds, parts_.store},
      ports_{parts.store, wire_, clock_},
      people_{wire_, {parts_.plan, parts.inbox, parts.jobs, parts.store}},
      sweep_{wire_, {parts.store, parts.jobs, clock_, parts_.plan.has_clocks()}},
      ledger_time_{parts.store, wire_, machine_},
      probe_{the_probe()},
      reader_{parts.topic, parts.number} {
    parts_.time.attach(loop_);
    news_.emplace(loop_.get_executor());
    selector_.emplace(accounts());
    batcher_.emplace(loop_.get_executor(), ports_,
                     ChunkBatcher::Options{settings_.lease, [this] {
                                               return static_cast<std::int64_t>(dice_.word() >> 1U);
                                           }});
    sender_.emplace(
        Sender::Parts{loop_.get_executor(), dispatcher_, *batcher_, ports_, people_, people_,
                      people_, *selector_, pauses_, the_references(), calendar(), probe_,
                      [this] { return dice_.share(); },
                      [this](const kafka::Received& record) { reader_.finish(record); }},
        settings_);
    sweeper_.emplace(
        Sweeper::Parts{loop_.get_executor(), sweep_, machine_, *batcher_, dispatcher_,
                       [this](Channel channel) { return selector_->serves(channel); }, probe_,
                       [this](const std::string& job, Lane) { tasks_.spawn(plan(job)); },
                       [this] { return apply_early(); }},
        settings_);
    time_watch_.emplace(TimeWatch::Parts{ledger_time_, clock_, probe_,
                                         [this](bool held) { dispatcher_.set_held(held); },
                                         settings_.lease, settings_.republish_after});
    revision_ = parts_.file.revision;
    credentials_ = parts_.file.credentials;
    if (parts_.plan.has_clocks()) {
        tasks_.spawn(begin_when_time_is_known());
    } else {
        begin_sending();
    }
    tasks_.spawn(read());
    tasks_.spawn(watch());
    parts_.topic.listen(parts_.number, [this] { news_->cancel(); });
    parts_.topic.join(parts_.number);
    parts_.story.tell("worker {} begins", parts_.number);
}

asio::awaitable<void> SimulatedWorker::begin_when_time_is_known() {
    co_await time_watch_->look();
    begin_sending();
}

/// As worker.cpp begins.
void SimulatedWorker::begin_sending() {
    for (int i = 0; i < 3; ++i) sending_.spawn(sender_->run_lane(Channel::push));
    for (int i = 0; i < 2 && parts_.plan.turns; ++i) {
        sending_.spawn(sender_->run_lane(Channel::email));
    }
    tasks_.spawn(sweeper_->run());
    if (parts_.plan.has_clocks()) tasks_.spawn(time_watch_->run());
    if (parts_.plan.has_reloads()) tasks_.spawn(look_at_settings());
}

void SimulatedWorker::drain() {
    is_draining_ = true;
    dispatcher_.stop();
    sender_->stop();
    for (const auto& account : selector_->all()) account->pacer().stop();
    sweeper_->stop();
    time_watch_->stop();
    tasks_.spawn(finish());
}

asio::awaitable<void> SimulatedWorker::finish() {
    co_await sending_.join();
    batcher_->stop();
    co_await batcher_->join();
    is_drained_ = true;
}

/// What time it is, as its send stage knows it.
const Clock& SimulatedWorker::calendar() const {
    if (parts_.plan.plant == Plant::machine_believed) return machine_;
    if (parts_.plan.plant == Plant::reading_believed) return believed_;
    return clock_;
}

std::vector<std::unique_ptr<Account>> SimulatedWorker::accounts() {
    constexpr std::array<const char*, 2> names{"north", "south"};
    std::vector<std::unique_ptr<Account>> made;
    for (std::size_t i = 0; i < parts_.plan.accounts; ++i) {
        made.push_back(account(names.at(i), Channel::push));
    }
    if (parts_.plan.turns) made.push_back(account("east", Channel::email));
    return made;
}

AccountSettings SimulatedWorker::account_settings(const std::string& name, Channel channel) const {
    AccountSettings settings;
    settings.name = name;
    settings.channel = channel;
    settings.timeout = seconds{5};
    settings.weight = parts_.file.weight;
    settings.rate.per_second = parts_.file.per_second;
    settings.rate.concurrency = parts_.file.concurrency;
    return settings;
}

std::shared_ptr<Provider> SimulatedWorker::provider(const std::string& name,
                                                    Channel channel) const {
    const auto found = parts_.file.credentials.find(name);
    const int credential = found == parts_.file.credentials.end() ? 0 : found->second;
    return std::make_shared<PushProvider>(
        PushProvider::Parts{name, channel, parts_.plan.batch, parts_.plan.plant, credential});
}

std::unique_ptr<Account> SimulatedWorker::account(const std::string& name, Channel channel) {
    const auto connect = [this](const HttpOptions& options) -> std::unique_ptr<HttpClient> {
        SimulatedHttp::Parts http{loop_.get_executor(), parts_.outside, parts_.plan,
                                  parts_.store,         parts_.inbox,   parts_.story};
        return std::make_unique<SimulatedHttp>(std::move(http), options);
    };
    return std::make_unique<Account>(
        loop_.get_executor(),
        Account::Parts{account_settings(name, channel), provider(name, channel), ports_, machine_,
                       probe_.account(name, channel), connect});
}

/// As SecretWatch does it: what is another in the file counts from now on.
asio::awaitable<void> SimulatedWorker::look_at_settings() {
    while (true) {
        co_await pause_for(seconds{2});
        if (revision_ == parts_.file.revision) continue;
        revision_ = parts_.file.revision;
        reload();
    }
}

void SimulatedWorker::reload() {
    const auto plant = parts_.plan.plant;
    parts_.story.tell("worker {} reads its settings again", parts_.number);
    for (const auto& account : selector_->all()) {
        const auto& [name, channel] =
            std::pair{account->settings().name, account->settings().channel};
        if (plant != Plant::limits_kept) account->set_limits(account_settings(name, channel));
        const auto found = parts_.file.credentials.find(name);
        if (found == parts_.file.credentials.end() || plant == Plant::credentials_kept) continue;
        if (credentials_[name] == found->second) continue;
        credentials_[name] = found->second;
        account->reload(provider(name, channel));
    }
}

/// Topics: names of chunks are given to the lanes, jobs are taken.
asio::awaitable<void> SimulatedWorker::read() {
    const auto& odds = parts_.plan.odds;
    while (!is_draining_) {
        auto polled = reader_.poll();
        for (std::size_t i = 0; i + 1 < polled.size(); ++i) {
            if (dice_.hits(odds.swapped)) std::swap(polled[i], polled[i + 1]);
        }
        for (auto& [received, record] : polled) {
            if (!record.chunk) {
                tasks_.spawn(take(received, record.job));
                continue;
            }
            const ledger::ChunkKey key{record.job, Channel::push, *record.chunk};
            const int times = dice_.hits(odds.repeated) ? 2 : 1;
            for (int i = 0; i < times; ++i) {
                if (dispatcher_.push(Lane::normal, {key, received}) != Pushed::kept) {
                    reader_.finish(received);
                }
            }
        }
        bool is_quiet = false;
        if (!reader_.has_more()) {
            is_quiet = co_await news_->wait(reader_.is_behind() ? milliseconds{500}
                                                                : milliseconds{10'000});
        }
        if (is_quiet || dice_.hits(250)) reader_.commit();
        if (!is_quiet) co_await pause_for(dice_.between(0, 120));
    }
}

asio::awaitable<void> SimulatedWorker::take(kafka::Received record, std::string job) {
    const bool is_early = parts_.plan.plant == Plant::offset_early;
    if (is_early) {
        reader_.finish(record);
        reader_.commit();
        co_await pause_for(milliseconds{300});
    }
    while (true) {
        const auto taken = co_await wire_.ask(
            [this, &job] { return parts_.store.take_job(parts_.orders.at(job)); });
        if (taken) break;
        co_await pause_for(milliseconds{200});
    }
    if (!is_early) reader_.finish(record);
    co_await plan(job);
}

asio::awaitable<void> SimulatedWorker::plan(std::string job) {
    if (!planning_.insert(job).second) co_return;
    auto task =
        co_await wire_.ask([this, &job] { return parts_.store.claim_plan(job, plan_lease); });
    if (task && task.value()) co_await write_plan(*task.value());
    planning_.erase(job);
}

asio::awaitable<void> SimulatedWorker::write_plan(StoreModel::PlanTask task) {
    while (true) {
        const auto reads_audience = dice_.between(20, 400);
        co_await pause_for(reads_audience);
        const auto key =
            co_await wire_.ask([this, &task] { return parts_.store.write_plan(task, plan_lease); });
        if (!key) continue;
        if (!key.value()) break;
        parts_.topic.publish({task.job, key.value()->number});
    }
    const auto finished = co_await wire_.ask([this, &task] {
        parts_.store.finish_plan(task);
        return true;
    });
    std::ignore = finished;  // Otherwise somebody resumes it and finds it whole.
}

/// What all replicas obey, as AccountWatch reads it.
asio::awaitable<void> SimulatedWorker::watch() {
    while (true) {
        const auto read = co_await wire_.ask([this] {
            Standing standing;
            standing.blocked = parts_.store.blocked();
            for (const auto& [id, job] : parts_.store.jobs()) {
                if (job.held_since) standing.paused.push_back({ledger::Paused::job, id});
            }
            if (parts_.plan.plant == Plant::claim_ignores_hold) standing.paused.clear();
            return standing;
        });
        if (read) obey(read.value());
        co_await pause_for(seconds{1});
    }
}

void SimulatedWorker::obey(const Standing& standing) {
    std::ignore = pauses_.learn(standing.paused);
    for (const auto& [name, wait] : standing.blocked) {
        if (Account* const account = selector_->find(name)) account->pacer().hold(wait);
    }
}

asio::awaitable<void> SimulatedWorker::apply_early() {
    const auto applied = co_await wire_.ask([this] {
        parts_.store.apply_early();
        return true;
    });
    std::ignore = applied;
}

}  // namespace fanfare::simulation
