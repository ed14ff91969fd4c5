// Owners in the ledger: what one of them schedules, finds and counts says nothing of the others.
#include "producer/api/owners.hpp"

#include "core/ledger/api_jobs.hpp"
#include "core/ledger/due_job.hpp"
#include "core/ledger/notification_edits.hpp"
#include "core/ledger/progress.hpp"
#include "core/wire/job.hpp"
#include "database_case.hpp"
#include "producer/schedule/refresh.hpp"

#include <fmt/format.h>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OwnersTest : public testing::LedgerCase {
protected:
    static ledger::NewNotification wanted(const std::string& source, bool is_owners = true) {
        return {.key = {"shows", "offer", "s1", "2099-01-01T00:00:00.000000Z"},
                .due_at = "2098-01-01T00:00:00.000000Z",
                .expires_at = "",
                .source = source,
                .is_owners = is_owners};
    }
    ledger::Scheduling schedule(const ledger::NewNotification& one) {
        return run([&](auto& db) { return ledger::schedule_notification(db, one); });
    }
    static ledger::AccessFilter sight_of(const std::string& source) {
        return {.systems = "", .sources = "{" + source + "}"};
    }
    std::size_t listed(const ledger::AccessFilter& access, const std::string& subject = "s1") {
        ledger::NotificationFilter filter;
        filter.system = "shows";
        filter.subject = subject;
        return run([&](auto& db) { return ledger::page_of_notifications(db, access, filter, 10); })
            .size();
    }
    ledger::RefreshTally refresh(Schedule schedule) {
        Refresher refresher{{*pool, *due_pool, system_clock(), 3600s}, systems.at("shows")};
        return refresher.refresh(schedule).value().value().tally;
    }
};

TEST_F(OwnersTest, OneNameOfASubjectIsAsManyAsThereAreOwners) {
    const auto first = schedule(wanted("mira"));
    const auto second = schedule(wanted("nora"));
    const auto third = schedule(wanted("shop", false));
    EXPECT_TRUE(first.is_new && second.is_new && third.is_new)
        << "nobody learns that the moment is taken";
    EXPECT_NE(first.detail.id, second.detail.id);
    EXPECT_EQ(third.detail.id, derived_id("shows/offer/s1/2099-01-01T00:00:00.000000Z"))
        << "as it always was";
    EXPECT_FALSE(schedule(wanted("mira")).is_new) << "once each";
    // Each finds its own by the name it gave, and the ledger's people find all.
    for (const auto* const owner : {"mira", "nora", "shop"}) EXPECT_EQ(listed(sight_of(owner)), 1U);
    EXPECT_EQ(listed({}), 3U);
    EXPECT_EQ(listed(sight_of("mira"), "s"), 0U);
    EXPECT_EQ(ledger::plain_subject(first.detail.key.subject), "s1");
    const auto latest = run([&](auto& db) {
        return ledger::latest_of_subject(db, "shows", "offer", "s1", sight_of("nora"));
    });
    ASSERT_TRUE(latest.has_value());
    EXPECT_EQ(latest->id, second.detail.id);
    EXPECT_EQ(run([&](auto& db) {
                  return ledger::open_of_subject(db, "shows", "s1", "", sight_of("mira"));
              }),
              std::vector{first.detail.key});
    const auto about =
        run([&](auto& db) { return ledger::progress_about(db, "shows", "s1", "{mira}", 10); });
    EXPECT_EQ(about.notifications.at("scheduled"), 1);
    auto detail = first.detail;
    detail.key.kind = "generic";
    EXPECT_EQ(std::get<Job>(due_job(detail, systems)).subject, "s1") << "its job is about s1";
}

TEST_F(OwnersTest, WhatAnOwnerScheduledBeforeStaysTheSame) {
    const auto before = schedule(wanted("mira", false));  // As the version before wrote it.
    const auto retried = schedule(wanted("mira"));
    EXPECT_FALSE(retried.is_new);
    EXPECT_TRUE(retried.same);
    EXPECT_EQ(retried.detail.id, before.detail.id);
    EXPECT_TRUE(schedule(wanted("nora")).is_new);
}

TEST_F(OwnersTest, WhatADueQueryChangesCountsForWhoseItIs) {
    auto due = systems.at("shows").schedules.at(0);
    const std::string expiry = "AS expires_at,";
    due.query.sql.replace(due.query.sql.find(expiry), expiry.size(),
                          expiry + " CASE WHEN s.id LIKE 'm%' THEN 'mira' END AS owner,");
    for (const auto* const show : {"m1", "m2", "n1"}) add_show(show, "10 minutes");
    const auto before = run([](auto& db) { return ledger::ledger_now(db); });
    auto tally = refresh(due);
    EXPECT_EQ(tally.found, 3U);
    EXPECT_EQ(tally.by_source.at("mira").found, 2U);
    EXPECT_EQ(tally.by_source.at("scheduler").found, 1U);
    sql("UPDATE scheduled_shows SET title = 'Other' WHERE id <> 'm2'");
    sql("DELETE FROM scheduled_shows WHERE id = 'm2'");
    tally = refresh(due);
    EXPECT_EQ(tally.changed, 2U);
    EXPECT_EQ(tally.cancelled, 1U);
    EXPECT_EQ(tally.by_source.at("mira").changed, 1U);
    EXPECT_EQ(tally.by_source.at("mira").cancelled, 1U);
    EXPECT_EQ(tally.by_source.at("scheduler").changed, 1U);
    // Nor is anything else of theirs seen or waited for.
    sql("UPDATE notification SET state = 'published', updated_at = app_now() WHERE subject = 'n1'");
    sql("UPDATE notification SET due_at = app_now() - interval '1 hour' WHERE subject = 'm1'");
    const auto since = [&](const ledger::AccessFilter& access) {
        return run([&](auto& db) { return ledger::published_since(db, "shows", before, access); });
    };
    EXPECT_THAT(since(sight_of("mira")).published, IsEmpty());
    EXPECT_EQ(since(sight_of("mira")).waiting, 1);
    EXPECT_EQ(since(sight_of("scheduler")).published.size(), 1U);
    EXPECT_EQ(since(sight_of("scheduler")).waiting, 0);
    EXPECT_EQ(since({}).waiting, 1);
}

TEST_F(OwnersTest, OfAListOnlyTheirPeopleAreLeft) {
    sql("INSERT INTO users (id, username) SELECT n, n FROM unnest(ARRAY['a', 'b', 'c', 'd']) n");
    sql("INSERT INTO followers (follower_id, followed_id) VALUES ('a', 'ann'), ('b', 'ann'), "
        "('c', 'b')");
    const auto theirs = [&](const std::string& owner, const std::vector<std::string>& list) {
        return run(
            [&](auto& db) { return api::people_of_owner(db, systems.at("shows"), owner, list); });
    };
    // Somebody else's person, a person who is nobody's, and nobody are all the same.
    EXPECT_THAT(theirs("ann", {"a", "b", "c", "d", "x"}), ElementsAre("a", "b"));
    EXPECT_THAT(theirs("ann", {"c"}), IsEmpty());
    EXPECT_THAT(theirs("nobody", {"a", "b", "c"}), IsEmpty());
}

TEST_F(OwnersTest, AnOrderIsFoundAgainByItsKeyAlone) {
    ledger::NewRequest request{"mira", "k", "digest", derived_id("k"), R"({"id": "1"})"};
    constexpr std::chrono::milliseconds lost_after{60'000};
    const auto find = [&] {
        return run([&](auto& db) { return ledger::find_request(db, request, lost_after); });
    };
    EXPECT_FALSE(find().has_value());
    const auto remember = [&] {
        return run([&](auto& db) { return ledger::remember_request(db, request, lost_after); });
    };
    EXPECT_TRUE(remember().is_new);
    EXPECT_TRUE(find()->same);
    request.digest = "other";
    EXPECT_FALSE(find()->same);
    request.owner = "nora";
    EXPECT_FALSE(find().has_value());
}

}  // namespace
}  // namespace fanfare
