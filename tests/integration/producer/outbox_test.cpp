#include "producer/schedule/outbox.hpp"

#include "core/ledger/jobs.hpp"
#include "core/ledger/untaken.hpp"
#include "database_case.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class OutboxTest : public testing::LedgerCase {
protected:
    void SetUp() override {
        LedgerCase::SetUp();
        std::ifstream file{std::string{FANFARE_SOURCE_DIR} + "/docs/examples/outbox.sql"};
        std::stringstream text;
        text << file.rdbuf();
        sql(text.str());
        systems.at("shows").outbox = "fanfare_outbox";
    }
    void put(const std::string& job) {
        sql(fmt::format("INSERT INTO fanfare_outbox (job) VALUES ($job${}$job$)", job));
    }
    Outbox::Turn turn() {
        Outbox outbox{
            {*pool, *pool, systems, probe,
             [this](const OutgoingJob& job, const std::function<void(bool)>& acknowledged) {
                 if (!is_queueing) return false;
                 published.emplace_back(job.id, std::string{job.bytes});
                 acknowledged(is_acknowledging);
                 return true;
             }},
            systems.at("shows")};
        return outbox.turn().value();
    }
    std::string rows() { return ask("SELECT count(*) FROM fanfare_outbox"); }
    /// What a worker does with a job that it reads.
    void take(const std::string& bytes) {
        const auto job = std::get<Job>(decode_job(bytes));
        run([&](postgres::Connection& db) { return test::insert_job(db, job); });
    }

    ScheduleProbe probe{std::make_shared<prometheus::Registry>()};
    std::vector<std::pair<std::string, std::string>> published;  // Job and bytes.
    bool is_queueing = true;
    bool is_acknowledging = true;
};

const std::string reminder =
    R"({"kind": "show.reminder", "subject": "s1", "audience": {"params": {"user_id": "ann"}}})";

TEST_F(OutboxTest, ARowIsPublishedOnceAndGoesWhenAWorkerHasIt) {
    put(reminder);
    const auto id = ask("SELECT id FROM fanfare_outbox");
    EXPECT_EQ(turn().published, 1U);
    EXPECT_EQ(turn().rows, 0U);
    EXPECT_EQ(rows(), "1") << "the broker may lose it";
    ASSERT_THAT(published, SizeIs(1));
    take(published[0].second);
    EXPECT_EQ(turn().taken, 1U);
    EXPECT_EQ(rows(), "0");
    EXPECT_EQ(ask("SELECT count(*) FROM outbox_row"), "0");
    const auto job = std::get<Job>(decode_job(published[0].second));
    EXPECT_EQ(job.idempotency_key, "outbox/shows/" + id);
    EXPECT_EQ(job.id, published[0].first);
    EXPECT_EQ(job.system, "shows");
    EXPECT_EQ(job.subject, "s1");
    EXPECT_EQ(job.audience, "followers");
    EXPECT_EQ(job.source, "outbox");
}

TEST_F(OutboxTest, WhatTheBrokerDoesNotHaveStaysAndIsTheSameJobAgain) {
    put(reminder);
    is_queueing = false;
    EXPECT_EQ(turn().published, 0U);
    is_queueing = true;
    is_acknowledging = false;
    EXPECT_EQ(turn().published, 0U);
    EXPECT_EQ(rows(), "1");
    is_acknowledging = true;
    EXPECT_EQ(turn().published, 1U);
    ASSERT_THAT(published, SizeIs(2));
    EXPECT_EQ(published[0], published[1]);
    EXPECT_EQ(turn().rows, 0U);
}

TEST_F(OutboxTest, WhatNoWorkerTakesIsPublishedAgainAndLessAndLessOften) {
    put(reminder);
    EXPECT_EQ(turn().published, 1U);
    advance("59 s");
    EXPECT_EQ(turn().published, 0U);
    advance("2 s");
    EXPECT_EQ(turn().published, 1U);
    advance("61 s");
    EXPECT_EQ(turn().published, 0U) << "twice as long";
    advance("60 s");
    EXPECT_EQ(turn().published, 1U);
    ASSERT_THAT(published, SizeIs(3));
    EXPECT_EQ(published[0], published[2]);
    advance("8 days");
    EXPECT_EQ(turn().published, 0U);
    EXPECT_EQ(ask("SELECT split_part(rejected, ':', 1) FROM fanfare_outbox"), "not_taken");
}

TEST_F(OutboxTest, WhatAWorkerRefusesStaysWithTheReasonUntilItIsMended) {
    put(reminder);
    EXPECT_EQ(turn().published, 1U);
    const auto refuse = [&](postgres::Connection& db) {
        ledger::refuse_job(db, published.at(0).first, "unknown_template", "no text");
        return true;
    };
    run(refuse);
    EXPECT_EQ(turn().published, 0U);
    EXPECT_EQ(ask("SELECT rejected FROM fanfare_outbox"), "unknown_template: no text");
    sql("UPDATE fanfare_outbox SET rejected = NULL");
    EXPECT_EQ(turn().published, 1U);
    EXPECT_EQ(turn().taken, 0U);
    EXPECT_EQ(ask("SELECT count(*) FROM fanfare_outbox WHERE rejected IS NULL"), "1");
    take(published.at(1).second);
    EXPECT_EQ(turn().taken, 1U);
    EXPECT_EQ(rows(), "0");
}

TEST_F(OutboxTest, WhatIsTakenUnderAnotherIdIsTakenToo) {
    put(reminder);
    EXPECT_EQ(turn().published, 1U);
    run([&](postgres::Connection& db) {
        ledger::take_as(db, published.at(0).first, derived_id("another"));
        return true;
    });
    EXPECT_EQ(turn().taken, 1U);
    EXPECT_EQ(rows(), "0");
}

TEST_F(OutboxTest, AChangeThatIsRolledBackIsNotPublished) {
    run([&](postgres::Connection& db) {
        pqxx::work work{db.raw()};
        work.exec_params("INSERT INTO fanfare_outbox (job) VALUES ($1::jsonb)", reminder);
        return true;  // Never committed.
    });
    EXPECT_EQ(turn().rows, 0U);
    EXPECT_THAT(published, IsEmpty());
}

TEST_F(OutboxTest, WhatIsNoJobStaysWithTheReasonAndHoldsNothingUp) {
    put(R"({"kind": "show.gone"})");
    put(R"({"kind": "generic", "system": "other"})");
    put("[1]");
    put(reminder);
    const auto first = turn();
    EXPECT_EQ(first.rejected, 3U);
    EXPECT_EQ(first.published, 1U);
    EXPECT_EQ(ask("SELECT string_agg(split_part(rejected, ':', 1), ' ' ORDER BY created_at) "
                  "FROM fanfare_outbox"),
              "unknown_kind unknown_system wrong_type");
    EXPECT_EQ(turn().rows, 0U);
}

TEST_F(OutboxTest, TwoProducersShareTheRows) {
    put(reminder);
    run([&](postgres::Connection& other) {
        pqxx::work work{other.raw()};
        work.exec("SELECT 1 FROM fanfare_outbox FOR UPDATE");
        EXPECT_EQ(turn().rows, 0U) << "the other one has it";
        return true;
    });
    EXPECT_EQ(turn().published, 1U);
    EXPECT_EQ(turn().rows, 0U) << "what one has published the other knows";
}

TEST_F(OutboxTest, AKeyOfItsOwnIsKept) {
    put(R"({"kind": "show.reminder", "idempotency_key": "mine", "source": "shop",)"
        R"( "audience": {"recipients": ["u1"]}})");
    std::ignore = turn();
    ASSERT_THAT(published, SizeIs(1));
    const auto job = std::get<Job>(decode_job(published[0].second));
    EXPECT_EQ(job.idempotency_key, "mine");
    EXPECT_EQ(job.source, "shop");
    EXPECT_THAT(job.recipients, ElementsAre("u1"));
}

}  // namespace
}  // namespace fanfare
