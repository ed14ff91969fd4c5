#include "core/ledger/outcome_lists.hpp"

#include "core/domain/explain.hpp"
#include "core/ledger/progress.hpp"
#include "tests/integration/replays_case.hpp"

#include <fmt/format.h>

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using enum Outcome;

class DeliveriesTest : public LedgerCase {};

TEST_F(DeliveriesTest, TellTheLastFaultBehindAttemptsThatAreUsedUp) {
    const auto job = accept("show");
    plan(job, {{"ada", "bob", "cy"}});
    const auto claimed = claim({key(job, 0)});
    ASSERT_THAT(claimed, SizeIs(1));
    auto end = record_for(claimed[0], bytes_of({failed, sent, unknown}));
    end.reasons = reasons_of({Reason::attempts_exhausted, Reason::none, Reason::answer_lost});
    end.causes = reasons_of({Reason::provider_unavailable, Reason::none, Reason::past_expiry});
    ASSERT_THAT(record(end), SizeIs(1));

    DeliveryCursor cursor;
    std::vector<Delivery> deliveries;
    EXPECT_FALSE(read_deliveries(db(), job, {}, cursor, 10, deliveries));
    std::vector<Reason> causes;
    for (const auto& delivery : deliveries) causes.push_back(delivery.cause);
    EXPECT_THAT(causes,
                ElementsAre(Reason::provider_unavailable, Reason::none, Reason::past_expiry));

    const auto fates = find_fate(db(), job, "ada");
    ASSERT_THAT(fates, SizeIs(1));
    EXPECT_EQ(fates[0].cause, Reason::provider_unavailable);
    EXPECT_EQ(explain(fates[0].outcome, fates[0].reason, fates[0].cause),
              "Not sent: every attempt failed; all attempts are used up; at last: the provider "
              "could not be reached or had a fault.");
}

TEST_F(DeliveriesTest, SayWhatAReferenceNames) {
    const auto job = accept("show");
    plan(job, {{"ada", "bob"}, {"cy"}});
    DeliveryCursor cursor;
    std::vector<Delivery> deliveries;
    // Pages that end within a chunk.
    while (read_deliveries(db(), job, {}, cursor, 1, deliveries)) {
    }
    std::vector<std::string> places;
    for (const auto& one : deliveries) {
        places.push_back(fmt::format("{} {}.{}", one.recipient, one.chunk, one.position));
    }
    EXPECT_THAT(places, ElementsAre("ada 0.0", "bob 0.1", "cy 1.0"));
    const auto key_of = [&](const char* recipient) {
        return pqxx::nontransaction{db().raw()}
            .exec_params1(
                "SELECT on_doubt FROM chunk WHERE job_id = $1::uuid AND $2 = "
                "ANY(recipients)",
                job, recipient)[0]
            .as<int>();
    };
    for (const auto& one : deliveries) {
        EXPECT_EQ(static_cast<int>(one.on_doubt), key_of(one.recipient.c_str()));
    }
}

/// Outcomes of several jobs, one list.
class OutcomeListsTest : public ReplaysTest {
protected:
    OutcomeListsTest() {
        for (const char* const name : {"a", "b", "c"}) {
            const auto job = jobs.emplace_back(settled(
                name, {{{"ada", failed}, {"bob", sent}}, {{"cy", failed}, {"di", failed}}}));
            pqxx::nontransaction{db().raw()}.exec_params(
                "UPDATE job SET subject = $2, created_at = created_at + $3 * interval '1 s' "
                "WHERE id = $1::uuid",
                job, name, static_cast<int>(jobs.size()));
        }
    }
    /// "job recipient" of everybody, `limit` a page.
    std::vector<std::string> all(const OutcomeJobs& of, const DeliveryFilter& filter,
                                 std::size_t limit, const AccessFilter& access = {}) {
        OutcomeCursor cursor;
        std::vector<JobDelivery> found;
        std::size_t before = 0;
        while (read_outcomes(db(), access, of, filter, cursor, limit, found)) {
            EXPECT_LE(found.size() - before, limit);
            before = found.size();
        }
        std::vector<std::string> lines;
        for (const auto& [job, delivery] : found) {
            const auto place = std::find(jobs.begin(), jobs.end(), job) - jobs.begin();
            lines.push_back(fmt::format("{} {}", place, delivery.recipient));
        }
        return lines;
    }
    std::vector<std::string> jobs;
};

TEST_F(OutcomeListsTest, AreThoseOfTheNewestJobsFirstWhateverThePage) {
    const DeliveryFilter filter{.channel = std::nullopt, .outcome = failed};
    for (const std::size_t limit : {1U, 2U, 3U, 4U, 100U}) {
        EXPECT_THAT(all({}, filter, limit), ElementsAre("2 ada", "2 cy", "2 di", "1 ada", "1 cy",
                                                        "1 di", "0 ada", "0 cy", "0 di"))
            << limit;
    }
    EXPECT_THAT(all({}, {}, 5), SizeIs(12));
    EXPECT_THAT(all({}, {.channel = std::nullopt, .outcome = opened}, 5), SizeIs(0));
}

TEST_F(OutcomeListsTest, AreOfTheJobsThatAreAskedForAndSeen) {
    const DeliveryFilter filter{.channel = std::nullopt, .outcome = sent};
    EXPECT_THAT(all({.jobs = {jobs[0], jobs[2]}}, filter, 9), ElementsAre("2 bob", "0 bob"));
    EXPECT_THAT(all({.subject = "b"}, filter, 9), ElementsAre("1 bob"));
    EXPECT_THAT(all({.kind = "none"}, filter, 9), SizeIs(0));
    EXPECT_THAT(all({.system = "shows", .since = "2020-01-01T00:00:00Z"}, filter, 9), SizeIs(3));
    EXPECT_THAT(all({.since = "2100-01-01T00:00:00Z"}, filter, 9), SizeIs(0));
    EXPECT_THAT(all({}, filter, 9, {.systems = "{tickets}", .sources = ""}), SizeIs(0));
    EXPECT_THAT(all({}, filter, 9, {.systems = "", .sources = "{test}"}), SizeIs(3));
}

}  // namespace
}  // namespace fanfare::ledger
