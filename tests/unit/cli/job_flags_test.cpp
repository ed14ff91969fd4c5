#include "cli/job_flags.hpp"

#include "core/wire/job.hpp"

#include <gmock/gmock.h>

#include <sstream>

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

TEST(JobFlags, WhatIsGivenAndEmptyIsAFault) {
    const JobFlags sound{.system = "shows", .kind = "generic", .key = "k"};
    const auto is_fault = [](const JobFlags& flags) {
        return std::holds_alternative<FlagFault>(job_message(flags));
    };
    EXPECT_FALSE(is_fault(sound));
    for (const auto field :
         {&JobFlags::system, &JobFlags::kind, &JobFlags::subject, &JobFlags::recipients,
          &JobFlags::lane, &JobFlags::key, &JobFlags::expires_at}) {
        auto flags = sound;
        flags.*field = "";
        EXPECT_TRUE(is_fault(flags));
    }
    for (const auto* const nobody : {",", " , ", "\n", "\u00a0,\u200b"}) {
        auto flags = sound;
        flags.recipients = nobody;
        EXPECT_TRUE(is_fault(flags)) << nobody;
        flags = sound;
        flags.channels = {nobody};
        EXPECT_TRUE(is_fault(flags)) << nobody;
    }
    // The job's own reader tells of these.
    auto flags = sound;
    flags.ttl_s = 0;
    auto decoded = decode_job(std::get<std::string>(job_message(flags)));
    EXPECT_TRUE(std::holds_alternative<Rejection>(decoded));
    flags = sound;
    flags.audience = "";
    decoded = decode_job(std::get<std::string>(job_message(flags)));
    EXPECT_TRUE(std::holds_alternative<Rejection>(decoded));
}

TEST(JobFlags, RecipientsOfAFile) {
    const std::vector<std::string> two{"u1", "u2"};
    for (const std::string text :
         {"u1\nu2\n", "\xEF\xBB\xBFu1\r\nu2", "id\ru1\ru2\r", "\"u1\",Zoe\nu2,\"A, B\"\n",
          "Name;User ID\nZoe;u1\nBob; u2 \n", "\n\nu1\n\nu2\n\n",
          // Headings in other spellings.
          "userId\nu1\nu2\n", "UserID\nu1\nu2\n", "recipientId\nu1\nu2\n", "USER ID\nu1\nu2\n",
          "Recipient-IDs\nu1\nu2\n", "name,memberId\nZoe,u1\nBob,u2\n",
          "\u00a0user_id\u200b\nu1\nu2\n", "\"User Id\"\nu1\nu2\n", "uuid\nu1\nu2\n",
          // What Excel writes before it.
          "sep=;\nuser_id;name\nu1;a\nu2;b\n",
          "\xEF\xBB\xBFsep=;\r\nuser_id;name\r\nu1;a\r\nu2;b\r\n", "SEP=,\nu1\nu2",
          "\"sep=|\"\nid|n\nu1|a\nu2|b", "sep=;\ru1;x\ru2;y\r",
          // Blanks and marks that nobody sees, and line ends of all kinds.
          "\u00a0u1\u00a0\nu2\u200b\n", "\u2060u1\ufeff\n\u3000u2\u200d\n", "u1\u2028u2",
          "u1\u0085u2\u0085", "u1\u2029u2\n", "id\u2028u1\u2028u2"}) {
        std::istringstream in{text};
        const auto ids = read_recipients(in);
        ASSERT_TRUE(std::holds_alternative<std::vector<std::string>>(ids)) << text;
        EXPECT_EQ(std::get<std::vector<std::string>>(ids), two) << text;
    }
    for (const std::string text :
         {"", "\n\n", "id\n", "a,b,c\n", "u1,x\n,y\n", "u1\n\"u2\n", "sep=;\n", "sep=;",
          "\u200b\nu1\n", "\"u1\u2028u2\"\n", "\"u1\nu2\"\n"}) {
        std::istringstream in{text};
        EXPECT_TRUE(std::holds_alternative<FlagFault>(read_recipients(in))) << text;
    }
    std::istringstream third{"u1,x\nu2,y\n,z\n"};
    EXPECT_EQ(std::get<FlagFault>(read_recipients(third)).sentence, "line 3: no recipient id");
}

TEST(JobFlags, AWordIsNobodysId) {
    for (const auto* const file :
         {"people", "u1", "people.csv", "/tmp/x,y", "./x", "../x", "~/x", "people,2026.csv", ""}) {
        EXPECT_FALSE(lists_ids(file)) << file;
    }
    for (const auto* const ids : {"u1,u2", "u1,", "a/b,c", "u1\nu2"}) {
        EXPECT_TRUE(lists_ids(ids)) << ids;
    }
}

TEST(JobFlags, OneIdIsMarkedAsSuch) {
    const auto job = job_of({.system = "shows",
                             .kind = "generic",
                             .subject = "s-42",
                             .recipient = {"people", "a,b"},
                             .key = "k"});
    EXPECT_THAT(job.recipients, ::testing::ElementsAre("a,b", "people"));
    EXPECT_EQ(job.subject, "s-42");
}

TEST(JobFlags, RecipientsMayBeAListOrLines) {
    const auto job = job_of({.system = "shows",
                             .kind = "generic",
                             .recipients = "b, a\r\n\nc,",
                             .key = "k",
                             .ttl_s = 60});
    EXPECT_THAT(job.recipients, ::testing::ElementsAre("a", "b", "c"));
    EXPECT_THAT(split_list("a\u2028b,\u00a0c\u200b\u0085,d"),
                ::testing::ElementsAre("a", "b", "c", "d"));
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
