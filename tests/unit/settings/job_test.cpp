#include "support.hpp"

#include "core/wire/timestamp.hpp"

#include <fmt/format.h>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using namespace std::chrono_literals;

Job decoded(std::string_view more) {
    auto result = decode_job(fmt::format(
        R"({{"idempotency_key":"order-1","system":"shows","kind":"show.reminder"{}}})", more));
    if (auto* rejection = std::get_if<Rejection>(&result)) {
        ADD_FAILURE() << rejection->code << ": " << rejection->message;
        return {};
    }
    return std::get<Job>(result);
}

std::string code_of(std::string_view bytes) {
    const auto result = decode_job(bytes);
    const auto* const rejection = std::get_if<Rejection>(&result);
    return rejection == nullptr ? "" : rejection->code;
}

TEST(DecodeJob, NamesWhatStandsBeforeTheJson) {
    using namespace std::string_view_literals;
    constexpr auto job = R"({"idempotency_key":"order-1","system":"shows","kind":"generic"})"sv;
    const auto said_of = [](const std::string& bytes) {
        const auto result = decode_job(bytes);
        const auto* const rejection = std::get_if<Rejection>(&result);
        return rejection == nullptr ? "" : rejection->code + " " + rejection->message;
    };
    const auto behind = [&](std::string_view head) {
        return said_of(std::string{head} + std::string{job});
    };
    EXPECT_EQ(behind(" \n"), "");
    EXPECT_THAT(behind("\xEF\xBB\xBF"),
                HasSubstr("not_json the message: begins with a byte order"));
    EXPECT_THAT(behind("\0\0\0\0\x07"sv), HasSubstr("schema registry"));
    EXPECT_THAT(behind("\0\xFF\xFE{\x07"sv), HasSubstr("schema registry"));
    EXPECT_THAT(behind("\xFF\xFE"), HasSubstr("UTF-16"));
    EXPECT_THAT(said_of(std::string{"{\0\"\0}\0"sv}), HasSubstr("UTF-16"));
    EXPECT_THAT(said_of(std::string{"\0{\0\"\0}"sv}), HasSubstr("UTF-16"));
    EXPECT_THAT(behind("\x1F\x8B"), HasSubstr("gzip"));
    EXPECT_THAT(behind("x"), HasSubstr("is not one JSON text in UTF-8"));
}

TEST(DecodeJob, DerivesTheIdFromTheKey) {
    // uuid5(uuid5(NAMESPACE_DNS, "jobs.fanfare"), "order-1") by Python's uuid.
    EXPECT_EQ(decoded("").id, "5eeb60b9-3679-596d-a881-d6dfec06a0f2");
    EXPECT_EQ(derived_id(""), "6c8955b6-e9f7-5077-8ac7-928a82ac59b4");
}

TEST(DecodeJob, TakesTheIdForTheKeyInLowerCase) {
    const auto result = decode_job(
        R"({"id":"0F8FAD5B-D9CB-469F-A165-70867728950E","system":"shows","kind":"generic"})");
    const auto& job = std::get<Job>(result);
    EXPECT_EQ(job.id, "0f8fad5b-d9cb-469f-a165-70867728950e");
    EXPECT_EQ(job.idempotency_key, job.id);
}

TEST(DecodeJob, SortsRecipientsByBytesAndDropsRepeats) {
    EXPECT_THAT(decoded(R"(,"audience":{"recipients":["b","é","B","a","b","10","9"]})").recipients,
                ElementsAre("10", "9", "B", "a", "b", "é"));
}

TEST(DecodeJob, OrdersChannelsAndDropsRepeats) {
    EXPECT_THAT(decoded(R"(,"channels":["push","email","push"])").channels,
                ElementsAre(Channel::email, Channel::push));
}

TEST(DecodeJob, KeepsScalarsAsTheyAreWritten) {
    const auto job = decoded(R"(,"data":{"price":12.50,"big":123456789012345678901234567890,)"
                             R"("free":false,"title":"Ann\u0061"})");
    EXPECT_THAT(job.data,
                ElementsAre(Pair("big", "123456789012345678901234567890"), Pair("free", "false"),
                            Pair("price", "12.50"), Pair("title", "Anna")));
}

TEST(DecodeJob, ReadsTheExpiry) {
    const auto job = decoded(R"(,"expires_at":"2026-11-20T20:30:00+01:00")");
    EXPECT_EQ(format_timestamp(*job.expires_at), "2026-11-20T19:30:00.000000Z");
}

TEST(DecodeJob, LeavesTheTtlToTheMomentOfAcceptance) {
    auto job = decoded(R"(,"ttl_s":90)");
    EXPECT_EQ(job.expires_at, std::nullopt);
    const auto accepted_at = *parse_timestamp("2026-11-20T19:30:00Z");
    settle_expiry(job, accepted_at);
    EXPECT_EQ(job.expires_at, accepted_at + 90s);
    settle_expiry(job, accepted_at + 1h);
    EXPECT_EQ(job.expires_at, accepted_at + 90s) << "settled once, it stays";
}

TEST(DecodeJob, BoundsTheBytes) {
    const std::string head = R"({"idempotency_key":"k","system":"s","kind":"k","data":{"body":")";
    const std::string tail = R"("}})";
    const auto room = Job::bytes_max - head.size() - tail.size();
    EXPECT_EQ(code_of(head + std::string(room, 'x') + tail), "");
    EXPECT_EQ(code_of(head + std::string(room + 1, 'x') + tail), "too_large");
}

TEST(DecodeJob, BoundsTheRecipients) {
    const auto with = [](std::size_t count) {
        std::string list;
        for (std::size_t i = 0; i < count; ++i) list += fmt::format("{}\"u{}\"", i ? "," : "", i);
        return fmt::format(R"({{"idempotency_key":"k","system":"s","kind":"k",)"
                           R"("audience":{{"recipients":[{}]}}}})",
                           list);
    };
    EXPECT_EQ(code_of(with(1)), "");
    EXPECT_EQ(code_of(with(Job::recipients_max)), "");
    EXPECT_EQ(code_of(with(Job::recipients_max + 1)), "too_many_recipients");
}

TEST(DecodeJob, BoundsTheDepth) {
    const auto with = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_EQ(code_of(with(8)), "wrong_type");
    EXPECT_EQ(code_of(with(9)), "too_deep");
    EXPECT_EQ(code_of(std::string(500'000, '[')), "too_deep");
}

TEST(DecodeJob, RefusesBytesThatAreNotUtf8) {
    for (const std::string bytes :
         {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}) {
        EXPECT_EQ(
            code_of(fmt::format(R"({{"idempotency_key":"k{}","system":"s","kind":"k"}})", bytes)),
            "not_json");
    }
}

TEST(DecodeJob, NeverRepeatsWhatARecipientIs) {
    const auto result = decode_job(R"({"idempotency_key":"k","system":"s","kind":"k",)"
                                   R"("audience":{"recipients":["anna@example.com\u0007"]}})");
    EXPECT_THAT(std::get<Rejection>(result).message, Not(HasSubstr("anna")));
}

TEST(DecodeJob, KeepsHostileNamesOnOneShortLine) {
    const auto result = decode_job(fmt::format(R"({{"a/b~\n{}":1}})", std::string(5'000, 'x')));
    const auto& message = std::get<Rejection>(result).message;
    EXPECT_TRUE(message.starts_with("/a~1b~0 xxx")) << message;
    EXPECT_LT(message.size(), 200U);
}

Systems shows() {
    System system;
    system.name = "shows";
    system.audiences["followers"] = {"followers", {"SELECT $1", {"user_id"}, "", 0}};
    system.audiences["everyone"] = {"everyone", {}};
    system.contacts[0] = Contact{};
    system.contacts[2] = Contact{};
    Kind reminder;
    reminder.name = "show.reminder";
    reminder.lane = Lane::urgent;
    reminder.audience = "followers";
    reminder.channels = {Channel::email, Channel::push};
    system.kinds["show.reminder"] = reminder;
    Kind bare;
    bare.name = "bare";
    bare.channels = {Channel::email};
    system.kinds["bare"] = bare;
    return {{"shows", system}};
}

TEST(ResolveJob, FillsWhatTheKindKnows) {
    auto job = decoded(R"(,"audience":{"params":{"user_id":"u1"}})");
    EXPECT_EQ(resolve_job(job, shows()), std::nullopt);
    EXPECT_EQ(job.audience, "followers");
    EXPECT_EQ(job.lane, Lane::urgent);
    EXPECT_THAT(job.channels, ElementsAre(Channel::email, Channel::push));
}

TEST(ResolveJob, KeepsWhatTheJobSays) {
    auto job = decoded(R"(,"audience":{"name":"everyone"},"lane":"normal","channels":["push"])");
    EXPECT_EQ(resolve_job(job, shows()), std::nullopt);
    EXPECT_EQ(job.audience, "everyone");
    EXPECT_EQ(job.lane, Lane::normal);
    EXPECT_THAT(job.channels, ElementsAre(Channel::push));
}

TEST(ResolveJob, WhatIsOptionalMayBeAbsent) {
    auto systems = shows();
    systems.at("shows").audiences.at("followers").optional = {"user_id"};
    auto job = decoded("");
    EXPECT_EQ(resolve_job(job, systems), std::nullopt);
    EXPECT_TRUE(job.params.empty());
}

TEST(ResolveJob, LeavesAListOfRecipientsAlone) {
    auto job = decoded(R"(,"audience":{"recipients":["u1"]})");
    EXPECT_EQ(resolve_job(job, shows()), std::nullopt);
    EXPECT_EQ(job.audience, "");
}

TEST(ResolveJob, WhoWasToldIsNamedByTheSubject) {
    auto systems = shows();
    auto& kind = systems.at("shows").kinds["bare"];
    kind.told = "show.reminder";
    const auto bare = [](const std::string& more) {
        return std::get<Job>(
            decode_job(R"({"idempotency_key":"k","system":"shows","kind":"bare")" + more + "}"));
    };
    auto job = bare(R"(,"subject":"s1","audience":{"params":{"user_id":"u1"}})");
    EXPECT_EQ(resolve_job(job, systems), std::nullopt);
    EXPECT_EQ(job.audience, "");
    EXPECT_TRUE(job.params.empty());
    job = bare(R"(,"audience":{"params":{"subject":"s2"}})");
    EXPECT_EQ(resolve_job(job, systems), std::nullopt);
    EXPECT_EQ(job.subject, "s2");
    EXPECT_EQ(resolve_job(job, systems), std::nullopt) << "read again from the ledger";
    job = bare("");
    EXPECT_EQ(resolve_job(job, systems).value().code, "missing_subject");
    job = bare(R"(,"audience":{"name":"everyone"})");
    EXPECT_EQ(resolve_job(job, systems), std::nullopt) << "a job may name its own audience";
    EXPECT_EQ(job.audience, "everyone");
}

struct Unresolved {
    std::string name;
    std::string bytes;
    std::string code;
    std::string says;
};
void PrintTo(const Unresolved& each, std::ostream* out) { *out << each.name; }
class ResolveJobTest : public ::testing::TestWithParam<Unresolved> {};

TEST_P(ResolveJobTest, Refuses) {
    auto result = decode_job(R"({"idempotency_key":"k",)" + GetParam().bytes + "}");
    auto& job = std::get<Job>(result);
    const auto rejection = resolve_job(job, shows());
    ASSERT_TRUE(rejection.has_value());
    EXPECT_EQ(rejection->code, GetParam().code);
    EXPECT_THAT(rejection->message, HasSubstr(GetParam().says));
}

const std::string reminder = R"("system":"shows","kind":"show.reminder",)";
INSTANTIATE_TEST_SUITE_P(
    Codes, ResolveJobTest,
    ::testing::Values(
        Unresolved{"System", R"("system":"showz","kind":"a")", "unknown_system",
                   "/system: is no system"},
        Unresolved{"Kind", R"("system":"shows","kind":"a")", "unknown_kind", "/kind: is no kind"},
        Unresolved{"NoAudience", R"("system":"shows","kind":"bare")", "missing_audience",
                   "/audience: "},
        Unresolved{"Audience", reminder + R"("audience":{"name":"fans"})", "unknown_audience",
                   "/audience/name: is no audience"},
        Unresolved{"Missing", reminder + R"("audience":{})", "missing_parameter",
                   "/audience/params/user_id: "},
        Unresolved{"Surplus", reminder + R"("audience":{"params":{"user_id":1,"more":2}})",
                   "surplus_parameter", "/audience/params/more: "},
        Unresolved{"Channel",
                   reminder + R"("audience":{"name":"everyone"},"channels":["sms","email"])",
                   "unreachable_channel", "sms"}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace fanfare
