// Who shares a request, and what each takes of the account's rate: without any database.
#include "worker/send/composed_requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Writes addresses and values into the body; counts as a test says.
class PlainProvider final : public Provider {
public:
    [[nodiscard]] std::string_view type() const noexcept override { return "plain"; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::sms; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 100; }
    [[nodiscard]] RateUnit rate_unit() const noexcept override { return unit; }
    [[nodiscard]] std::size_t segments_max() const noexcept override { return segments; }
    void compose(const Batch& batch, HttpRequest& out) const override {
        out.body.clear();
        for (const auto& message : batch.messages) out.body += std::string{message.address} + " ";
        for (std::size_t i = 0; i < batch.content.variables.size(); ++i) {
            out.body += batch.content.variables[i] + "=" + std::string{batch.messages[0].values[i]};
        }
        expires_at = batch.expires_at_unix;
    }
    [[nodiscard]] bool is_too_large(const Batch&, const HttpRequest& composed) const override {
        return composed.body.find(too_large) != std::string::npos;
    }
    [[nodiscard]] BatchAnswer read(const HttpAnswer&, std::size_t, std::int64_t) const override {
        return {};
    }

    RateUnit unit = RateUnit::requests;
    std::size_t segments = 0;
    std::string too_large = "nobody";
    mutable std::int64_t expires_at = 0;
};

class ComposedRequestsTest : public ::testing::Test {
protected:
    ComposedRequestsTest() {
        write("Hello {{name}}");
        kind.templates = "sale";
        kind.person_defaults = {{"name", "friend"}};
        job->kind = &kind;
        job->job.id = "0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11";
        claim.key = {job->job.id, Channel::sms, 7};
        claim.job = job;
    }
    void write(const std::string& text) {
        const std::vector<TemplateSource> sources{{"sale/sms.text.mustache", text}};
        job->templates = std::get<Templates>(Templates::parse(sources, "/etc/fanfare/templates"));
    }
    /// One person for each address.
    void tell(const std::vector<std::string>& addresses) {
        known = addresses;
        people.recipients_literal = "{";
        for (std::size_t i = 0; i < known.size(); ++i) {
            people.recipients_literal += (i == 0 ? "p" : ",p") + std::to_string(i);
            resolved.targets.push_back({static_cast<std::uint32_t>(i), 0, known[i]});
        }
        people.recipients_literal += "}";
        postgres::parse_array(people.recipients_literal, people.recipients);
        people.outcomes.assign(known.size(), '\0');
    }
    bool compose(std::size_t batch_max) {
        const ComposeContext context{provider, references, batch_max, TimePoint{}};
        return compose_requests(claim, people, resolved, context, requests).has_value();
    }
    [[nodiscard]] std::vector<std::uint32_t> tokens() const {
        std::vector<std::uint32_t> tokens;
        for (const auto& request : requests.requests) tokens.push_back(request.tokens);
        return tokens;
    }

    std::shared_ptr<JobContext> job = std::make_shared<JobContext>();
    Kind kind;
    Claim claim;
    ledger::ChunkPeople people;
    std::vector<std::string> known;
    Resolved resolved;
    References references{Secret{}};
    PlainProvider provider;
    ComposedRequests requests;
};

TEST_F(ComposedRequestsTest, PeopleShareRequestsAsFarAsTheProviderAllows) {
    tell({"a", "b", "c", "d", "e"});
    ASSERT_TRUE(compose(2));
    ASSERT_THAT(requests.requests, SizeIs(3));
    EXPECT_THAT(requests.requests[0].request.body, HasSubstr("a b "));
    EXPECT_THAT(requests.requests[2].request.body, HasSubstr("e "));
    EXPECT_THAT(tokens(), ElementsAre(1, 1, 1));
    provider.unit = RateUnit::recipients;
    ASSERT_TRUE(compose(2));
    EXPECT_THAT(tokens(), ElementsAre(2, 2, 1)) << "composed anew, and nothing is left of before";
}

TEST_F(ComposedRequestsTest, WhatWasAMailIsNoneForAProviderOfAnotherKind) {
    requests.spare.emplace_back().mail.emplace().recipient = "ann@example.com";
    tell({"a"});
    ASSERT_TRUE(compose(1));
    EXPECT_THAT(requests.spare, IsEmpty());
    EXPECT_FALSE(requests.requests.front().request.mail);
}

TEST_F(ComposedRequestsTest, OneAddressIsNeverTwiceInARequest) {
    tell({"a", "a", "b", "a"});
    ASSERT_TRUE(compose(10));
    std::size_t messages = 0;
    for (const auto& request : requests.requests) {
        const auto& group = *requests.groups[request.group];
        std::set<std::string_view> once;
        for (std::uint32_t i = 0; i < request.count; ++i) {
            EXPECT_TRUE(once.insert(group.messages[request.first + i].address).second);
            ++messages;
        }
    }
    EXPECT_EQ(messages, 4U);
    EXPECT_THAT(requests.requests, SizeIs(3));
}

TEST_F(ComposedRequestsTest, WhereEachHasARequestOfTheirOwnOneAddressMayBeTwice) {
    tell({"a", "a"});
    ASSERT_TRUE(compose(1));
    EXPECT_THAT(requests.groups, SizeIs(1));
    EXPECT_THAT(requests.requests, SizeIs(2));
}

TEST_F(ComposedRequestsTest, ATextOfTooManySegmentsIsNotSent) {
    provider.segments = 2;
    provider.unit = RateUnit::segments;
    tell({"a"});
    write("Hello {{name}}" + std::string(200, '.'));
    ASSERT_TRUE(compose(1));
    EXPECT_THAT(tokens(), ElementsAre(2));
    write("Hello {{name}}" + std::string(400, '.'));
    ASSERT_TRUE(compose(1));
    EXPECT_THAT(requests.requests, IsEmpty());
    ASSERT_THAT(requests.too_long, SizeIs(1));
    EXPECT_EQ(requests.too_long[0]->address, "a");
}

TEST_F(ComposedRequestsTest, WhatAVendorWouldRefuseForItsSizeKeepsNobodyElseBack) {
    provider.too_large = "b ";
    tell({"a", "b", "c"});
    ASSERT_TRUE(compose(1));
    EXPECT_THAT(requests.requests, SizeIs(2));
    ASSERT_THAT(requests.too_long, SizeIs(1));
    EXPECT_EQ(requests.too_long[0]->address, "b");
}

TEST_F(ComposedRequestsTest, OneLongMessageMakesNoRoomForAThousand) {
    std::vector<std::string> addresses(1'001, "a");
    addresses[0].assign(100'000, 'x');
    for (std::size_t i = 0; i < addresses.size(); ++i) addresses[i] += std::to_string(i);
    tell(addresses);
    ASSERT_TRUE(compose(1));
    EXPECT_LT(requests.requests.back().request.body.capacity(), 1'000U);
}

TEST_F(ComposedRequestsTest, WhoHasNoValueReadsWhatTheKindSays) {
    tell({"a"});
    ASSERT_TRUE(compose(1));
    EXPECT_THAT(requests.requests[0].request.body, HasSubstr("name=friend"));
}

TEST_F(ComposedRequestsTest, AMomentIsWrittenForTheReader) {
    write("{{starts_at}}");
    job->times = {{"starts_at", TimePoint{std::chrono::seconds{1'893'499'200}}}};
    tell({"a"});
    ASSERT_TRUE(compose(1));
    EXPECT_THAT(requests.requests[0].request.body, HasSubstr("2030"));
}

TEST_F(ComposedRequestsTest, TheProviderLearnsWhenTheJobIsOver) {
    job->job.expires_at = TimePoint{std::chrono::seconds{1'893'499'200}};
    tell({"a"});
    ASSERT_TRUE(compose(1));
    EXPECT_EQ(provider.expires_at, 1'893'499'200);
}

TEST_F(ComposedRequestsTest, ATemplateThatIsGoneIsAFailureAndNoText) {
    kind.templates = "gone";
    tell({"a"});
    EXPECT_FALSE(compose(1));
    EXPECT_THAT(requests.requests, IsEmpty());
}

}  // namespace
}  // namespace fanfare
