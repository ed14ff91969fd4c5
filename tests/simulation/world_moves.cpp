// What happens to a world from outside.
#include "tests/simulation/world.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace fanfare::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds session_timeout{6};  // Until the group notices that somebody is gone.
constexpr seconds drain_max{10};

}  // namespace

const std::string* World::job_of(const Move& move) const {
    auto found = orders_.begin();
    std::advance(found, static_cast<std::ptrdiff_t>(move.which % orders_.size()));
    return &found->first;
}

bool World::is_frozen(const SimulatedWorker& worker) const {
    return std::any_of(frozen_.begin(), frozen_.end(),
                       [&worker](const auto& entry) { return entry.second == &worker; });
}

bool World::is_dead(const SimulatedWorker& worker) const {
    return std::find(dead_.begin(), dead_.end(), &worker) != dead_.end();
}

/// It is never run again, and another one begins.
void World::bury(SimulatedWorker& worker, milliseconds back_after) {
    time_.detach(worker.loop());
    dead_.push_back(&worker);
    births_.push_back(time_.steady_now() + back_after);
}

void World::crash(SimulatedWorker& worker, milliseconds back_after) {
    story_.tell("worker {} dies", worker.number());
    bury(worker, back_after);
    missing_.emplace_back(time_.steady_now() + session_timeout, worker.number());
}

/// In order: its partitions are others' at once.
void World::end(SimulatedWorker& worker, milliseconds back_after) {
    story_.tell("worker {} ends", worker.number());
    bury(worker, back_after);
    topic_.leave(worker.number());
}

void World::drain(SimulatedWorker& worker, milliseconds back_after) {
    const auto is_same = [&worker](const auto& drain) { return drain.worker == &worker; };
    if (std::any_of(drains_.begin(), drains_.end(), is_same)) return;
    story_.tell("worker {} is told to end", worker.number());
    worker.drain();
    drains_.push_back({time_.steady_now() + drain_max, back_after, &worker});
}

/// Who has drained, or had the time for it, is gone; a crash or a pause may have come first.
void World::end_drained() {
    const auto now = time_.steady_now();
    std::erase_if(drains_, [&](const Drain& drain) {
        if (is_frozen(*drain.worker)) return false;
        if (is_dead(*drain.worker)) return true;
        const bool is_over = drain.worker->is_drained();
        if (!is_over && now < drain.until) return false;
        // A request has five seconds, and what is known of it is written then.
        const bool may_take_longer =
            plan_.odds.slow_query > 0 ||
            plan_.count(MoveKind::outage) + plan_.count(MoveKind::pause) > 0;
        if (!is_over && !may_take_longer) store_.breaks("a worker does not end when it is told to");
        if (is_over) {
            end(*drain.worker, drain.back_after);
        } else {
            store_.cut_off_drain();
            crash(*drain.worker, drain.back_after);
        }
        return true;
    });
}

void World::replay(const Move& move) {
    const auto* const job = job_of(move);
    auto as = *job;
    as.front() = static_cast<char>('2' + replays_++);
    make_context(as, *job);
    std::ignore = store_.replay(*job, as);
}

/// What happens to one of the workers.
void World::move_worker(const Move& move) {
    SimulatedWorker& worker = *workers_[move.which % workers_.size()];
    if (move.kind == MoveKind::machine) {
        story_.tell("the calendar of worker {}'s machine jumps", worker.number());
        worker.machine().jump(milliseconds{move.which % 2 == 0 ? 2'220'000 : -2'220'000});
        return;
    }
    if (is_frozen(worker) || is_dead(worker)) return;
    if (move.kind == MoveKind::crash) return crash(worker, move.lasts);
    if (move.kind == MoveKind::drain) return drain(worker, move.lasts);
    story_.tell("worker {} stands still", worker.number());
    time_.freeze(worker.loop());
    frozen_.emplace_back(time_.steady_now() + move.lasts, &worker);
    missing_.emplace_back(time_.steady_now() + session_timeout, worker.number());
}

void World::carry_out(const Move& move) {
    switch (move.kind) {
        case MoveKind::crash:
        case MoveKind::pause:
        case MoveKind::drain:
        case MoveKind::machine:
            move_worker(move);
            break;
        case MoveKind::outage:
            story_.tell("the ledger is away");
            store_.set_away(time_.steady_now() + move.lasts);
            break;
        case MoveKind::storm:
            begin_storm(move);
            break;
        case MoveKind::cancel:
            store_.cancel(*job_of(move));
            break;
        case MoveKind::hold:
            store_.hold(*job_of(move), true);
            releases_.emplace_back(time_.steady_now() + move.lasts, *job_of(move));
            break;
        case MoveKind::replay:
            replay(move);
            break;
        case MoveKind::leave: {
            const auto& people = orders_.at(*job_of(move)).people;
            inbox_.leaves(people[move.which % people.size()]);
            break;
        }
        case MoveKind::rebalance:
            topic_.rebalance(move.which);
            break;
        case MoveKind::repeat:
            topic_.publish({*job_of(move), std::nullopt});
            break;
        case MoveKind::wipe:
            wipe(move);
            break;
        case MoveKind::clock:
            step_clock(move);
            break;
        case MoveKind::reload:
        case MoveKind::rotate:
            change_settings(move);
            break;
    }
}

void World::begin_storm(const Move& move) {
    constexpr std::array<Storm, 3> storms{Storm::broken, Storm::unreachable, Storm::silent};
    const std::string account = move.which % 2 == 0 || plan_.accounts == 1 ? "north" : "south";
    story_.tell("account {} serves nobody", account);
    inbox_.begins_storm(account, storms.at(move.which / 2 % storms.size()),
                        time_.steady_now() + move.lasts);
}

/// Everything, what was ordered, or what was planned.
void World::wipe(const Move& move) {
    switch (move.which % 4) {
        case 0:
            story_.tell("the topic of jobs is empty");
            topic_.wipe(0, TopicModel::partition_count / 2);
            break;
        case 1:
            story_.tell("the topic of chunks is empty");
            topic_.wipe(TopicModel::partition_count / 2, TopicModel::partition_count);
            break;
        default:
            story_.tell("all topics are empty");
            topic_.wipe(0, TopicModel::partition_count);
    }
}

/// By more than anybody would take for a clock that is read late.
void World::step_clock(const Move& move) {
    constexpr std::array<seconds, 6> steps{seconds{3'600}, seconds{-3'600}, seconds{95},
                                           seconds{-95},   seconds{30},     seconds{-30}};
    const auto ahead = steps.at(move.which % steps.size());
    // Of a clock that is set for good it is morning at another moment.
    const bool stays = move.lasts.count() == 0 && plan_.nights == Nights::Rule::none;
    if (stays) {
        // What is true from now on is what it shows, and nobody can know before it has stood.
        clock_set_ = ahead;
        clock_set_at_ = time_.steady_now();
    } else {
        const auto ends = time_.steady_now() + std::max<milliseconds>(move.lasts, seconds{1});
        clock_right_at_ = std::max(clock_right_at_.value_or(SteadyTime{}), ends);
    }
    const bool all_know = std::all_of(workers_.begin(), workers_.end(),
                                      [](const auto& worker) { return worker->knows_the_time(); });
    if (stays) store_.set_slack(std::nullopt);
    if (!all_know) believe_wrong_clock();
    store_.set_clock(ahead);
}

void World::change_settings(const Move& move) {
    ++file_.revision;
    Dice dice{move.which};
    if (move.kind == MoveKind::reload) {
        file_.per_second =
            static_cast<double>(dice.hits(500) ? 3 + dice.below(4) : 5 + dice.below(95));
        file_.concurrency = static_cast<std::uint32_t>(1 + dice.below(6));
        file_.weight = static_cast<std::uint32_t>(dice.below(3));
        inbox_.allows(file_.per_second);
        story_.tell("in the settings: {} a second, {} requests at once, weight {}",
                    file_.per_second, file_.concurrency, file_.weight);
        return;
    }
    const std::string account = dice.hits(500) || plan_.accounts == 1 ? "north" : "south";
    const auto credential = ++file_.credentials[account];
    story_.tell("account {} has another credential", account);
    const auto kept_for = dice.between(0, 6'000);
    revocations_.emplace_back(time_.steady_now() + kept_for, Revocation{account, credential});
}

}  // namespace fanfare::simulation
