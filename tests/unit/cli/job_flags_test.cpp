#include "cli/job_flags.hpp"

#include "core/wire/job.hpp"

#include <gmock/gmock.h>

namespace fanfare::cli {
namespace {

Job job_of(const JobFlags& flags) {
    const auto message = std::get<std::string>(job_message(flags));
    auto decoded = decode_job(message);
    if (const auto* bad = std::get_if<Rejection>(&decoded)) {
        ADD_FAILURE() << message << ": " << bad->message;
        return {};
    }
    return std::get<Job>(decoded);
}

TEST(JobFlags, BecomeTheJobTheySay) {
    const auto job = job_of({.system = "shows",
                             .kind = "show.reminder",
                             .audience = "followers",
                             .params = {"user_id=a=b"},
                             .recipients = {},
                             .channels = {"push,email", "sms"},
                             .lane = "urgent",
                             .data = {"title=She said \"hi\"", "empty="},
                             .key = "k1",
                             .expires_at = "2026-11-20T19:30:00Z"});
    EXPECT_EQ(job.system, "shows");
    EXPECT_EQ(job.audience, "followers");
    EXPECT_EQ(job.params.at("user_id"), "a=b");
    EXPECT_THAT(job.channels, ::testing::ElementsAre(Channel::email, Channel::sms, Channel::push));
    EXPECT_EQ(job.lane, Lane::urgent);
    EXPECT_EQ(job.data.at("title"), "She said \"hi\"");
    EXPECT_EQ(job.data.at("empty"), "");
    EXPECT_EQ(job.idempotency_key, "k1");
    EXPECT_TRUE(job.expires_at);
    EXPECT_EQ(job.source, "cli");
}

TEST(JobFlags, WhatIsNotGivenIsLeftToTheKind) {
    const auto job = job_of({.system = "shows", .kind = "generic", .key = "k"});
    EXPECT_TRUE(job.channels.empty());
    EXPECT_TRUE(job.lane_from_kind);
    EXPECT_EQ(job.audience, "");
}

TEST(JobFlags, RecipientsMayBeAListOrLines) {
    const auto job = job_of({.system = "shows",
                             .kind = "generic",
                             .recipients = "b, a\r\n\nc,",
                             .key = "k",
                             .ttl_s = 60});
    EXPECT_THAT(job.recipients, ::testing::ElementsAre("a", "b", "c"));
    EXPECT_EQ(job.ttl, std::chrono::seconds{60});
}

TEST(JobFlags, APairWithoutASignOrGivenTwiceIsAFault) {
    for (const auto& pairs : {std::vector<std::string>{"title"}, {"=x"}, {"a=1", "a=2"}}) {
        const auto made = job_message({.system = "s", .kind = "k", .data = pairs, .key = "k"});
        EXPECT_TRUE(std::holds_alternative<FlagFault>(made)) << pairs.front();
    }
}

}  // namespace
}  // namespace fanfare::cli
