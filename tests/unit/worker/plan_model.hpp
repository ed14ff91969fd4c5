#pragma once

#include "core/clock/timer.hpp"
#include "core/clock/virtual_time.hpp"
#include "worker/plan/audience_source.hpp"
#include "worker/plan/descriptors.hpp"
#include "worker/plan/plan_store.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::test {

/// One job's plan as core/ledger/jobs.cpp means it, in plain steps, and a ledger that is away or
/// loses answers when a test says so.
class PlanModel final : public PlanStore {
public:
    using Task = std::optional<ledger::PlanTask>;
    explicit PlanModel(const Clock& clock, const std::string& job = "j") : clock_{clock} {
        task.job = job;
    }

    Result<Task> claim(const std::string&, std::chrono::milliseconds lease) override {
        if (is_away) return away();
        if (state != "planning" || (free_at && *free_at >= clock_.steady_now())) return Task{};
        ++task.epoch;
        ++task.unheard;
        return extend(lease);
    }
    Result<void> keep(std::span<Held> plans, std::chrono::milliseconds lease) override {
        if (is_away) return away();
        ++beats;
        for (auto& plan : plans) {
            plan.is_ours = plan.job == task.job && is_of(plan.epoch);
            if (plan.is_ours) extend(lease);
        }
        return {};
    }
    Result<Understood> understand(const ledger::PlanTask&) override {
        if (is_away) return away();
        if (!context) return Understood{nullptr, fail(Errc::job_rejected, "understand it")};
        return Understood{context, {}};
    }
    Result<std::int64_t> cancel_earlier(const JobContext&) override {
        if (is_away) return away();
        return earlier_in_hand;
    }
    Result<bool> write(const ledger::PlanTask& mine, Lane, std::span<const ledger::NewChunk> chunks,
                       std::chrono::milliseconds lease, std::chrono::milliseconds) override {
        if (is_away) return away();
        if (!is_of(mine.epoch)) return false;
        for (const auto& chunk : chunks) written.push_back(chunk);
        task = mine;
        task.unheard = task.failures = 0;
        extend(lease);
        if (std::exchange(loses_next_answer, false)) return fail(Errc::commit_in_doubt, "commit");
        return true;
    }
    Result<bool> finish(const ledger::PlanTask& mine) override {
        if (is_away) return away();
        if (!is_of(mine.epoch)) return false;
        task.left_out = mine.left_out;
        state = written.empty() ? "done" : "sending";
        return true;
    }
    Result<std::vector<ledger::PlanTask>> claim_many(std::span<const std::string> jobs,
                                                     std::chrono::milliseconds lease) override {
        std::vector<ledger::PlanTask> claimed;
        if (std::find(jobs.begin(), jobs.end(), task.job) == jobs.end()) return claimed;
        const auto mine = claim(task.job, lease);
        if (!mine) return mine.error();
        if (mine.value()) claimed.push_back(*mine.value());
        return claimed;
    }
    Result<std::vector<std::string>> write_whole(std::span<const ledger::WholePlan> plans,
                                                 std::chrono::milliseconds) override {
        if (is_away) return away();
        std::vector<std::string> ours;
        for (const auto& plan : plans) {
            if (plan.task.job != task.job || !is_of(plan.task.epoch)) continue;
            written.insert(written.end(), plan.chunks.begin(), plan.chunks.end());
            task = plan.task;
            state = plan.chunks.empty() ? "done" : "sending";
            ours.push_back(task.job);
        }
        return ours;
    }
    Result<void> unclaim(const ledger::PlanTask& mine) override {
        if (is_away) return away();
        if (!is_of(mine.epoch)) return {};
        ++unclaimed;
        --task.unheard;
        free_at.reset();
        return {};
    }
    Result<Task> look_again(const ledger::PlanTask& mine,
                            std::chrono::milliseconds lease) override {
        if (is_away) return away();
        return is_of(mine.epoch) ? extend(lease) : Task{};
    }
    Result<bool> note_failure(const ledger::PlanTask& mine,
                              const ledger::PlanFailure& failure) override {
        if (is_away) return away();
        if (!is_of(mine.epoch)) return false;
        failures.push_back(failure);
        if (failure.final || (expires_at && *expires_at <= clock_.now())) {
            state = written.empty() ? "failed" : "sending";
            return true;
        }
        task.unheard = 0;
        task.failures += failure.counts ? 1 : 0;
        extend(failure.wait);
        return false;
    }
    Result<void> postpone(const ledger::PlanTask& mine, std::chrono::milliseconds wait) override {
        if (is_away) return away();
        ++postponed;
        if (!is_of(mine.epoch)) return {};
        task.unheard = 0;
        extend(wait);
        return {};
    }

    /// Another worker has it from now on.
    void take_over() { ++task.epoch; }
    /// Everybody of a channel's chunks, in the order in which they were written.
    [[nodiscard]] std::vector<std::string> people(Channel channel) const {
        std::vector<std::string> people;
        postgres::TextArray array;
        for (const auto& chunk : written) {
            if (chunk.channel != channel) continue;
            postgres::parse_array(chunk.recipients, array);
            people.insert(people.end(), array.elements.begin(), array.elements.end());
        }
        return people;
    }

    bool is_away = false, loses_next_answer = false;
    std::int64_t earlier_in_hand = 0;  // Chunks that somebody is sending.
    std::optional<TimePoint> expires_at;
    Context context;
    ledger::PlanTask task;
    std::string state = "planning";
    std::optional<SteadyTime> free_at;  // When its lease ends.
    int beats = 0, postponed = 0, unclaimed = 0;
    std::vector<ledger::NewChunk> written;
    std::vector<ledger::PlanFailure> failures;

private:
    static Failure away() { return fail(Errc::store_unavailable, "ask"); }
    [[nodiscard]] bool is_of(std::int32_t epoch) const {
        return state == "planning" && epoch == task.epoch;
    }
    Task extend(std::chrono::milliseconds by) {
        free_at = clock_.steady_now() + by;
        return task;
    }
    const Clock& clock_;
};

/// People in order; how long a query takes, and what becomes of it, says the test.
class AudienceModel final : public AudienceSource {
public:
    explicit AudienceModel(VirtualTime& time) : time_{time} {}

    Tried check(const JobContext&, TimePoint, PlanKeeper::Hold&) override {
        ++checks;
        return unsound;
    }
    Tried read(const JobContext&, const std::string& cursor, std::size_t batch,
               PlanKeeper::Hold& hold, const Each& each) override {
        ++reads;
        if (unreachable) return PlanFault{PlanFault::Place::source, *unreachable};
        bool ended = false;
        std::counting_semaphore asked_to_end{0};
        const PlanKeeper::Reading reading{hold, [&] { asked_to_end.release(); }};
        const auto begun = time_.steady_now();
        while (!ended && time_.steady_now() < begun + takes) {
            time_.run_for(std::chrono::milliseconds{10});
            if (!hold.is_over()) continue;
            time_.run_for(std::chrono::milliseconds{100});  // A look, which has a thread ask.
            ended = asked_to_end.try_acquire_for(std::chrono::seconds{30});
        }
        took = time_.steady_now() - begun;
        auto next = std::upper_bound(people.begin(), people.end(), cursor);
        while (!ended && !hold.is_over()) {
            const auto left = static_cast<std::size_t>(people.end() - next);
            const auto end = next + static_cast<std::ptrdiff_t>(std::min(batch, left));
            const std::vector<std::string_view> ids{next, end};
            if (breaks_at && std::find(next, end, *breaks_at) != end) {
                return PlanFault{PlanFault::Place::query, fail(breaks_with, "read the audience")};
            }
            next = end;
            if (before_each) before_each();
            if (auto fault = each(ids, ids.empty() ? left_out : 0)) return fault;
            if (ids.empty()) break;
        }
        if (!hold.is_over()) return std::nullopt;
        return PlanFault{PlanFault::Place::query, fail(Errc::store_unavailable, "interrupted")};
    }

    Result<void> read_small(std::span<SmallAudience* const> audiences, std::size_t people_max,
                            std::chrono::milliseconds, PlanKeeper::Hold&) override {
        ++reads_together;
        if (breaks_together) return *breaks_together;
        if (before_small) before_small();
        for (auto* const audience : audiences) {
            const auto& all = of_job.at(audience->job->job.id);
            audience->is_whole = all.size() <= people_max;
            if (audience->is_whole) audience->ids = all;
            audience->left_out = left_out;
        }
        return {};
    }

    std::vector<std::string> people;
    std::map<std::string, std::vector<std::string>> of_job;  // As read_small() gives them.
    std::optional<Failure> breaks_together;
    std::function<void()> before_small;
    int reads_together = 0;
    std::int64_t left_out = 0;
    std::chrono::nanoseconds takes{0}, took{0};  // Until the first row.
    std::optional<std::string> breaks_at;
    Errc breaks_with = Errc::store_rejected;
    std::optional<Failure> unreachable;
    std::optional<PlanFault> unsound;
    std::function<void()> before_each;
    int checks = 0, reads = 0;

private:
    VirtualTime& time_;
};

/// Notes what was told, or takes nothing.
class DescriptorsNoted final : public Descriptors {
public:
    Result<void> publish(Lane lane, const ledger::ChunkKey& key) override {
        if (is_full) return fail(Errc::kafka_unavailable, "queue a record");
        told.emplace_back(lane, key);
        return {};
    }
    bool is_full = false;
    std::vector<std::pair<Lane, ledger::ChunkKey>> told;
};

}  // namespace fanfare::test
