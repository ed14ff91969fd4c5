#include "core/ledger/receipts.hpp"

#include "core/ledger/addresses.hpp"
#include "core/ledger/progress.hpp"
#include "tests/integration/ledger_case.hpp"
#include "worker/receipts/receipt_writer.hpp"

#include <limits>

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Step {
    Outcome outcome;
    Reason reason;
    ReceiptEvent event;
    std::optional<Raised> result;
};

TEST(Raise, OutcomesOnlyRise) {
    using enum ReceiptEvent;
    constexpr Raised is_sent{Outcome::sent, Reason::none};
    constexpr Raised is_delivered{Outcome::delivered, Reason::none};
    constexpr Raised is_opened{Outcome::opened, Reason::none};
    constexpr Raised is_dead{Outcome::refused, Reason::address_invalid};
    constexpr Raised is_refused{Outcome::refused, Reason::recipient_refused};
    const Step steps[] = {
        {Outcome::unknown, Reason::answer_lost, accepted, is_sent},
        {Outcome::unknown, Reason::worker_lost, delivered, is_delivered},
        {Outcome::retry, Reason::answer_lost, delivered, is_delivered},
        {Outcome::sent, Reason::none, accepted, std::nullopt},
        {Outcome::sent, Reason::none, delivered, is_delivered},
        {Outcome::sent, Reason::none, soft_bounced, is_refused},
        {Outcome::sent, Reason::none, failed, Raised{Outcome::refused, Reason::request_refused}},
        {Outcome::sent, Reason::none, expired, Raised{Outcome::refused, Reason::past_expiry}},
        {Outcome::sent, Reason::none, complained, is_delivered},
        {Outcome::sent, Reason::none, opted_out,
         Raised{Outcome::refused, Reason::consent_withdrawn}},
        {Outcome::unknown, Reason::answer_lost, opted_out,
         Raised{Outcome::refused, Reason::consent_withdrawn}},
        {Outcome::sent, Reason::none, clicked, Raised{Outcome::clicked, Reason::none}},
        {Outcome::delivered, Reason::none, hard_bounced, is_dead},
        {Outcome::refused, Reason::address_invalid, delivered, std::nullopt},
        {Outcome::refused, Reason::recipient_refused, hard_bounced, is_dead},
        {Outcome::refused, Reason::address_invalid, soft_bounced, std::nullopt},
        {Outcome::refused, Reason::address_invalid, opened, is_opened},
        {Outcome::opened, Reason::none, delivered, std::nullopt},
        {Outcome::opened, Reason::none, hard_bounced, std::nullopt},
        {Outcome::clicked, Reason::none, opened, std::nullopt},
    };
    for (const auto& step : steps) {
        EXPECT_EQ(raise(step.outcome, step.reason, step.event), step.result)
            << to_string(step.outcome) << " and " << to_string(step.event);
    }
}

TEST(Raise, TheOrderOfReceiptsDoesNotMatter) {
    std::vector<ReceiptEvent> events;
    for (std::size_t i = 0; i < receipt_event_count; ++i) {
        events.push_back(static_cast<ReceiptEvent>(i));
    }
    for (const auto first : events) {
        for (const auto second : events) {
            const auto after = [](ReceiptEvent a, ReceiptEvent b) {
                Raised now{Outcome::sent, Reason::none};
                for (const auto event : {a, b, a}) {
                    if (const auto next = raise(now.outcome, now.reason, event)) now = *next;
                }
                return now;
            };
            const auto one = after(first, second);
            const auto other = after(second, first);
            EXPECT_EQ(one.outcome, other.outcome) << to_string(first) << " " << to_string(second);
        }
    }
}

class ReceiptsTest : public LedgerCase {
protected:
    ReceiptBatch batch(std::vector<std::pair<std::uint32_t, ReceiptEvent>> events,
                       std::uint32_t chunk = 0) const {
        ReceiptBatch batch{"mail", Channel::email, job, chunk, {}};
        for (const auto& [position, event] : events) {
            batch.receipts.push_back({{job, Channel::email, chunk, position}, event, 100, "", ""});
        }
        return batch;
    }
    ReceiptTally apply(const ReceiptBatch& one) {
        return apply_receipts(db(), std::vector<ReceiptBatch>{one});
    }
    std::vector<std::string> outcomes() {
        pqxx::nontransaction work{db().raw()};
        std::vector<std::string> words;
        for (const auto& row : work.exec("SELECT outcome || coalesce('/' || nullif(reason, "
                                         "'none'), '') FROM delivery ORDER BY recipient")) {
            words.emplace_back(row[0].c_str());
        }
        return words;
    }
    void send_all() {
        job = accept("show-1");
        plan(job, {{"a", "b", "c"}});
        auto chunks = claim({key(job)});
        record(
            record_for(chunks.at(0), bytes_of({Outcome::sent, Outcome::sent, Outcome::unknown})));
    }

    std::string job;
};

TEST_F(ReceiptsTest, RaiseTheOutcomesOfTheirChunk) {
    send_all();
    const auto tally = apply(batch({{0, ReceiptEvent::delivered},
                                    {1, ReceiptEvent::hard_bounced},
                                    {2, ReceiptEvent::accepted},
                                    {0, ReceiptEvent::opened},
                                    {0, ReceiptEvent::delivered}}));
    EXPECT_EQ(tally.raised, 4U);
    EXPECT_EQ(tally.unchanged, 1U);
    EXPECT_THAT(outcomes(), ElementsAre("opened", "refused/address_invalid", "sent"));
    pqxx::nontransaction work{db().raw()};
    const auto row = work.exec1("SELECT planned, opened, refused, sent, unknown FROM job_progress");
    EXPECT_EQ(row[0].as<int>(), 3);
    EXPECT_EQ(row[1].as<int>() + row[2].as<int>() + row[3].as<int>(), 3) << "the tally follows";
    EXPECT_EQ(row[4].as<int>(), 0);
}

TEST_F(ReceiptsTest, RepeatedTheyChangeNothing) {
    send_all();
    const auto one = batch({{0, ReceiptEvent::delivered}, {1, ReceiptEvent::clicked}});
    apply(one);
    const auto before = outcomes();
    const auto tally = apply(one);
    EXPECT_EQ(tally.raised, 0U);
    EXPECT_EQ(outcomes(), before);
}

TEST_F(ReceiptsTest, OfNothingWeKnowAreCountedAndDropped) {
    send_all();
    EXPECT_EQ(apply(batch({{3, ReceiptEvent::delivered}})).unmatched, 1U) << "no such place";
    EXPECT_EQ(apply(batch({{0, ReceiptEvent::delivered}}, 9)).unmatched, 1U) << "no such chunk";
    EXPECT_THAT(outcomes(), ElementsAre("sent", "sent", "unknown"));
}

TEST_F(ReceiptsTest, ThatComeBeforeTheRecordWaitForIt) {
    job = accept("show-1");
    plan(job, {{"a", "b"}});
    auto chunks = claim({key(job)});
    EXPECT_EQ(apply(batch({{1, ReceiptEvent::delivered}})).early, 1U);
    EXPECT_EQ(apply_early_receipts(db(), 100).raised, 0U) << "still claimed";
    record(record_for(chunks.at(0), bytes_of({Outcome::sent, Outcome::sent})));
    EXPECT_THAT(outcomes(), ElementsAre("sent", "sent"));
    EXPECT_EQ(apply_early_receipts(db(), 100).raised, 1U);
    EXPECT_THAT(outcomes(), ElementsAre("sent", "delivered"));
    EXPECT_EQ(apply_early_receipts(db(), 100).raised, 0U) << "once";
}

TEST_F(ReceiptsTest, SpareAPersonWhoWouldBeToldAgain) {
    job = accept("show-1");
    plan(job, {{"a", "b"}}, DoubtPolicy::resend);
    auto chunks = claim({key(job)});
    auto entry = record_for(chunks.at(0), bytes_of({Outcome::retry, Outcome::retry}));
    entry.reasons = reasons_of({Reason::answer_lost, Reason::answer_lost});
    record(entry);
    apply(batch({{0, ReceiptEvent::delivered}}));
    auto again = claim({key(job)}, 2);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].outcomes, bytes_of({Outcome::delivered, Outcome::retry}));
}

TEST_F(ReceiptsTest, SoManySoftBouncesInARowSuppress) {
    const auto bounce = [&](std::int64_t at, ReceiptEvent event = ReceiptEvent::soft_bounced) {
        ReceiptBatch one{"mail", Channel::email, "", 0, {}};
        const auto* const spelled = at % 200 == 0 ? "Ann@EXAMPLE.com" : "ann@example.com";
        one.receipts.push_back({{}, event, at, spelled, ""});
        return count_soft_bounces(db(), std::vector<ReceiptBatch>{one}, 3);
    };
    EXPECT_EQ(bounce(100), 0U);
    EXPECT_EQ(bounce(200), 0U);
    EXPECT_EQ(bounce(200), 0U) << "the same one again";
    bounce(250, ReceiptEvent::delivered);
    EXPECT_EQ(bounce(300), 0U) << "not in a row";
    EXPECT_EQ(bounce(400), 0U);
    EXPECT_THAT(
        find_suppressed(db(), Channel::email, std::vector<std::string_view>{"Ann@example.com"}),
        ElementsAre(false));
    EXPECT_EQ(bounce(500), 1U);
    EXPECT_THAT(
        find_suppressed(db(), Channel::email, std::vector<std::string_view>{"Ann@example.com"}),
        ElementsAre(true));
}

TEST_F(ReceiptsTest, SuppressAnAddressHoweverTheProviderWroteIt) {
    send_all();
    auto bounced = batch({{0, ReceiptEvent::hard_bounced}, {1, ReceiptEvent::complained}});
    bounced.receipts[0].address = "Wanda1@Example.com";
    bounced.receipts[1].address = "Ana <ana@M\u00dcLLER.de>";
    auto stopped = batch({{2, ReceiptEvent::opted_out}});
    stopped.channel = Channel::sms;
    stopped.receipts[0].address = "15550100001";
    const std::vector<ReceiptBatch> batches{bounced, stopped};
    std::ignore = write_receipts(db(), batches, 5);
    EXPECT_THAT(
        find_suppressed(db(), Channel::email,
                        std::vector<std::string_view>{"wanda1@example.com", "WANDA1@example.com",
                                                      "ana@xn--mller-kva.de"}),
        ElementsAre(true, true, true));
    EXPECT_THAT(find_suppressed(db(), Channel::sms, std::vector<std::string_view>{"+15550100001"}),
                ElementsAre(true));
}

TEST_F(ReceiptsTest, WithAnAddressThatCanBeNoneSuppressNobody) {
    send_all();
    auto bounced = batch({{1, ReceiptEvent::hard_bounced}});
    bounced.receipts[0].address = "x\xff@example.com";
    const auto heard = write_receipts(db(), std::vector<ReceiptBatch>{bounced}, 5);
    EXPECT_EQ(heard.refused, 0U);
    EXPECT_THAT(outcomes(), ElementsAre("sent", "refused/address_invalid", "unknown"));
    EXPECT_EQ(ledger.value("SELECT count(*) FROM suppression"), "0");
}

TEST_F(ReceiptsTest, OneThatIsRefusedHoldsUpNoOther) {
    send_all();
    auto bounced = batch({{0, ReceiptEvent::delivered}, {1, ReceiptEvent::soft_bounced}});
    bounced.receipts[1].address = "x@example.com";
    bounced.receipts[1].at_unix =
        std::numeric_limits<std::int64_t>::max();  // No time of PostgreSQL's.
    const std::vector<ReceiptBatch> batches{bounced, batch({{2, ReceiptEvent::delivered}})};
    const auto heard = write_receipts(db(), batches, 5);
    EXPECT_EQ(heard.refused, 1U);
    EXPECT_THAT(outcomes(), ElementsAre("delivered", "refused/recipient_refused", "delivered"))
        << "an outcome is known though the bounce cannot be counted";
    EXPECT_EQ(ledger.value("SELECT count(*) FROM suppression"), "0");
}

class FallbackTest : public LedgerCase {
protected:
    ChunkRecord with_fallback(const ClaimedChunk& chunk) {
        auto entry = record_for(chunk, bytes_of({Outcome::sent, Outcome::no_address}));
        entry.fallback = FallbackChunk{Channel::sms, DoubtPolicy::hold, Lane::normal, {"b"}};
        return entry;
    }
};

TEST_F(FallbackTest, TheNewChunkComesWithTheRecordAndKeepsTheJobOpen) {
    const auto job = accept("show-1");
    plan(job, {{"a", "b"}});
    auto chunks = claim({key(job)});
    EXPECT_EQ(record(with_fallback(chunks.at(0))).size(), 1U);
    EXPECT_EQ(finish_jobs(db(), {}).size(), 0U) << "somebody is still to be told";
    auto next = claim({{job, Channel::sms, 0}});
    ASSERT_EQ(next.size(), 1U);
    EXPECT_THAT(next[0].recipients.elements, ElementsAre("b"));
    pqxx::nontransaction{db().raw()}.exec("SELECT 1");
    record(record_for(next[0], bytes_of({Outcome::sent})));
    EXPECT_EQ(finish_jobs(db(), {}).size(), 1U);
    pqxx::nontransaction work{db().raw()};
    EXPECT_EQ(work.exec1("SELECT planned::text FROM job")[0].as<std::string>(), "{2,1,0}");
}

TEST_F(FallbackTest, CountsAsPlannedAlsoWhilePlanningGoesOn) {
    const auto job = accept("show-1");
    auto task = claim_plan(db(), job, lease);
    const auto write = [&](const std::vector<std::string>& people) {
        task->cursor = people.back();
        task->planned[0] += static_cast<std::int64_t>(people.size());
        const std::vector<NewChunk> chunks{{Channel::email, task->chunks[0]++,
                                            static_cast<std::int32_t>(people.size()),
                                            literal_of(people), DoubtPolicy::hold}};
        ASSERT_TRUE(write_plan(db(), *task, Lane::normal, chunks, lease, republish_after));
    };
    write({"a", "b"});
    record(with_fallback(claim({key(job)}).at(0)));
    write({"c"});
    ASSERT_TRUE(finish_plan(db(), *task));
    EXPECT_EQ(ledger.value("SELECT planned FROM job"), "{3,1,0}");
    EXPECT_THAT(audit(db(), job).differences, ::testing::IsEmpty());
}

TEST_F(FallbackTest, ARecordThatComesTooLateBringsNone) {
    const auto job = accept("show-1");
    plan(job, {{"a", "b"}});
    auto chunks = claim({key(job)});
    auto late = with_fallback(chunks.at(0));
    --late.epoch;
    --late.token;
    EXPECT_TRUE(record(late).empty());
    EXPECT_TRUE(claim({{job, Channel::sms, 0}}).empty());
}

TEST_F(FallbackTest, WhoeverIsFoundUnreachableLaterGetsAChunkToo) {
    const auto job = accept("show-1");
    plan(job, {{"a", "b", "c"}});
    const auto chunk = std::move(claim({key(job)}).at(0));
    ledger.advance(lease + std::chrono::seconds{1});
    const auto taken = take_over_stalled(db(), 10, lease);
    auto guess = record_for(taken.at(0),
                            bytes_of({Outcome::unknown, Outcome::no_address, Outcome::unknown}));
    guess.reasons = reasons_of({Reason::worker_lost, Reason::none, Reason::worker_lost});
    guess.taken_over = true;
    guess.fallback = FallbackChunk{Channel::sms, DoubtPolicy::hold, Lane::normal, {"b"}};
    ASSERT_EQ(record(guess).size(), 1U);
    const auto first = claim({{job, Channel::sms, 0}}, 2);
    ASSERT_EQ(first.size(), 1U);
    record(record_for(first[0], bytes_of({Outcome::sent})));
    ASSERT_EQ(finish_jobs(db(), {}).size(), 1U);
    auto late =
        record_for(chunk, bytes_of({Outcome::sent, Outcome::no_address, Outcome::no_address}));
    late.fallback = FallbackChunk{Channel::sms, DoubtPolicy::hold, Lane::normal, {"b", "c"}};
    ASSERT_EQ(record(late).size(), 1U);
    EXPECT_THAT(ledger.column("SELECT recipients FROM chunk WHERE channel = 1 ORDER BY number"),
                ElementsAre("{b}", "{c}"));
    EXPECT_EQ(ledger.value("SELECT state || planned::text FROM job"), "sending{3,2,0}");
}

TEST_F(FallbackTest, NobodyIsTurnedElsewhereForWhomTheJobWasOverByThen) {
    const auto job = accept("show-1");
    plan(job, {{"a", "b"}});
    const auto chunk = std::move(claim({key(job)}).at(0));
    ledger.advance(lease + std::chrono::seconds{1});
    auto over = record_for(take_over_stalled(db(), 10, lease).at(0),
                           bytes_of({Outcome::cancelled, Outcome::cancelled}));
    over.taken_over = true;
    ASSERT_EQ(record(over).size(), 1U);
    ASSERT_EQ(record(with_fallback(chunk)).size(), 1U) << "late";
    EXPECT_EQ(outcomes_of(job), "cancelled cancelled");
    EXPECT_TRUE(claim({{job, Channel::sms, 0}}, 2).empty());
}

class DoubtTest : public LedgerCase {};

TEST_F(DoubtTest, BindsAChunkToTheAccountThatCausedIt) {
    const auto job = accept("show-1");
    plan(job, {{"a"}}, DoubtPolicy::resend);
    const auto claim_for = [&](const std::string& account) {
        const std::vector<ClaimRequest> requests{{key(job), account}};
        auto claimed = claim_chunks(db(), requests, lease, 1);
        return std::move(claimed.at(0));
    };
    const auto end = [&](const ClaimedChunk& chunk, Reason reason) {
        auto entry = record_for(chunk, bytes_of({Outcome::retry}));
        entry.reasons = reasons_of({reason});
        entry.account = chunk.account;
        record(entry);
    };
    auto chunk = claim_for("first");
    EXPECT_EQ(chunk.account, "first");
    end(chunk, Reason::throttled);
    chunk = claim_for("second");
    EXPECT_EQ(chunk.account, "second") << "nothing was in doubt";
    end(chunk, Reason::answer_lost);
    chunk = claim_for("third");
    EXPECT_EQ(chunk.account, "second") << "only it may send again";
}

}  // namespace
}  // namespace fanfare::ledger
