// Jobs, their plans, and what people do to them.
#include "tests/simulation/store_model.hpp"

#include <algorithm>

namespace fanfare::simulation {
namespace {

constexpr std::chrono::seconds published_again_after{5};

}  // namespace

std::string StoreModel::twin_of(std::string job) {
    job.front() = '1';
    return job;
}

bool StoreModel::take_job(const NewJob& job) {
    if (jobs_.contains(job.id)) {
        auto twin = job;
        twin.id = twin_of(job.id);
        if (plant_ != Plant::job_taken_twice || jobs_.contains(twin.id)) return false;
        jobs_.emplace(twin.id, Job{twin, Job::State::planning, {}, {}, {}, 0, 0, 0, {}, false});
        return true;
    }
    jobs_.emplace(job.id, Job{job, Job::State::planning, {}, {}, {}, 0, 0, 0, {}, false});
    story_.tell("job {} is taken: {} people", job.id, job.people.size());
    return true;
}

const StoreModel::Job* StoreModel::find_job(const std::string& id) const {
    const auto found = jobs_.find(id);
    return found == jobs_.end() ? nullptr : &found->second;
}

bool StoreModel::is_expired(const Job& job) const {
    return plant_ != Plant::expiry_ignored && job.expires_at && *job.expires_at <= now();
}

std::string StoreModel::origin_of(const std::string& id) const {
    const auto* const job = find_job(id);
    return job == nullptr || job->replay_of.empty() ? id : job->replay_of;
}

bool StoreModel::is_held(const std::string& job) const {
    const auto* const found = find_job(job);
    return found != nullptr && found->held_since.has_value();
}

/// Further ahead than any is: a clock that was wrong has written it.
bool StoreModel::is_nobodys(SteadyTime plan_lease) const {
    constexpr std::chrono::minutes lease_max{15};
    return plan_lease <= now() || plan_lease > now() + lease_max;
}

std::optional<StoreModel::PlanTask> StoreModel::claim_plan(const std::string& id,
                                                           std::chrono::milliseconds lease) {
    auto& job = jobs_.at(id);
    const bool is_free = plant_ == Plant::plan_without_lease || is_nobodys(job.plan_lease);
    if (job.state != Job::State::planning || !is_free) return std::nullopt;
    if (plant_ != Plant::plan_without_lease) ++job.plan_epoch;
    job.plan_lease = now() + lease;
    return PlanTask{id, job.plan_epoch, job.next_number, job.cursor};
}

std::optional<ledger::ChunkKey> StoreModel::write_plan(PlanTask& task,
                                                       std::chrono::milliseconds lease) {
    auto& job = jobs_.at(task.job);
    const bool fenced = plant_ != Plant::plan_unfenced && plant_ != Plant::plan_without_lease;
    if (fenced && job.plan_epoch != task.epoch) return std::nullopt;
    if (job.state != Job::State::planning) return std::nullopt;
    // After a lost answer nobody knows what was written last.
    if (fenced) {
        task.cursor = job.cursor;
        task.number = job.next_number;
    }
    const auto end = std::min(task.cursor + job.chunk_people, job.people.size());
    if (task.cursor >= end) return std::nullopt;
    while (!fenced && chunks_.contains({task.job, Channel::push, task.number})) ++task.number;
    ledger::ChunkKey key{task.job, Channel::push, task.number};
    add(key,
        {job.people.begin() + static_cast<std::ptrdiff_t>(task.cursor),
         job.people.begin() + static_cast<std::ptrdiff_t>(end)},
        job.on_doubt, published_again_after);
    task.cursor = end;
    ++task.number;
    job.next_number = std::max(job.next_number, task.number);
    job.plan_lease = now() + lease;
    // The other transaction: it comes with the next one, or never.
    if (plant_ != Plant::cursor_apart || end == job.people.size()) job.cursor = end;
    return key;
}

void StoreModel::finish_plan(const PlanTask& task) {
    auto& job = jobs_.at(task.job);
    const bool is_whole = task.cursor >= job.people.size();
    if (job.state != Job::State::planning || job.plan_epoch != task.epoch || !is_whole) return;
    job.state = Job::State::sending;
    job.is_planned = true;
}

std::vector<std::string> StoreModel::unplanned() const {
    std::vector<std::string> found;
    for (const auto& [id, job] : jobs_) {
        const bool is_free = plant_ == Plant::plan_without_lease || is_nobodys(job.plan_lease);
        if (job.state == Job::State::planning && is_free) found.push_back(id);
    }
    return found;
}

/// Nobody was tried of it: it needs nobody who knows more.
void StoreModel::settle_untouched(Chunk& chunk) {
    if (chunk.state != State::planned) return;
    const auto origin = origin_of(chunk.key.job);
    const auto is_its = [&](const auto& entry) { return entry.first.second == origin; };
    // Who holds a place under a cap is left to the sweep.
    const bool has_places = std::any_of(places_.begin(), places_.end(), is_its);
    if (chunk.is_untouched && !has_places) {
        chunk.updated_at = now();
        chunk.is_untouched = false;
        chunk.state = State::done;
        chunk.outcomes.assign(chunk.recipients.size(), static_cast<char>(Outcome::cancelled));
        chunk.reasons.assign(chunk.recipients.size(), static_cast<char>(Reason::job_cancelled));
    } else if (chunk.next_at > now()) {
        chunk.next_at = chunk.publish_at = now();
        chunk.due_at = truth_.steady_now();
    }
}

void StoreModel::cancel(const std::string& id) {
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return;
    std::vector<std::string> all{id};
    for (const auto& [other, job] : jobs_) {
        if (job.replay_of == id) all.push_back(other);
    }
    for (const auto& one : all) {
        auto& job = jobs_.at(one);
        if (job.state == Job::State::cancelled) continue;
        job.state = Job::State::cancelled;
        job.cancelled_at = truth_.steady_now();
        story_.tell("job {} is cancelled", one);
        for (auto& [key, chunk] : chunks_) {
            if (key.job == one) settle_untouched(chunk);
        }
    }
}

void StoreModel::hold(const std::string& id, bool held) {
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return;
    story_.tell("job {} {}", id, held ? "is paused by an operator" : "goes on");
    if (held) {
        found->second.held_since = truth_.steady_now();
    } else {
        found->second.held_since.reset();
    }
}

bool StoreModel::is_cancelled(const std::string& id) const {
    const auto* const job = find_job(id);
    return job != nullptr && job->cancelled_at.has_value();
}

std::size_t StoreModel::replay(const std::string& id, const std::string& as) {
    const auto found = jobs_.find(id);
    if (found == jobs_.end() || found->second.cancelled_at || jobs_.contains(as)) return 0;
    std::vector<std::string> people;
    for (auto& [key, chunk] : chunks_) {
        const bool may = chunk.state != State::claimed || plant_ == Plant::replay_of_claimed;
        if (key.job != id || key.channel != Channel::push || !may) continue;
        for (std::size_t i = 0; i < chunk.recipients.size(); ++i) {
            const auto outcome = static_cast<Outcome>(chunk.outcomes[i]);
            const bool is_open = plant_ == Plant::replay_of_claimed && !is_final(outcome);
            if (outcome != Outcome::failed && outcome != Outcome::unknown && !is_open) continue;
            people.push_back(chunk.recipients[i]);
            if (outcome == Outcome::unknown) keep_place(chunk.recipients[i], id);
            if (plant_ == Plant::replay_keeps_old) continue;
            chunk.outcomes[i] = static_cast<char>(Outcome::replayed);
        }
    }
    if (people.empty()) return 0;
    std::sort(people.begin(), people.end());
    NewJob order = found->second;
    order.id = as;
    order.people = people;
    Job job{order, Job::State::sending, id, {}, {}, people.size(), 0, 0, {}, true};
    for (std::size_t begin = 0; begin < people.size(); begin += order.chunk_people) {
        const auto end = std::min(begin + order.chunk_people, people.size());
        add({as, Channel::push, job.next_number++},
            {people.begin() + static_cast<std::ptrdiff_t>(begin),
             people.begin() + static_cast<std::ptrdiff_t>(end)},
            order.on_doubt);
    }
    jobs_.emplace(as, std::move(job));
    story_.tell("job {} takes {} people of {} over", as, people.size(), id);
    return people.size();
}

}  // namespace fanfare::simulation
