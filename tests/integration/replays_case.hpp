#pragma once

#include "core/ledger/replays.hpp"
#include "tests/integration/ledger_case.hpp"

namespace fanfare::ledger {

/// Settled jobs, and replays of them.
class ReplaysTest : public LedgerCase {
protected:
    /// A job with one chunk a list of (person, outcome).
    struct Person {
        std::string id;
        Outcome outcome;
        Reason reason = Reason::none;
    };
    std::string settled(const std::string& name, const std::vector<std::vector<Person>>& chunks) {
        const auto job = accept(name);
        std::vector<std::vector<std::string>> groups;
        for (const auto& chunk : chunks) {
            auto& group = groups.emplace_back();
            for (const auto& person : chunk) group.push_back(person.id);
        }
        plan(job, groups);
        for (std::size_t i = 0; i < chunks.size(); ++i) {
            const auto claimed = claim({key(job, static_cast<std::int32_t>(i))});
            std::string outcomes, reasons;
            for (const auto& person : chunks[i]) {
                outcomes.push_back(static_cast<char>(person.outcome));
                reasons.push_back(static_cast<char>(person.reason));
            }
            auto entry = record_for(claimed.at(0), outcomes);
            entry.reasons = reasons;
            EXPECT_THAT(record(entry), ::testing::SizeIs(1));
        }
        finish_jobs(db(), {});
        return job;
    }
    static ReplayOrder order_of(const std::string& key,
                                std::vector<Outcome> outcomes = {Outcome::failed}) {
        ReplayOrder order;
        order.key = key;
        order.who = "a test";
        order.because = "to see";
        order.filter.outcomes = std::move(outcomes);
        return order;
    }
    /// All of it, as the command does; the new jobs.
    std::vector<std::string> replay(const ReplayOrder& order) { return replay(db(), order); }
    static std::vector<std::string> replay(Connection& connection, const ReplayOrder& order) {
        const auto id = begin_replay(connection, order).id;
        std::vector<std::string> jobs;
        for (const auto& job : replayable_jobs(connection, order)) {
            const auto done = replay_job(connection, id, order, job);
            if (!done.job.empty()) jobs.push_back(done.job);
        }
        end_replay(connection, id, 0);
        return jobs;
    }
    std::vector<std::string> people_of(const std::string& job) {
        return ledger.column("SELECT recipient FROM delivery WHERE job_id = '" + job +
                             "' ORDER BY recipient");
    }
};

}  // namespace fanfare::ledger
