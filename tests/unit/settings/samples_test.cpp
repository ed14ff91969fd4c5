// The shared samples: what decode_job says here, docs/job.schema.json says in schema_test.py.
#include "support.hpp"

#include <boost/json.hpp>

#include <set>

namespace fanfare {
namespace {

using testing::file_text;

struct Sample {
    std::string name;
    std::string bytes;
    std::string code;  // Empty: decodes.
    std::string at;
};

void PrintTo(const Sample& sample, std::ostream* out) { *out << sample.name; }

std::string column_text(const boost::json::object& object, std::string_view key) {
    const auto* const value = object.if_contains({key.data(), key.size()});
    return value == nullptr ? std::string{} : std::string{value->as_string()};
}

std::vector<Sample> samples() {
    std::vector<Sample> all;
    const auto path = std::string{FANFARE_SOURCE_DIR} + "/tests/unit/settings/job_samples.json";
    const auto document = boost::json::parse(file_text(path));
    for (const auto& each : document.as_array()) {
        const auto& object = each.as_object();
        const auto* const job = object.if_contains("job");
        all.push_back({column_text(object, "name"),
                       job != nullptr ? boost::json::serialize(*job) : column_text(object, "text"),
                       column_text(object, "code"), column_text(object, "at")});
    }
    return all;
}

class SampleTest : public ::testing::TestWithParam<Sample> {};

TEST_P(SampleTest, IsJudgedAsItSays) {
    const auto& sample = GetParam();
    const auto decoded = decode_job(sample.bytes);
    const auto* const rejection = std::get_if<Rejection>(&decoded);
    if (sample.code.empty()) {
        EXPECT_EQ(rejection, nullptr) << rejection->code << ": " << rejection->message;
        return;
    }
    ASSERT_NE(rejection, nullptr) << "decoded, but " << sample.code << " was expected";
    EXPECT_EQ(rejection->code, sample.code) << rejection->message;
    EXPECT_TRUE(rejection->message.starts_with(sample.at)) << rejection->message;
}

TEST_P(SampleTest, SurvivesEncoding) {
    const auto decoded = decode_job(GetParam().bytes);
    const auto* const job = std::get_if<Job>(&decoded);
    if (job == nullptr) return;
    const auto again = decode_job(encode_job(*job));
    ASSERT_TRUE(std::holds_alternative<Job>(again));
    EXPECT_EQ(std::get<Job>(again), *job);
    EXPECT_EQ(encode_job(std::get<Job>(again)), encode_job(*job));
}

INSTANTIATE_TEST_SUITE_P(Samples, SampleTest, ::testing::ValuesIn(samples()),
                         [](const auto& each) { return each.param.name; });

TEST(Samples, ReachEveryCodeThatDecodingHas) {
    std::set<std::string> reached;
    for (const auto& sample : samples()) reached.insert(sample.code);
    // Made in job_test.cpp: too big for a file, or only known with the systems.
    const std::set<std::string> elsewhere{
        "too_large", "too_many_recipients", "unknown_system", "unknown_kind", "missing_audience",
        "unknown_audience", "missing_parameter", "surplus_parameter", "unreachable_channel",
        "key_reused", "not_storable", "missing_subject", "invalid_event", "unknown_event_type",
        // Made in order_rules_test.cpp and orders_test.cpp.
        "unknown_template", "missing_variable", "unrenderable", "invalid_parameter"};
    for (const auto& doc : rejection_docs()) {
        const std::string code{doc.code};
        EXPECT_NE(reached.contains(code), elsewhere.contains(code)) << code;
    }
}

}  // namespace
}  // namespace fanfare
