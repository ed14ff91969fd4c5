#include "cli/audit_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

AuditedPerson person(Outcome outcome, std::uint32_t told, Reason reason = Reason::none) {
    return {.outcome = outcome, .reason = reason, .told = told, .recipient = "u1"};
}

TEST(Audit, CallsSoundWhateverLedgerAndLogAgreeUpon) {
    for (const bool over : {false, true}) {
        EXPECT_EQ(judge(person(Outcome::sent, 1), over), 0U);
        EXPECT_EQ(judge(person(Outcome::clicked, 1), over), 0U);
        for (const auto outcome :
             {Outcome::refused, Outcome::suppressed, Outcome::opted_out, Outcome::no_address,
              Outcome::expired, Outcome::cancelled, Outcome::failed, Outcome::replayed}) {
            EXPECT_EQ(judge(person(outcome, 0), over), 0U) << to_string(outcome);
        }
    }
}

TEST(Audit, CallsLostWhoHasNoFinalOutcomeWhenTheJobIsOver) {
    for (const auto outcome : {Outcome::pending, Outcome::retry}) {
        EXPECT_EQ(judge(person(outcome, 0), true), bit(AuditSet::lost));
        EXPECT_EQ(judge(person(outcome, 1), true), bit(AuditSet::lost));
        EXPECT_EQ(judge(person(outcome, 0), false), 0U);
        EXPECT_EQ(judge(person(outcome, 1), false), bit(AuditSet::under_way));
    }
}

TEST(Audit, CallsFalselySentWhomTheLogDoesNotKnow) {
    for (const auto outcome :
         {Outcome::sent, Outcome::delivered, Outcome::opened, Outcome::clicked}) {
        EXPECT_EQ(judge(person(outcome, 0), true), bit(AuditSet::falsely_sent));
    }
    auto elsewhere = person(Outcome::sent, 0);
    elsewhere.is_expected = false;  // Another account's log has it.
    EXPECT_EQ(judge(elsewhere, true), 0U);
}

TEST(Audit, CallsUnexpectedWhomTheLedgerDenies) {
    for (const auto outcome :
         {Outcome::suppressed, Outcome::opted_out, Outcome::no_address, Outcome::expired,
          Outcome::cancelled, Outcome::failed, Outcome::replayed}) {
        EXPECT_EQ(judge(person(outcome, 1), true), bit(AuditSet::unexpected)) << to_string(outcome);
    }
    EXPECT_EQ(judge(person(Outcome::refused, 1), true), bit(AuditSet::refused_later));
    auto stranger = person(Outcome::pending, 1);
    stranger.is_stranger = true;
    EXPECT_EQ(judge(stranger, false), bit(AuditSet::unexpected));
}

TEST(Audit, CallsDoubledOnlyWhatMustNotRepeat) {
    auto twice = person(Outcome::sent, 2);
    twice.repeats = 1;
    EXPECT_EQ(judge(twice, true), bit(AuditSet::doubled));
    twice.may_repeat = true;
    EXPECT_EQ(judge(twice, true), bit(AuditSet::told_again));
    twice.may_repeat = false;
    twice.channel = Channel::push;
    EXPECT_EQ(judge(twice, true), bit(AuditSet::told_again)) << "perhaps two devices";
    twice.has_devices = true;
    EXPECT_EQ(judge(twice, true), bit(AuditSet::doubled));
    twice.outcome = Outcome::cancelled;
    EXPECT_EQ(judge(twice, true), bit(AuditSet::doubled) | bit(AuditSet::unexpected));
}

TEST(Audit, SettlesDoubtByTheLog) {
    EXPECT_EQ(judge(person(Outcome::unknown, 1, Reason::answer_lost), true),
              bit(AuditSet::unknown_told));
    EXPECT_EQ(judge(person(Outcome::unknown, 0, Reason::worker_lost), true),
              bit(AuditSet::unknown_not_told));
    // Taken over by a replay: told here or not, and there once more.
    EXPECT_EQ(judge(person(Outcome::replayed, 1, Reason::answer_lost), true),
              bit(AuditSet::unknown_told));
    EXPECT_EQ(judge(person(Outcome::replayed, 0, Reason::answer_lost), true), 0U);
}

ledger::Delivery delivery(std::string recipient, std::uint32_t position, Outcome outcome,
                          std::string id = {}) {
    ledger::Delivery made;
    made.channel = Channel::sms;
    made.outcome = outcome;
    made.recipient = std::move(recipient);
    made.provider_id = std::move(id);
    made.account = "one";
    made.chunk = 3;
    made.position = position;
    return made;
}

class Book : public ::testing::Test {
protected:
    void SetUp() override {
        book_.add(delivery("a", 0, Outcome::sent, "id-a"), "");
        book_.add(delivery("b", 1, Outcome::sent, "id-bc"), "");
        book_.add(delivery("c", 2, Outcome::sent, "id-bc"), "");
    }
    [[nodiscard]] std::vector<std::string> in(AuditSet set) {
        return sum_up(book_, true).first[static_cast<std::size_t>(set)];
    }
    AuditBook book_;
};

TEST_F(Book, NotesByRecipientAndByPlace) {
    EXPECT_TRUE(book_.note_recipient(Channel::sms, "a", ""));
    EXPECT_TRUE(book_.note_place(Channel::sms, 3, 1, ""));
    EXPECT_TRUE(book_.note_place(Channel::sms, 3, 1, ""));
    EXPECT_FALSE(book_.note_recipient(Channel::email, "a", ""));
    EXPECT_FALSE(book_.note_place(Channel::sms, 3, 3, ""));
    EXPECT_FALSE(book_.note_place(Channel::sms, 4, 0, ""));
    EXPECT_FALSE(book_.note_place(Channel::email, 3, 0, ""));
    book_.close();
    EXPECT_THAT(in(AuditSet::doubled), ElementsAre("sms b"));
    EXPECT_THAT(in(AuditSet::falsely_sent), ElementsAre("sms c"));
    const auto sums = sum_up(book_, true);
    EXPECT_EQ(sums.planned, 3U);
    EXPECT_EQ(sums.told, 2U);
    EXPECT_EQ(sums.faults(), 2U);
}

TEST_F(Book, KnowsOfARequestForManyOnlyThatItWasTaken) {
    EXPECT_TRUE(book_.note_message_id("id-a", ""));
    EXPECT_TRUE(book_.note_message_id("id-a", ""));
    EXPECT_TRUE(book_.note_message_id("id-bc", ""));
    EXPECT_FALSE(book_.note_message_id("id-z", ""));
    book_.close();
    EXPECT_EQ(book_.shared(), 2U);
    EXPECT_THAT(in(AuditSet::doubled), ElementsAre("sms a"));
    EXPECT_THAT(in(AuditSet::falsely_sent), IsEmpty());
}

TEST_F(Book, TellsDevicesApart) {
    for (const auto* const device : {"x", "y", "x"})
        book_.note_recipient(Channel::sms, "a", device);
    for (const auto* const device : {"x", "y"}) book_.note_recipient(Channel::sms, "b", device);
    book_.note_recipient(Channel::sms, "c", "x");
    book_.close();
    EXPECT_THAT(in(AuditSet::doubled), ElementsAre("sms a"));
}

TEST_F(Book, NamesStrangersOnceAndOnlySoMany) {
    for (int i = 0; i < 2; ++i) book_.note_stranger(Channel::sms, "z");
    EXPECT_THAT(in(AuditSet::unexpected), ElementsAre("sms z"));
    for (std::size_t i = 1; i < AuditBook::strangers_max + 7; ++i) {
        book_.note_stranger(Channel::sms, std::to_string(i));
    }
    EXPECT_EQ(book_.more_strangers(), 7U);
    EXPECT_EQ(sum_up(book_, true).of(AuditSet::unexpected), AuditBook::strangers_max + 7);
    EXPECT_EQ(in(AuditSet::unexpected).size(), AuditSums::shown_max);
    EXPECT_EQ(sum_up(book_, true).planned, 3U);
}

TEST_F(Book, FollowsWhoWasMovedWhileItWasRead) {
    auto moved = delivery("b", 0, Outcome::retry);
    moved.chunk = 9;
    book_.add(std::move(moved), "");
    EXPECT_TRUE(book_.note_place(Channel::sms, 3, 1, ""));
    book_.close();
    EXPECT_EQ(sum_up(book_, true).planned, 3U);
    EXPECT_THAT(in(AuditSet::lost), ElementsAre("sms b"));
}

TEST_F(Book, ExpectsOfOneAccountsLogWhatItServed) {
    AuditBook other;
    other.add(delivery("a", 0, Outcome::sent), "two");
    EXPECT_EQ(sum_up(other, true).faults(), 0U);
    EXPECT_TRUE(other.note_recipient(Channel::sms, "a", ""));
    EXPECT_EQ(sum_up(other, true).faults(), 0U) << "its chunk went on with another account";
}

}  // namespace
}  // namespace fanfare::cli
