#include "cli/audit_log.hpp"

#include "core/reference/compact.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace fanfare::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string job = "0198b6c4-7d1e-7c52-9a6b-3f6f4a1e2d3c";
const std::string other_job = "0198b6c4-7d1e-7c52-9a6b-3f6f4a1e2d3d";

class Log : public ::testing::Test {
protected:
    void SetUp() override {
        for (std::uint32_t i = 0; i < 3; ++i) {
            ledger::Delivery delivery;
            delivery.channel = Channel::sms;
            delivery.outcome = Outcome::sent;
            delivery.recipient = "u" + std::to_string(i);
            delivery.provider_id = "SM" + std::to_string(i);
            delivery.chunk = 7;
            delivery.position = i;
            book_.add(std::move(delivery), "");
        }
        rules_.job = job;
        rules_.references = &references_;
    }

    /// What is wrong with the log.
    std::string read(const std::string& text) {
        std::istringstream in{text};
        return AuditLog{in, rules_}.read(book_, counts_);
    }
    [[nodiscard]] std::uint32_t told(std::size_t place) const { return book_.people()[place].told; }
    /// Of the person at that place.
    [[nodiscard]] std::string reference(std::uint32_t position, const std::string& of = job) const {
        std::vector<std::string> refs;
        references_.write_refs(of, Channel::sms, 7, position + 1, refs);
        return of + ".7." + refs[position];
    }

    References references_{Secret{std::string(32, 'k')}};
    References keyless_{Secret{}};
    LogRules rules_;
    AuditBook book_;
    LogCounts counts_;
};

TEST_F(Log, ReadsReferencesHoweverTheyTravel) {
    const auto whole = reference(1);
    auto of_ses = whole;
    for (int i = 0; i < 3; ++i) of_ses[of_ses.find('.')] = '_';
    const auto compact = compact_reference(whole);
    ASSERT_TRUE(compact);
    EXPECT_EQ(whole_reference(whole, ""), whole);
    EXPECT_EQ(whole_reference(of_ses, ""), whole);
    EXPECT_EQ(whole_reference(*compact, ""), whole);
    EXPECT_EQ(whole_reference("<" + whole + "@mail.example.com>", ""), whole);
    const auto half = job + ".7";
    EXPECT_EQ(whole_reference(half, whole.substr(half.size() + 1)), whole);
    EXPECT_EQ(whole_reference("anything", "x"), "anything");
    EXPECT_EQ(whole_reference("", ""), "");
}

TEST_F(Log, NotesWhomItsReferencesName) {
    EXPECT_EQ(read("Time, Reference \n1," + reference(0) + "\r\n2,\"" + reference(2) + "\"\n3," +
                   reference(0, other_job) + "\n4,\n5,somebody-else's\n"),
              "");
    EXPECT_EQ(told(0), 1U);
    EXPECT_EQ(told(1), 0U);
    EXPECT_EQ(told(2), 1U);
    EXPECT_EQ(counts_.rows, 5U);
    EXPECT_EQ(counts_.of_job, 2U);
    EXPECT_EQ(counts_.others, 3U);
}

TEST_F(Log, BelievesNoReferenceThatWasNotMadeHere) {
    auto forged = reference(0);
    forged.back() = forged.back() == 'A' ? 'B' : 'A';
    EXPECT_EQ(read("reference\n" + forged + "\n" + job + ".7.0\n" + job + ".\n"), "");
    EXPECT_EQ(counts_.unproven, 3U);
    EXPECT_EQ(told(0), 0U);
    rules_.references = &keyless_;  // Then there are no tags to look at.
    EXPECT_EQ(read("reference,channel\n" + job + ".7.0,sms\n" + job + ".x.0,sms\n"), "");
    EXPECT_EQ(told(0), 1U);
    EXPECT_EQ(counts_.unproven, 4U);
}

TEST_F(Log, CallsAProvenPlaceThatNobodyHasAStranger) {
    EXPECT_EQ(read("reference\n" + reference(12) + "\n"), "");
    EXPECT_EQ(book_.people().back().recipient, "chunk 7 place 12");
    EXPECT_TRUE(book_.people().back().is_stranger);
}

TEST_F(Log, NotesRecipientsAndStrangers) {
    EXPECT_EQ(read("channel,recipient,job\nSMS,u0," + job + "\nsms,u1,\nsms,u2," + other_job +
                   "\nemail,u0,\n"),
              "");
    EXPECT_EQ(told(0), 1U);
    EXPECT_EQ(told(1), 1U);
    EXPECT_EQ(told(2), 0U);
    EXPECT_EQ(book_.people().size(), 4U) << "nobody of this job is told by e-mail";
    rules_.channel = rules_.usual = Channel::sms;
    EXPECT_EQ(read("recipient;channel\nu2;\nu0;email\n"), "");
    EXPECT_EQ(told(2), 1U);
    EXPECT_EQ(told(0), 1U);
}

TEST_F(Log, NotesMessageIds) {
    EXPECT_EQ(read("provider_id\nSM1\nSM1\nSM9\n"), "");
    EXPECT_EQ(told(1), 2U);
    EXPECT_EQ(counts_.others, 1U);
}

TEST_F(Log, CountsOnlyWhatWasAccepted) {
    rules_.accepted = {"sent", "delivered"};
    rules_.usual = Channel::sms;
    EXPECT_EQ(read("recipient,status\nu0,Sent\nu1,rejected\nu2,\n"), "");
    EXPECT_EQ(told(0), 1U);
    EXPECT_EQ(told(1), 0U);
    EXPECT_EQ(counts_.uncounted, 2U);
    EXPECT_THAT(read("recipient\nu0\n"), HasSubstr("--accepted needs a column `status`"));
}

TEST_F(Log, TakesTheStrongestColumnThatItHas) {
    EXPECT_EQ(read("recipient,message_id,reference\nnobody,SM1," + reference(0) + "\n"), "");
    EXPECT_EQ(told(0), 1U);
    EXPECT_EQ(told(1), 0U);
}

TEST_F(Log, SaysWhatIsWrongWhereAndHowToMendIt) {
    EXPECT_THAT(read(""), HasSubstr("empty"));
    EXPECT_THAT(read("to,body\n"), StartsWith("line 1: no column says who is meant"));
    EXPECT_THAT(read("recipient\nu0\n"), HasSubstr("--channel"));
    EXPECT_THAT(read("id,reference\n1,x\n2\n"), StartsWith("line 3, column 2 (reference): "));
    EXPECT_THAT(read("recipient,channel\nu0,pigeon\n"),
                StartsWith("line 2, column 2 (channel): no channel; write email"));
    EXPECT_THAT(read("recipient,channel\nu0,\n"), StartsWith("line 2, column 2 (channel): empty"));
    EXPECT_THAT(read("reference\n\"a\nb\n"), StartsWith("line 2: a quote that is never closed"));
    EXPECT_THAT(read("reference\n" + std::string(70'000, 'x')), HasSubstr("64 KiB"));
}

}  // namespace
}  // namespace fanfare::cli
