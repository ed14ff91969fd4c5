#include "producer/schedule/scheduler.hpp"

#include "core/observe/seldom.hpp"
#include "producer/schedule/failures.hpp"
#include "producer/schedule/outbox.hpp"
#include "producer/schedule/replayer.hpp"
#include "producer/schedule/republisher.hpp"
#include "producer/schedule/wake.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

namespace fanfare {
namespace {

constexpr std::chrono::milliseconds drain_reserve{1'000};  // To write down what is known.
constexpr std::chrono::milliseconds drain_min{0};
constexpr std::chrono::milliseconds untaken_interval_min{250};
constexpr std::chrono::milliseconds untaken_interval_max{5'000};
constexpr std::chrono::milliseconds replays_interval{5'000};
constexpr const char* ledger_channel = "fanfare";  // What the ledger's functions say.
// What names a subject may name none, or others as well: all of them are looked at, too, this long
// after they last were.
constexpr std::chrono::milliseconds named_gap{250};
constexpr std::chrono::milliseconds not_now_wait{100};    // Before the first look.
constexpr const char* outbox_channel = "fanfare_outbox";  // What docs/examples/outbox.sql says.

ledger::UntakenTimes to_times(const ProducerSettings& settings) {
    return {settings.republish_after, settings.republish_within};
}

/// Subjects that somebody said have changed. From any thread.
class HeardNames {
public:
    struct Heard {
        DueNames names;
        bool others = false;  // Something was said that names nothing, or too much.
    };
    void add(const std::string& name) {
        const std::lock_guard guard{mutex_};
        const bool is_kept = !name.empty() && heard_.names.size() < DueWatch::names_max;
        if (is_kept) heard_.names.push_back(name);
        heard_.others = heard_.others || !is_kept;
    }
    [[nodiscard]] Heard take() {
        const std::lock_guard guard{mutex_};
        return std::exchange(heard_, {});
    }

private:
    std::mutex mutex_;
    Heard heard_;
};

}  // namespace

struct Scheduler::Watch {
    Watch(const System& of, const Clock& clock)
        : system{of}, failures{clock}, outbox_failures{clock} {
        for (const auto& schedule : of.schedules) {
            warnings.try_emplace(schedule.kind, "looks at a due query with rows that are left out",
                                 clock);
        }
    }
    const System& system;
    std::unique_ptr<postgres::Pool> pool;  // For its due queries, where it has any.
    WakeSignal waker;
    HeardNames heard;
    std::atomic<bool> looked{false};  // Every due query was run, or tried, once.
    Failures failures;
    std::map<std::string, Seldom> warnings;  // By kind: none keeps another's back.
    std::thread thread;
    std::unique_ptr<postgres::Pool> outbox_pool;  // The same database, and may write.
    WakeSignal outbox_waker;
    Failures outbox_failures;
    std::thread outbox_thread;
};

Scheduler::Scheduler(Parts parts, const ProducerSettings& settings)
    : parts_{std::move(parts)},
      settings_{settings},
      last_turn_{parts_.clock.steady_now()},
      publisher_{{parts_.ledger, parts_.systems, parts_.clock, parts_.probe, due_, parts_.publish,
                  [this] { last_turn_ = parts_.clock.steady_now(); },
                  [this](const std::string& system) { return is_known(system); },
                  [this](postgres::Connection& ledger) { return knows_the_time(ledger); }},
                 {.lease = settings.lease,
                  .poll_interval = settings.poll_interval,
                  .drain_max = std::max(settings.drain_max - drain_reserve, drain_min)}} {
    for (const auto& [name, system] : parts_.systems) {
        if (system.schedules.empty() && system.outbox.empty()) continue;
        auto& watch = *watches_.emplace_back(std::make_unique<Watch>(system, parts_.clock));
        if (!system.schedules.empty()) {
            watch.pool = std::make_unique<postgres::Pool>(
                system.database.empty() ? parts_.ledger_url : system.database,
                Refresher::due_limits(system), 1);
        }
        if (system.database.empty() || system.outbox.empty()) continue;
        watch.outbox_pool = std::make_unique<postgres::Pool>(
            system.database,
            postgres::Limits{.statement_timeout = system.statement_timeout, .read_only = false}, 1);
    }
}

std::vector<postgres::NamedPool> Scheduler::pools() const {
    std::vector<postgres::NamedPool> all;
    for (const auto& watch : watches_) {
        const auto& name = watch->system.name;
        if (watch->pool) all.push_back({"due_queries", name, watch->pool.get()});
        if (watch->outbox_pool) all.push_back({"outbox", name, watch->outbox_pool.get()});
    }
    return all;
}

Scheduler::~Scheduler() {
    stop();
    join();
}

void Scheduler::start() {
    publishing_ = std::thread{[this] { publisher_.run(); }};
    republishing_ = std::thread{[this] { publish_again(); }};
    replaying_pool_ = std::make_unique<postgres::Pool>(parts_.ledger_url, postgres::Limits{}, 1);
    replaying_ = std::thread{[this] { replay(); }};
    for (const auto& watched : watches_) {
        if (!watched->system.schedules.empty()) {
            watched->thread = std::thread{[this, &watch = *watched] { this->watch(watch); }};
        }
        if (!watched->system.outbox.empty()) {
            watched->outbox_thread =
                std::thread{[this, &watch = *watched] { empty_outbox(watch); }};
        }
    }
    listen();
}

void Scheduler::listen() {
    listeners_.push_back(
        std::make_unique<Listener>(parts_.ledger_url, std::vector<std::string>{ledger_channel},
                                   [this](const auto&, const auto&) { due_.notify(); }));
    for (const auto& watched : watches_) {
        const auto& system = watched->system;
        const auto& database = system.database.empty() ? parts_.ledger_url : system.database;
        std::vector<std::string> names;
        if (!system.notify.empty()) names.push_back(system.notify);
        if (!system.outbox.empty()) names.emplace_back(outbox_channel);
        if (names.empty()) continue;
        listeners_.push_back(std::make_unique<Listener>(
            database, std::move(names), [&watch = *watched](const auto& channel, const auto& word) {
                if (channel == watch.system.notify) {
                    watch.heard.add(word);
                    watch.waker.notify();
                }
                if (!watch.system.outbox.empty()) watch.outbox_waker.notify();
            }));
    }
}

void Scheduler::stop() {
    for (const auto& watch : watches_) {
        watch->waker.stop();
        watch->outbox_waker.stop();
    }
    due_.stop();
    untaken_.stop();
    ordered_.stop();
}

void Scheduler::join() {
    if (publishing_.joinable()) publishing_.join();
    if (republishing_.joinable()) republishing_.join();
    if (replaying_.joinable()) replaying_.join();
    for (const auto& watch : watches_) {
        if (watch->thread.joinable()) watch->thread.join();
        if (watch->outbox_thread.joinable()) watch->outbox_thread.join();
    }
    listeners_.clear();  // Last: until it stops, everything is listened to.
}

/// What was cancelled while nobody looked is not published: first comes the look.
bool Scheduler::is_known(const std::string& system) const {
    return std::all_of(watches_.begin(), watches_.end(), [&system](const auto& watch) {
        return watch->system.name != system || watch->system.schedules.empty() ||
               watch->looked.load();
    });
}

bool Scheduler::knows_the_time(postgres::Connection& ledger) {
    return believes(ledger::read_clock(ledger, parts_.clock));
}

bool Scheduler::believes(const ledger::ClockReading& reading) {
    ledger::learn_time(time_, reading);
    parts_.probe.clock_doubted(!time_.is_steady());
    return time_.is_steady();
}

std::string Scheduler::trouble() const {
    if (!time_.is_steady()) return ledger::clock_jumped;
    for (const auto& watch : watches_) {
        if (watch->failures.is_trouble()) {
            return fmt::format("a due query of the system {} fails; see the log",
                               watch->system.name);
        }
        if (watch->outbox_failures.is_trouble()) {
            return fmt::format("the outbox of the system {} cannot be read; see the log",
                               watch->system.name);
        }
    }
    return {};
}

void Scheduler::watch(Watch& watch) {
    Refresher refresher{{parts_.ledger, *watch.pool, parts_.clock, settings_.horizon,
                         [this](const ledger::ClockReading& reading) { return believes(reading); }},
                        watch.system};
    std::vector<DueWatch> all;
    for (const auto& schedule : watch.system.schedules) {
        all.emplace_back(refresher, schedule, parts_.clock);
    }
    auto begun = parts_.clock.steady_now();
    auto next_at = begun;
    while (!watch.waker.stopped()) {
        const auto heard = watch.heard.take();
        look_at_named(watch, all, heard.names);
        if (!heard.names.empty()) next_at = std::min<SteadyTime>(next_at, begun + named_gap);
        const auto now = parts_.clock.steady_now();
        if (!heard.others && now < next_at) {
            watch.waker.wait(next_at - now);
            continue;
        }
        begun = now;
        const bool all_looked = look_at_all(watch, all);
        if (all_looked && !watch.looked.exchange(true)) due_.notify();
        next_at = begun + (watch.looked ? wait_before_next_poll(settings_.poll_interval,
                                                                watch.failures.times())
                                        : not_now_wait);
    }
}

/// False where another producer is at some of it, or nobody knows the time.
bool Scheduler::look_at_all(Watch& watch, std::span<DueWatch> all) {
    bool sound = true;
    bool all_looked = true;
    for (auto& due : all) {
        if (watch.waker.stopped()) return false;
        const auto looked = settle(watch, due, due.look());
        sound = sound && looked != Look::failed;
        all_looked = all_looked && looked != Look::not_now;
    }
    if (sound) watch.failures.succeeded();
    return all_looked;
}

void Scheduler::look_at_named(Watch& watch, std::span<DueWatch> all, const DueNames& names) {
    for (auto& due : all) {
        if (names.empty() || watch.waker.stopped()) return;
        std::ignore = settle(watch, due, due.look_at(names));
    }
}

void Scheduler::empty_outbox(Watch& watch) {
    Outbox outbox{{watch.outbox_pool ? *watch.outbox_pool : parts_.ledger, parts_.ledger,
                   parts_.systems, parts_.probe, parts_.publish, to_times(settings_), parts_.clock},
                  watch.system};
    while (!watch.outbox_waker.stopped()) {
        const auto turn = outbox.turn();
        if (turn) {
            watch.outbox_failures.succeeded();
            if (turn.value().published == Outbox::rows_max) continue;  // There may be more.
        } else {
            watch.outbox_failures.failed(turn.error());
        }
        watch.outbox_waker.wait(
            wait_before_next_poll(settings_.poll_interval, watch.outbox_failures.times()));
    }
}

void Scheduler::publish_again() {
    Republisher republisher{
        {parts_.ledger, parts_.systems, parts_.probe, parts_.publish, [this] { due_.notify(); }},
        to_times(settings_)};
    const std::chrono::milliseconds interval =
        std::clamp(settings_.republish_after / 4, untaken_interval_min, untaken_interval_max);
    Failures failures{parts_.clock};
    while (!untaken_.stopped()) {
        const auto more = republisher.turn();
        if (more && more.value()) continue;
        if (more) {
            failures.succeeded();
        } else {
            failures.failed(more.error());
        }
        untaken_.wait(wait_before_next_poll(interval, failures.times()));
    }
}

void Scheduler::replay() {
    Replayer replayer{{*replaying_pool_, [this] { return ordered_.stopped(); }}};
    Failures failures{parts_.clock};
    while (!ordered_.stopped()) {
        if (const auto done = replayer.turn()) {
            failures.succeeded();
        } else {
            failures.failed(done.error());
        }
        ordered_.wait(wait_before_next_poll(replays_interval, failures.times()));
    }
}

Scheduler::Look Scheduler::settle(Watch& watch, const DueWatch& due,
                                  const Result<DueWatch::Look>& done) {
    const auto& system = watch.system.name;
    const auto& kind = due.schedule().kind;
    if (!done) {
        watch.failures.failed(done.error());
        parts_.probe.due_query_failed(system, kind);
        return Look::failed;
    }
    const auto& look = done.value();
    if (look.not_now) return Look::not_now;
    parts_.probe.due_query(system, kind, look.query_took);
    if (look.report) report(watch, due.schedule(), *look.report, look.whole);
    return Look::done;
}

void Scheduler::report(Watch& watch, const Schedule& schedule, const RefreshReport& report,
                       bool whole) {
    const auto& system = watch.system.name;
    const auto& tally = report.tally;
    parts_.probe.notifications(system, schedule.kind, "found", tally.found);
    parts_.probe.notifications(system, schedule.kind, "changed", tally.changed);
    parts_.probe.notifications(system, schedule.kind, "cancelled", tally.cancelled);
    parts_.probe.notifications(system, schedule.kind, "stopped", tally.stopped);
    if (whole) parts_.probe.unusable(system, schedule.kind, report.unusable);
    if (report.unusable > 0 || report.cut) {
        watch.warnings.at(schedule.kind)
            .warn(fmt::format(
                "the due query of {} in {}: {} of {} rows cannot be used and are left out{}{}{}",
                schedule.kind, system, report.unusable, report.rows,
                report.unusable > 0 ? ", by due_at the first is " : "", report.fault,
                report.cut ? "; more rows than are taken in: nothing is cancelled, shorten "
                             "producer.horizon_s"
                           : ""));
    }
    if (tally.is_news()) {
        spdlog::info("{} {}: {} found, {} changed, {} cancelled, {} stopped", system, schedule.kind,
                     tally.found, tally.changed, tally.cancelled, tally.stopped);
        due_.notify();
    }
}

}  // namespace fanfare
