#include "core/ledger/due_job.hpp"

#include "core/wire/timestamp.hpp"

#include <gmock/gmock.h>

namespace fanfare {
namespace {

Systems shows() {
    auto loaded = load_systems(std::string{FANFARE_SOURCE_DIR} + "/config/systems",
                               [](const std::string&) { return std::nullopt; });
    return std::get<Systems>(loaded);
}

ledger::ClaimedNotification reminder() {
    ledger::ClaimedNotification notification{
        .key = {"shows", "show.reminder", "s1", "2026-11-20T19:30:00.000000Z"},
        .epoch = 1,
        .job = {},
        .expires_at = "2026-11-20T19:30:00.000000Z",
        .params = R"({"user_id": "ann"})",
        .data = R"({"title": "a \"b\"", "seats": 12.50})"};
    notification.job = derived_id(derivation_name(notification.key));
    return notification;
}

TEST(DueJob, HasTheDefaultsOfItsKind) {
    const auto made = due_job(reminder(), shows());
    ASSERT_TRUE(std::holds_alternative<Job>(made)) << std::get<Rejection>(made).message;
    const auto& job = std::get<Job>(made);
    EXPECT_EQ(job.id, reminder().job);
    EXPECT_EQ(job.idempotency_key, "shows/show.reminder/s1/2026-11-20T19:30:00.000000Z");
    EXPECT_EQ(job.id, derived_id(job.idempotency_key));
    EXPECT_EQ(job.audience, "followers");
    EXPECT_EQ(job.subject, "s1");
    EXPECT_EQ(job.params.at("user_id"), "ann");
    EXPECT_THAT(job.channels, ::testing::ElementsAre(Channel::email, Channel::sms, Channel::push));
    EXPECT_EQ(job.lane, Lane::normal);
    EXPECT_EQ(job.data.at("title"), "a \"b\"");
    EXPECT_EQ(job.data.at("seats"), "12.50");
    EXPECT_EQ(job.expires_at, parse_timestamp("2026-11-20T19:30:00Z"));
    EXPECT_EQ(job.source, "scheduler");
}

TEST(DueJob, SurvivesTheWire) {
    const auto job = std::get<Job>(due_job(reminder(), shows()));
    EXPECT_EQ(std::get<Job>(decode_job(encode_job(job))), job);
}

TEST(DueJob, IsRefusedWithTheReasonOfAnyJob) {
    auto notification = reminder();
    notification.params = R"({"owner": "ann"})";
    EXPECT_EQ(std::get<Rejection>(due_job(notification, shows())).code, "missing_parameter");
    notification = reminder();
    notification.data = R"({"show": {"id": 1}})";
    EXPECT_EQ(std::get<Rejection>(due_job(notification, shows())).code, "nested_value");
    notification = reminder();
    notification.key.kind = "show.gone";
    EXPECT_EQ(std::get<Rejection>(due_job(notification, shows())).code, "unknown_kind");
}

TEST(DueJob, ALongOrStrangeSubjectStillHasAKey) {
    for (const auto& subject : {std::string(300, 's'), std::string{"line\nbreak"}}) {
        auto notification = reminder();
        notification.key.subject = subject;
        notification.job = derived_id(derivation_name(notification.key));
        const auto made = due_job(notification, shows());
        ASSERT_TRUE(std::holds_alternative<Job>(made)) << std::get<Rejection>(made).message;
        EXPECT_EQ(std::get<Job>(made).idempotency_key, notification.job);
        EXPECT_EQ(std::get<Job>(made).subject, derived_id(subject));
    }
}

TEST(DueJob, AMovedShowIsAnotherJob) {
    auto moved = reminder();
    moved.key.occurrence = "2026-11-20T20:30:00.000000Z";
    EXPECT_NE(derived_id(derivation_name(moved.key)), reminder().job);
}

}  // namespace
}  // namespace fanfare
