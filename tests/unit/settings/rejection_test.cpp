#include "support.hpp"

#include "core/wire/job_rejection.hpp"

namespace fanfare {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Rejection rejection_of(std::string_view bytes) {
    const auto result = decode_job(bytes);
    const auto* const rejection = std::get_if<Rejection>(&result);
    if (rejection == nullptr) ADD_FAILURE() << bytes;
    return rejection == nullptr ? Rejection{} : *rejection;
}

TEST(Rejection, TellsALogFieldsThatWeKnowAndNothingElse) {
    EXPECT_EQ(for_log(rejection_of("hello")), "not_json at the message");
    EXPECT_EQ(for_log(rejection_of(R"({"ttl_s":-1})")), "negative_expiry at /ttl_s");
    EXPECT_EQ(for_log(rejection_of(R"({"audience":{"recipients":["a",""]}})")),
              "invalid_recipient at /audience/recipients/1");
    EXPECT_EQ(for_log(rejection_of(R"({"ada@example.com":1})")), "unknown_field at /*");
    EXPECT_EQ(for_log(rejection_of(R"({"data":{"+1 555 0100":1}})")), "invalid_value at /data/*");
    EXPECT_EQ(for_log(rejection_of(R"({"data":{"15550100001":1}})")), "invalid_value at /data/*");
    EXPECT_EQ(for_log(rejection_of(R"({"data":{"a/b: c":1}})")), "invalid_value at /data/*");
    EXPECT_EQ(for_log(rejection_of(R"({"data":{"\u001b[2J\n":1}})")), "invalid_value at /data/*");
    EXPECT_EQ(for_log(rejection_of("[[[[[[[[[[[[")), "too_deep at /0/0/0/0/0/0/0/0");
    EXPECT_EQ(for_log({"unknown_template", "x", {}, {}}), "unknown_template at the message");
}

TEST(Rejection, TellsATerminalNamesThatLookLikeFields) {
    const auto shown = [](std::string_view bytes) { return for_terminal(rejection_of(bytes)); };
    EXPECT_THAT(shown(R"({"surprise":1})"), HasSubstr("unknown_field: /surprise: is no field"));
    EXPECT_THAT(shown(R"({"ada@example.com":1})"), HasSubstr("unknown_field: /*: is no field"));
    EXPECT_THAT(shown(R"({"a: b":1})"), HasSubstr("unknown_field: /*: is no field"));
    EXPECT_THAT(shown(R"({"data":{"tel_15550100001":[]}})"), Not(HasSubstr("15550100001")));
    EXPECT_THAT(shown("hello"), HasSubstr("not_json: the message: is not one JSON text"));
}

TEST(Rejection, QuotesNoValue) {
    const auto result =
        decode_job(R"({"idempotency_key":"k","system":"ada-lovelace","kind":"k","subject":"s"})");
    auto job = std::get<Job>(result);
    const auto rejection = resolve_job(job, {});
    ASSERT_TRUE(rejection);
    EXPECT_THAT(rejection->message, Not(HasSubstr("ada-lovelace")));
    EXPECT_EQ(for_log(*rejection), "unknown_system at /system");
}

}  // namespace
}  // namespace fanfare
