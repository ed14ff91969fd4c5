#include "tests/simulation/world.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace fanfare::simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds second{1};
constexpr seconds lease{20};  // Of all workers.

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
                                                {"show.live/push.body.mustache", "Now"},
                                                {"show.live/email.subject.mustache", "Live"},
                                                {"show.live/email.text.mustache", "Now"}};
        made->templates = std::get<Templates>(Templates::parse(texts));
        return made;
    }();
    return *job;
}

/// What the world's notifications are, beside that.
Kind kind_of(const WorldPlan& plan) {
    Kind kind = *the_job().kind;
    kind.quiet_hours = plan.sleepers().quiet_hours();
    if (plan.at_most > 0) {
        kind.at_most = Cap{static_cast<std::int32_t>(plan.at_most), std::chrono::hours{24}};
    }
    if (plan.turns) kind.fallback[static_cast<std::size_t>(Channel::push)] = Channel::email;
    for (auto& policy : kind.on_doubt) policy = plan.on_doubt;
    return kind;
}

}  // namespace

World::World(const WorldPlan& plan, bool wants_story)
    : plan_{plan},
      time_{plan.sleepers().begins()},
      story_{time_, wants_story},
      store_{time_, story_, plan.plant},
      inbox_{{plan_, time_, store_, story_}},
      kind_{kind_of(plan)} {
    time_.attach(outside_);
    file_.per_second = plan.per_second;
    inbox_.allows(plan.per_second);
    store_.set_nights(plan.sleepers(), plan.devices);
    // A way to the ledger and back takes two seconds at most, or is no reading of its clock.
    if (plan.has_clocks()) store_.set_slack(milliseconds{1'100});
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
    make_context(order.id, order.id);
    topic_.publish({order.id, std::nullopt});
    if (plan_.plant == Plant::job_taken_twice) {
        make_context(StoreModel::twin_of(order.id), order.id);
    }
    orders_.emplace(order.id, std::move(order));
}

void World::make_context(const std::string& id, const std::string& origin) {
    auto made = std::make_shared<JobContext>();
    const auto& common = the_job();
    made->job = common.job;
    made->job.id = id;
    made->job.channels = {Channel::push};
    made->origin = origin;
    made->system = common.system;
    made->kind = &kind_;
    made->templates = common.templates;
    if (plan_.expires_after.count() > 0 && plan_.plant != Plant::expiry_ignored) {
        made->job.expires_at = plan_.sleepers().begins() + plan_.expires_after;
    }
    jobs_.emplace(id, std::move(made));
}

/// Somebody knows the time by that clock alone, and may say of what they claim anything.
void World::believe_wrong_clock() {
    store_.set_slack(std::nullopt);
    store_.doubt_leases();
}

void World::begin_worker() {
    milliseconds off{0};
    if (plan_.has_clocks()) {
        Dice dice{plan_.seed * 37 + begun_};
        if (dice.hits(500)) off = dice.between(0, 7'000'000) - milliseconds{3'500'000};
        // Whoever begins now believes what the ledger's clock shows, and may not.
        if (store_.ahead() != clock_set_) believe_wrong_clock();
        // Leases of the clock before end at once by one that was set ahead, and nobody told them.
        if (clock_set_at_ && time_.steady_now() < *clock_set_at_ + lease) store_.doubt_leases();
    }
    const SimulatedWorker::Parts parts{
        plan_,   time_, store_, inbox_,   topic_, story_, outside_.get_executor(),
        orders_, jobs_, file_,  begun_++, off};
    workers_.push_back(std::make_unique<SimulatedWorker>(parts));
}

/// What is due by now: each virtual second.
void World::tick() {
    const auto now = time_.steady_now();
    end_drained();
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
    std::erase_if(revocations_, [&](const auto& entry) {
        if (entry.first > now) return false;
        inbox_.revokes(entry.second.account, entry.second.below);
        return true;
    });
    if (clock_right_at_ && *clock_right_at_ <= now) {
        clock_right_at_.reset();
        store_.set_clock(clock_set_);
    }
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
    return all_taken && moves_.empty() && frozen_.empty() && drains_.empty() && births_.empty() &&
           !clock_right_at_ && store_.is_settled();
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
    if (verdict.is_good()) return verdict;
    for (const auto& [key, chunk] : store_.chunks()) {
        if (chunk.state == StoreModel::State::done) continue;
        story_.tell("chunk {}/{} is open, due after {} s", key.job, key.number,
                    std::chrono::duration<double>(chunk.next_at - time_.steady_now()).count());
    }
    story_.tell("in the end: {}", verdict.first());
    return verdict;
}

seconds World::took() const {
    return std::chrono::floor<seconds>(time_.steady_now().time_since_epoch());
}

}  // namespace fanfare::simulation
