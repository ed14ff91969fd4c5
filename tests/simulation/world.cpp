#include "tests/simulation/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace fanfare::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds session_timeout{6};  // Until the group notices that somebody is gone.
constexpr seconds second{1};

std::string job_id(std::size_t number) {
    return fmt::format("0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c{:02x}", number);
}

/// What all jobs have in common; made once.
const JobContext& the_job() {
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
        made->job.system = system.name;
        made->job.kind = kind.name;
        made->system = &system;
        made->kind = &kind;
        const std::vector<TemplateSource> texts{{"show.live/push.title.mustache", "Live"},
                                                {"show.live/push.body.mustache", "Now"}};
        made->templates = std::get<Templates>(Templates::parse(texts));
        return made;
    }();
    return *job;
}

}  // namespace

World::World(const WorldPlan& plan, bool wants_story)
    : plan_{plan},
      time_{TimePoint{}},
      story_{time_, wants_story},
      store_{time_, story_, plan.plant},
      inbox_{{plan_, time_, store_, story_}} {
    time_.attach(outside_);
    publish_jobs();
    for (std::size_t i = 0; i < plan.workers; ++i) begin_worker();
    moves_.assign(plan.moves.rbegin(), plan.moves.rend());
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
    time_.detach(outside_);
}

void World::publish_jobs() {
    for (std::size_t j = 0; j < plan_.jobs; ++j) {
        StoreModel::NewJob order;
        order.id = job_id(j);
        order.chunk_people = plan_.people;
        order.on_doubt = plan_.on_doubt;
        if (plan_.expires_after.count() > 0) {
            order.expires_at = time_.steady_now() + plan_.expires_after;
        }
        for (std::size_t i = 0; i < plan_.chunks * plan_.people; ++i) {
            order.people.push_back(fmt::format("{}{:03}", static_cast<char>('a' + j), i));
        }
        admit(std::move(order));
    }
}

void World::admit(StoreModel::NewJob order) {
    make_context(order.id);
    topic_.publish({order.id, std::nullopt});
    if (plan_.plant == Plant::job_taken_twice) make_context(StoreModel::twin_of(order.id));
    orders_.emplace(order.id, std::move(order));
}

void World::make_context(const std::string& id) {
    auto made = std::make_shared<JobContext>();
    const auto& common = the_job();
    made->job = common.job;
    made->job.id = id;
    made->system = common.system;
    made->kind = common.kind;
    made->templates = common.templates;
    if (plan_.expires_after.count() > 0 && plan_.plant != Plant::expiry_ignored) {
        made->job.expires_at = TimePoint{plan_.expires_after};
    }
    jobs_.emplace(id, std::move(made));
}

void World::begin_worker() {
    const SimulatedWorker::Parts parts{
        plan_,   time_, store_,  inbox_, topic_, story_, outside_.get_executor(),
        orders_, jobs_, begun_++};
    workers_.push_back(std::make_unique<SimulatedWorker>(parts));
}

const std::string* World::job_of(const Move& move) const {
    auto found = orders_.begin();
    std::advance(found, static_cast<std::ptrdiff_t>(move.which % orders_.size()));
    return &found->first;
}

void World::crash(SimulatedWorker& worker, milliseconds back_after) {
    story_.tell("worker {} dies", worker.number());
    time_.detach(worker.loop());
    dead_.push_back(&worker);
    missing_.emplace_back(time_.steady_now() + session_timeout, worker.number());
    births_.push_back(time_.steady_now() + back_after);
}

void World::replay(const Move& move) {
    const auto* const job = job_of(move);
    auto as = *job;
    as.front() = static_cast<char>('2' + replays_++);
    make_context(as);
    std::ignore = store_.replay(*job, as);
}

void World::carry_out(const Move& move) {
    SimulatedWorker& worker = *workers_[move.which % workers_.size()];
    const auto is_away = [&](const auto& entry) { return entry.second == &worker; };
    const bool is_here = std::none_of(frozen_.begin(), frozen_.end(), is_away) &&
                         std::find(dead_.begin(), dead_.end(), &worker) == dead_.end();
    switch (move.kind) {
        case MoveKind::crash:
            if (is_here) crash(worker, move.lasts);
            break;
        case MoveKind::pause:
            if (!is_here) break;
            story_.tell("worker {} stands still", worker.number());
            time_.freeze(worker.loop());
            frozen_.emplace_back(time_.steady_now() + move.lasts, &worker);
            missing_.emplace_back(time_.steady_now() + session_timeout, worker.number());
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
            story_.tell("all topics are empty");
            topic_.wipe();
            break;
    }
}

/// What is due by now: each virtual second.
void World::tick() {
    const auto now = time_.steady_now();
    std::erase_if(frozen_, [&](const auto& entry) {
        if (entry.first > now) return false;
        story_.tell("worker {} goes on", entry.second->number());
        time_.thaw(entry.second->loop());
        topic_.join(entry.second->number());
        return true;
    });
    std::erase_if(missing_, [&](const auto& entry) {
        if (entry.first > now) return false;
        topic_.leave(entry.second);
        return true;
    });
    std::erase_if(releases_, [&](const auto& entry) {
        if (entry.first > now) return false;
        store_.hold(entry.second, false);
        return true;
    });
    const auto due = std::erase_if(births_, [now](SteadyTime at) { return at <= now; });
    for (std::size_t i = 0; i < due; ++i) begin_worker();
    // Whoever wipes topics has jobs come from a table: what nobody took is published again.
    if (plan_.count(MoveKind::wipe) == 0) return;
    for (const auto& [id, order] : orders_) {
        const bool is_due = now.time_since_epoch() / second % 4 == 3;
        if (is_due && store_.find_job(id) == nullptr) topic_.publish({id, std::nullopt});
    }
}

void World::run_second() {
    const auto end = time_.steady_now() + second;
    while (time_.step(end)) {
        while (!moves_.empty() && moves_.back().at <= time_.steady_now().time_since_epoch()) {
            if (!counting_) {
                counting_ = true;
                steps_left_ = moves_.back().steps;
            }
            if (steps_left_-- > 0) break;
            counting_ = false;
            const auto move = moves_.back();
            moves_.pop_back();
            carry_out(move);
        }
    }
    time_.run_for(std::max(end - time_.steady_now(), SteadyTime::duration{0}));
    tick();
}

bool World::is_settled() const {
    const bool all_taken = std::all_of(orders_.begin(), orders_.end(), [this](const auto& order) {
        return store_.find_job(order.first) != nullptr;
    });
    return all_taken && moves_.empty() && frozen_.empty() && births_.empty() && store_.is_settled();
}

Verdict World::run(std::chrono::minutes most) {
    const auto end = time_.steady_now() + most;
    constexpr int calm_seconds = 12;  // Longer than anything that was under way.
    int settled_for = 0;
    while (time_.steady_now() < end && settled_for < calm_seconds && store_.broken().empty()) {
        run_second();
        settled_for = is_settled() ? settled_for + 1 : 0;
    }
    auto verdict = judge(plan_, store_, inbox_, orders_);
    if (!verdict.is_good()) story_.tell("in the end: {}", verdict.first());
    return verdict;
}

seconds World::took() const {
    return std::chrono::floor<seconds>(time_.steady_now().time_since_epoch());
}

}  // namespace fanfare::simulation
