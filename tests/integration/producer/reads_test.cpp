// What takes several reads is told as of one moment, whatever happens between them.
#include "core/ledger/api_jobs.hpp"
#include "core/ledger/api_notifications.hpp"

#include "database_case.hpp"

#include <pqxx/nontransaction>

#include <atomic>
#include <thread>

namespace fanfare {
namespace {

const std::string job = "40f4d962-8ab1-58fe-93ec-4853d460092b";

class ReadsTest : public testing::LedgerCase {
protected:
    void SetUp() override {
        LedgerCase::SetUp();
        other_ = std::make_unique<pqxx::connection>(std::string{url.reveal()});
    }

    void accept_job() {
        sql("INSERT INTO api_request (owner, key, digest, job_id, body) VALUES ('shop', 'k', 'd', "
            "'" +
            job +
            "', '{\"system\": \"shows\", \"kind\": \"show.reminder\", \"source\": \"shop\"}')");
    }
    static std::string taking_job() {
        return "INSERT INTO job (id, idempotency_key, system, kind, body, lane, state) VALUES ('" +
               job + "', 'k', 'shows', 'show.reminder', '{\"source\": \"shop\"}', 1, 'sending');";
    }
    static std::string planning_chunk() {
        return "INSERT INTO chunk (job_id, channel, number, state, on_doubt, lane, size, "
               "recipients, "
               "publish_at) VALUES ('" +
               job + "', 0, 0, 'planned', 0, 1, 1, '{a}', app_now());";
    }

    /// What `read` gives when `table` is locked before it begins, and `change` is made once it
    /// waits for that table.
    template <class Read>
    auto read_while(const std::string& table, const std::string& change, const Read& read) {
        pqxx::work work{*other_};
        work.exec("LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE");
        decltype(run(read)) found;
        std::thread reader{[&] { found = run(read); }};
        const auto waits =
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND relation = '" + table +
            "'::regclass)";
        while (!work.exec(waits)[0][0].as<bool>()) std::this_thread::yield();
        work.exec(change);
        work.commit();
        reader.join();
        return found;
    }

private:
    std::unique_ptr<pqxx::connection> other_;
};

TEST_F(ReadsTest, AJobThatIsTakenMeanwhileIsFound) {
    accept_job();
    const auto found = read_while(
        "api_request", taking_job(),
        [](postgres::Connection& connection) { return ledger::find_job(connection, job, {}); });
    ASSERT_TRUE(found) << "neither accepted nor taken";
    EXPECT_EQ(found->source, "shop");
}

TEST_F(ReadsTest, ThoseInSightAreThoseThatAreFoundOneByOne) {
    const std::string ordered = "40f4d962-8ab1-58fe-93ec-4853d460092c";
    const std::string nobodys = "40f4d962-8ab1-58fe-93ec-4853d460092d";
    sql(taking_job() +
        "INSERT INTO api_request (owner, key, digest, job_id, body) VALUES ('shop', 'k2', 'd', '" +
        ordered + "', '{\"system\": \"tickets\", \"kind\": \"x\", \"source\": \"desk\"}')");
    const std::vector<std::string> all{job, ordered, nobodys};
    for (const ledger::AccessFilter& access :
         {ledger::AccessFilter{}, ledger::AccessFilter{"{shows}", ""},
          ledger::AccessFilter{"", "{desk}"}, ledger::AccessFilter{"{shows}", "{desk}"},
          ledger::AccessFilter{"{shows,tickets}", "{shop,desk}"}}) {
        std::set<std::string> expected;
        for (const auto& id : all) {
            const auto one = run([&](postgres::Connection& connection) {
                return ledger::find_job(connection, id, access);
            });
            if (one) expected.insert(id);
        }
        EXPECT_EQ(run([&](postgres::Connection& connection) {
                      return ledger::jobs_in_sight(connection, all, access);
                  }),
                  expected)
            << access.systems << " " << access.sources;
    }
    EXPECT_TRUE(run([](postgres::Connection& connection) {
                    return ledger::jobs_in_sight(connection, {}, {});
                }).empty());
}

TEST_F(ReadsTest, AJobAndItsProgressAreOfOneMoment) {
    sql(taking_job() + planning_chunk());
    const auto found =
        read_while("chunk",
                   "UPDATE chunk SET state = 'done', outcomes = '\\x01', "
                   "tally = '{0,1,0,0,0,0,0,0,0,0,0,0,0,0}'; UPDATE job SET state = 'done'",
                   [](postgres::Connection& connection) {
                       return ledger::find_job_detail(connection, job, {});
                   });
    ASSERT_TRUE(found && found->progress);
    ASSERT_EQ(found->progress->channels.size(), 1U);
    EXPECT_EQ(found->line.state, "sending");
    EXPECT_EQ(found->progress->state, "sending");
    EXPECT_EQ(found->progress->channels[0].chunks_done, 0);
}

TEST_F(ReadsTest, ProgressIsOfOneMoment) {
    sql(taking_job() + planning_chunk());
    const auto found = read_while(
        "chunk", "UPDATE chunk SET state = 'done'; UPDATE job SET state = 'done'",
        [](postgres::Connection& connection) { return ledger::load_progress(connection, job); });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->state, "sending");
    EXPECT_EQ(found->channels.at(0).chunks_done, 0);
}

TEST_F(ReadsTest, APersonIsInTheJobThatIsTold) {
    sql(taking_job());
    const auto found =
        read_while("chunk", planning_chunk() + "UPDATE job SET planned_at = app_now()",
                   [](postgres::Connection& connection) {
                       return ledger::find_person_in_job(connection, job, "a", {});
                   });
    ASSERT_TRUE(found);
    EXPECT_EQ(found->line.planned_at.empty(), found->fates.empty());
}

TEST_F(ReadsTest, ASubjectsJobsAndNotificationsAreOfOneMoment) {
    sql("INSERT INTO notification (system, kind, subject, occurrence, job_id, due_at, params, "
        "data, "
        "state, origin, source) VALUES ('shows', 'show.reminder', 's1', now(), '" +
        job + "', now(), '{}', '{}', 'scheduled', 'query', 'scheduler')");
    const auto found = read_while(
        "notification",
        taking_job() + "UPDATE job SET subject = 's1'; UPDATE notification SET state = 'published'",
        [](postgres::Connection& connection) {
            return ledger::progress_about(connection, "shows", "s1", "", 10);
        });
    EXPECT_THAT(found.jobs, ::testing::IsEmpty());
    EXPECT_EQ(found.notifications.at("scheduled"), 1);
}

TEST_F(ReadsTest, WhatIsPublishedMeanwhileStillWaitsOrIsPublished) {
    sql("INSERT INTO notification (system, kind, subject, occurrence, job_id, due_at, params, "
        "data, "
        "state, origin, source, updated_at) VALUES ('shows', 'show.reminder', 's1', now(), '" +
        job +
        "', now() - interval '1 second', '{}', '{}', 'scheduled', 'query', 'scheduler', now())");
    const auto begun =
        run([](postgres::Connection& connection) { return ledger::ledger_now(connection); });
    std::atomic<bool> done{false};
    std::thread scheduler{[&] {
        pqxx::connection connection{std::string{url.reveal()}};
        pqxx::nontransaction work{connection};
        while (!done) {
            for (const auto* const state : {"published", "scheduled"}) {
                work.exec("UPDATE notification SET updated_at = app_now(), state = '" +
                          std::string{state} + "'");
            }
        }
    }};
    int lost = 0;
    for (int i = 0; i < 1'000; ++i) {
        const auto found = run([&](postgres::Connection& connection) {
            return ledger::published_since(connection, "shows", begun, {});
        });
        if (static_cast<std::int64_t>(found.published.size()) + found.waiting != 1) ++lost;
    }
    done = true;
    scheduler.join();
    EXPECT_EQ(lost, 0);
}

}  // namespace
}  // namespace fanfare
