// The model of the ledger against the ledger: the same random operations, the same rows after each.
#include "core/ledger/bucket.hpp"
#include "core/ledger/caps.hpp"
#include "core/ledger/clock.hpp"
#include "tests/simulation/differential_case.hpp"

namespace fanfare::simulation {
namespace {

class Differential : public DifferentialCase {
protected:
    std::string step() {
        if (dice_.hits(150)) return apply_rule();
        const auto kind = dice_.below(100);
        if (kind < 25) return claim_some(), "claim";
        if (kind < 40) return mark_some(), "mark";
        if (kind < 62) return record_some(), "record";
        if (kind < 72) return pass(seconds{1 + dice_.below(25)}), "time";
        if (kind < 80) {
            const auto off = dice_.hits(200) ? seconds{-30} : seconds{0};
            take(ledger::take_over_stalled(db(), everything, claim_lease, database_time() + off),
                 model_->take_over(everything, claim_lease, model_->calendar_now() + off), true);
            return "take over";
        }
        if (kind < 84) {
            take(ledger::claim_of_ended_jobs(db(), everything, claim_lease),
                 model_->claim_ended(everything, claim_lease), true);
            return "claim of ended jobs";
        }
        if (kind < 88) return look_for_overdue(), "overdue";
        if (kind < 91) return hold_or_not(), "hold or go on";
        if (kind < 92) return cancel_one(), "cancel";
        if (kind < 97) return hear(), "receipt";
        std::ignore = ledger::apply_early_receipts(db(), everything);
        model_->apply_early();
        return "early receipts";
    }

    /// What some worlds have: caps, people who sleep, a clock that jumps.
    std::string apply_rule() {
        const auto kind = dice_.below(100);
        if (kind < 35) return split_some(), "split";
        if (kind < 65) return take_places(), "places";
        if (kind < 75) return jump(), "jump";
        if (kind < 85) return use_bucket(), "bucket";
        const auto off = dice_.hits(100) ? seconds{30} : seconds{0};
        std::ignore = ledger::mend_moments(db(), claim_lease, again_after, database_time() + off);
        model_->mend(claim_lease, again_after, model_->calendar_now() + off);
        return "mend";
    }

    void split_some() {
        std::vector<Held*> whole;
        for (auto& one : held_) {
            const auto& outcomes = one.chunk.outcomes;
            const bool is_open = outcomes.find_first_not_of('\0') == std::string::npos;
            if (!one.taken_over && is_open && outcomes.size() > 1) whole.push_back(&one);
        }
        if (whole.empty()) return;
        auto& chunk = whole[dice_.below(whole.size())]->chunk;
        const std::chrono::milliseconds wait{dice_.below(100'000)};
        std::vector<std::uint32_t> leaving;
        for (std::uint32_t i = 1; i < chunk.outcomes.size(); ++i) {
            if (dice_.hits(500)) leaving.push_back(i);
        }
        if (leaving.empty()) return;
        const auto since = clock_.now().time_since_epoch() + wait;
        const std::vector<ledger::Split> theirs{{begins + since, leaving}};
        const std::vector<ledger::Split> models{{TimePoint{} + since, leaving}};
        ledger::ChunkPeople same;
        copy(chunk, same);
        const bool is_ours = ledger::split_chunk(db(), chunk, chunk, theirs);
        EXPECT_EQ(is_ours, model_->split(chunk, same, models));
        EXPECT_EQ(chunk.recipients.elements, same.recipients.elements);
        EXPECT_EQ(hex(chunk.outcomes), hex(same.outcomes));
    }

    void take_places() {
        const auto& job = jobs_[dice_.below(job_count)];
        const auto channel = dice_.hits(700) ? Channel::email : Channel::sms;
        std::vector<std::string> people;
        for (std::size_t i = 0; i < chunks_each; ++i) {
            for (std::size_t k = 0; k < people_each; ++k) {
                if (dice_.hits(300)) people.push_back(fmt::format("u{}{}", i, k));
            }
        }
        const ledger::CapQuestion question{"shows", "show.reminder", job, 1,
                                           std::chrono::hours{8'760}};
        ledger::ChunkClaim claim;  // Of nobody, or of somebody who has lost it by now or has not.
        claim.key = {job, channel, 0};
        claim.epoch = 99;
        if (!held_.empty()) claim = held_[dice_.below(held_.size())].chunk;
        auto theirs =
            ledger::take_places(db(), question, channel, claim, postgres::to_array_literal(people));
        std::sort(theirs.begin(), theirs.end());
        EXPECT_EQ(theirs, model_->take_places(job, channel, claim, 1, people));
    }

    void jump() {
        constexpr std::array<int, 4> seconds_ahead{0, 3'600, -3'600, 95};
        set_clock(seconds{seconds_ahead.at(dice_.below(seconds_ahead.size()))});
    }

    void use_bucket() {
        const auto account = "of " + jobs_.front();
        if (dice_.hits(300)) {
            const std::chrono::milliseconds wait{1'000 * (1 + dice_.below(30))};
            std::ignore = ledger::block_account(db(), account, wait);
            model_->block(account, wait);
        } else {
            const auto tokens = static_cast<std::uint32_t>(1 + dice_.below(40));
            const auto slice = ledger::reserve_slice(db(), account, 10, tokens);
            expect_near(slice.begins_in, model_->lease_rate(account, 10, tokens));
        }
        const auto state = ledger::read_fleet_state(db());
        std::chrono::microseconds theirs{0};
        for (const auto& [name, left] : state.blocked) {
            if (name == account) theirs = left;
        }
        expect_near(theirs, model_->blocked()[account]);
    }
    /// PostgreSQL reckons with whole microseconds.
    static void expect_near(std::chrono::microseconds one, std::chrono::microseconds other) {
        EXPECT_LE(abs(one - other), std::chrono::microseconds{2})
            << one.count() << " and " << other.count();
    }

    void cancel_one() {
        const auto& job = jobs_[dice_.below(job_count)];
        if (model_->is_cancelled(job)) return;
        pqxx::work work{db().raw()};
        std::ignore = ledger::stop_jobs(work, "{" + job + "}");
        work.commit();
        model_->cancel(job);
    }
};

/// FANFARE_SEEDS in the environment: so many instead.
TEST_F(Differential, TheModelIsTheLedger) {
    std::uint64_t seeds = 25;
    if (const char* const more = std::getenv("FANFARE_SEEDS")) seeds = std::stoull(more);
    constexpr int steps = 80;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        begin(seed);
        std::string path;
        for (int i = 0; i < steps; ++i) {
            path += step() + ", ";
            ASSERT_EQ(rows_of_ledger(), rows_of_model()) << "seed " << seed << ": " << path;
            ASSERT_EQ(places_of_ledger(), places_of_model()) << "seed " << seed << ": " << path;
            ASSERT_FALSE(HasFailure()) << "seed " << seed << ": " << path;
        }
    }
}

}  // namespace
}  // namespace fanfare::simulation
