// What becomes of a record of fanfare.jobs, while the ledger and the broker come and go.
#include "worker/intake/intake.hpp"

#include "core/clock/timer.hpp"
#include "core/clock/virtual_time.hpp"
#include "tests/support/coroutines.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Events = std::vector<std::string>;
using How = ledger::TakenJob::How;

constexpr std::string_view shop = R"(
audiences:
  buyers: SELECT id AS recipient_id FROM buyers
contacts:
  email: SELECT id AS recipient_id, address FROM buyers WHERE id = ANY(:recipients)
kinds:
  sale: {audience: buyers, channels: [email]}
)";
constexpr const char* some_id = "0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11";

/// Keeps jobs by key, as ledger::take_job() does, and notes who asks.
class IntakeLedger final : public IntakeStore {
public:
    explicit IntakeLedger(Events& events) : events_{events} {}

    Answer<ledger::TakenJob> take(const ledger::NewJob& order) override {
        ++asked;
        co_await pause_for(takes);
        if (is_away) co_return fail(Errc::store_unavailable, "insert a job");
        if (takes_no_value) co_return fail(Errc::store_data, "insert a job");
        const auto [known, is_new] = jobs.try_emplace(order.job.idempotency_key, order);
        if (known->second.digest != order.digest) co_return ledger::TakenJob{How::key_reused, ""};
        events_.push_back((is_new ? "took " : "knew ") + order.job.idempotency_key);
        co_return ledger::TakenJob{is_new ? How::added : How::repeated, known->second.job.id};
    }
    Answer<bool> is_taken(const ledger::NewJob& order) override {
        if (is_away) co_return fail(Errc::store_unavailable, "look for a job");
        co_return jobs.contains(order.job.idempotency_key);
    }
    Answer<void> refuse(const std::string& id, const Rejection& rejection) override {
        if (is_away) co_return fail(Errc::store_unavailable, "note a refused job");
        events_.push_back("noted " + rejection.code);
        refused.push_back(id);
        co_return Result<void>{};
    }
    Answer<std::optional<ledger::OwnTemplates>> own_templates(const Job&) override {
        if (is_away) co_return fail(Errc::store_unavailable, "look up own templates");
        co_return own;
    }

    bool is_away = false, takes_no_value = false;
    std::chrono::milliseconds takes{0};  // To answer.
    int asked = 0;
    std::map<std::string, ledger::NewJob> jobs;
    std::vector<std::string> refused;
    std::optional<ledger::OwnTemplates> own;

private:
    Events& events_;
};

/// Says of every job what the test says; of one with its owner's own texts, that it can be told.
class Buyers final : public OrderCheck {
public:
    explicit Buyers(const Templates& shipped) : shipped_{shipped} {}
    asio::awaitable<std::optional<Rejection>> ask(const Telling& telling, bool* told) override {
        ++asked;
        const auto answer = &telling.templates == &shipped_ ? rejection : std::nullopt;
        if (told != nullptr) *told = answers && !answer;
        co_return answer;
    }
    int asked = 0;
    bool answers = true;
    std::optional<Rejection> rejection;

private:
    const Templates& shipped_;
};

class Letters final : public DeadLetters {
public:
    explicit Letters(Events& events) : events_{events} {}
    asio::awaitable<Result<void>> publish(const Letter& letter) override {
        co_await pause_for(5ms);
        sizes.push_back(letter.value.size());
        if (is_away) co_return fail(Errc::kafka_unavailable, "publish");
        if (letter.value.size() > most) co_return fail(Errc::kafka_too_large, "publish");
        headers = {letter.headers.begin(), letter.headers.end()};
        events_.push_back("buried " + headers["fanfare-reason"]);
        co_return Result<void>{};
    }
    bool is_away = false;
    std::size_t most = 1'000'000;
    std::vector<std::size_t> sizes;
    std::map<std::string, std::string> headers;  // Of the last one.

private:
    Events& events_;
};

class IntakeStageTest : public ::testing::Test {
protected:
    IntakeStageTest() {
        time.attach(loop);
        systems.emplace("shop", std::get<System>(
                                    parse_system("systems/shop/system.yaml", shop,
                                                 [](const std::string&) { return std::nullopt; })));
        kafka::Topics topics{"fanfare.jobs", {}, "fanfare.dead", "fanfare.receipts"};
        intake.emplace(
            loop.get_executor(),
            Intake::Parts{ledger, orders, letters, topics, systems, templates, false, probe, time,
                          [this](const std::string& id, Lane) { events.push_back(name(id)); },
                          [this](const kafka::Received& record) {
                              events.push_back("finished " + std::to_string(record.offset));
                          },
                          nullptr, [this](const std::string&) { events.push_back("checked"); }});
    }
    ~IntakeStageTest() override {
        intake->stop();
        time.run_for(1min);
    }

    /// "accepted ..." by the key of the job that has the id.
    std::string name(const std::string& id) const {
        for (const auto& [key, order] : ledger.jobs) {
            if (order.job.id == id) return "accepted " + key;
        }
        return "accepted nobody";
    }
    static std::string order(const std::string& key, const std::string& more = "") {
        return R"({"version":1,"idempotency_key":")" + key + R"(","system":"shop","kind":"sale")" +
               more + "}";
    }
    void take(std::string value, std::string key = "k", std::int64_t timestamp_ms = -1) {
        kafka::Received record;
        record.offset = offset++;
        record.key = std::move(key);
        record.value = std::move(value);
        record.timestamp_ms = timestamp_ms;
        intake->take(std::move(record));
    }
    [[nodiscard]] std::ptrdiff_t count(const std::string& event) const {
        return std::count(events.begin(), events.end(), event);
    }

    VirtualTime time{TimePoint{1'800'000'000s}};
    Events events;
    IntakeLedger ledger{events};
    Letters letters{events};
    Systems systems;
    Templates templates = std::get<Templates>(
        Templates::parse(std::vector<TemplateSource>{{"sale/email.subject.mustache", "Sale"},
                                                     {"sale/email.text.mustache", "Shoes"}},
                         "/etc/fanfare/templates"));
    Buyers orders{templates};
    WorkerProbe probe{std::make_shared<prometheus::Registry>()};
    asio::io_context loop{1};
    std::optional<Intake> intake;
    std::int64_t offset = 0;
};

TEST_F(IntakeStageTest, AJobIsInTheLedgerBeforeItIsPlannedAndItsRecordFinished) {
    take(order("a"));
    time.run_for(1h);
    EXPECT_THAT(events, ElementsAre("took a", "checked", "accepted a", "finished 0"));
}

TEST_F(IntakeStageTest, WhatIsNoJobGoesToTheDeadLettersAndIsFinishedOnce) {
    take("{");
    time.run_for(1h);
    EXPECT_THAT(events, ElementsAre("buried not_json", "finished 0"));
    EXPECT_EQ(letters.headers["fanfare-offset"], "0");
    EXPECT_EQ(letters.headers["fanfare-topic"], "fanfare.jobs");
    EXPECT_EQ(letters.headers["fanfare-truncated"], "false");
}

TEST_F(IntakeStageTest, WhoPublishedAJobThatIsRefusedLearnsItFirst) {
    take("{", some_id);
    time.run_for(1h);
    EXPECT_THAT(events, ElementsAre("noted not_json", "buried not_json", "finished 0"));
    EXPECT_THAT(ledger.refused, ElementsAre(some_id));
}

TEST_F(IntakeStageTest, WhileTheLedgerIsAwayNothingIsFinishedAndAllIsTriedAgain) {
    ledger.is_away = true;
    take(order("a"));
    take("{", some_id);
    time.run_for(10min);
    EXPECT_THAT(events, IsEmpty());
    EXPECT_THAT(letters.sizes, IsEmpty()) << "its publisher would not have heard of it";
    EXPECT_GE(ledger.asked, 120) << "each five seconds";
    EXPECT_LE(ledger.asked, 130);
    ledger.is_away = false;
    time.run_for(10min);
    EXPECT_EQ(count("took a"), 1);
    EXPECT_EQ(count("finished 0"), 1);
    EXPECT_EQ(count("buried not_json"), 1);
    EXPECT_EQ(count("finished 1"), 1);
}

TEST_F(IntakeStageTest, WhileTheBrokerIsAwayARefusedJobIsNotFinished) {
    letters.is_away = true;
    take("{");
    take(order("a"));
    time.run_for(1min);
    EXPECT_EQ(count("finished 0"), 0);
    EXPECT_EQ(count("finished 1"), 1) << "it keeps nobody else waiting";
    letters.is_away = false;
    time.run_for(1h);
    EXPECT_EQ(count("buried not_json"), 1);
    EXPECT_EQ(count("finished 0"), 1);
}

TEST_F(IntakeStageTest, ALetterThatIsTooLargeIsCutAndTheReasonAtLeastStands) {
    letters.most = 100;
    take(std::string(100'000, 'x'));
    time.run_for(1h);
    EXPECT_THAT(letters.sizes, ElementsAre(100'000, 65'536, 0));
    EXPECT_EQ(letters.headers["fanfare-truncated"], "true");
    EXPECT_EQ(letters.headers["fanfare-bytes"], "100000");
    EXPECT_EQ(count("finished 0"), 1);
}

TEST_F(IntakeStageTest, AJobThatComesTwiceIsOneAndIsPlannedWhoeverDiedBefore) {
    take(order("a"));
    time.run_for(1s);
    events.clear();
    take(order("a"));
    time.run_for(1h);
    EXPECT_THAT(events, ElementsAre("knew a", "accepted a", "finished 1"));
}

TEST_F(IntakeStageTest, AnotherJobUnderTheSameKeyIsRefused) {
    take(order("a"));
    time.run_for(1s);
    take(order("a", R"(,"subject":"another")"));
    time.run_for(1h);
    EXPECT_THAT(events, Contains("buried key_reused"));
    EXPECT_EQ(count("finished 1"), 1);
    EXPECT_EQ(count("accepted a"), 1);
}

TEST_F(IntakeStageTest, AValueThatTheLedgerDoesNotTakeIsRefusedForGood) {
    ledger.takes_no_value = true;
    take(order("a"));
    time.run_for(1h);
    EXPECT_THAT(events, ElementsAre("noted not_storable", "buried not_storable", "finished 0"));
    EXPECT_EQ(ledger.asked, 1);
}

TEST_F(IntakeStageTest, WhatNobodyCanBeToldIsRefused) {
    orders.rejection = Rejection{"missing_variable", "lacks a name"};
    take(order("a"));
    time.run_for(1h);
    EXPECT_THAT(events,
                ElementsAre("noted missing_variable", "buried missing_variable", "finished 0"));
}

TEST_F(IntakeStageTest, UnlessItWasTakenBefore) {
    take(order("a"));
    time.run_for(1s);
    events.clear();
    orders.rejection = Rejection{"missing_variable", "lacks a name"};
    take(order("a"));
    time.run_for(1h);
    EXPECT_THAT(events, ElementsAre("knew a", "accepted a", "finished 1"));
}

TEST_F(IntakeStageTest, OrItsOwnersTextsNeedLess) {
    orders.rejection = Rejection{"missing_variable", "lacks a name"};
    ledger.own.emplace().parts = {{"email.en.text", "Boots"}};
    take(order("a", R"(,"source":"web")"));
    time.run_for(1h);
    EXPECT_EQ(orders.asked, 2);
    EXPECT_EQ(count("took a"), 1);
    EXPECT_EQ(count("checked"), 0) << "the shipped ones were not found sound";
    EXPECT_EQ(count("finished 0"), 1);
}

TEST_F(IntakeStageTest, WhatADatabaseDoesNotSayIsLeftToThePlanner) {
    orders.answers = false;
    take(order("a"));
    time.run_for(1h);
    EXPECT_THAT(events, ElementsAre("took a", "accepted a", "finished 0"));
}

TEST_F(IntakeStageTest, OfLargeJobsTakesFewAtATime) {
    ledger.takes = 1s;
    const std::string much(Intake::at_once_bytes / 4, 'x');
    for (int i = 0; i < 12; ++i) {
        take(order(std::to_string(i), R"(,"data":{"padding":")" + much + R"("})"));
    }
    time.run_for(500ms);
    EXPECT_EQ(intake->waiting(), 12 - Intake::large_at_once_max);
    time.run_for(1h);
    EXPECT_EQ(intake->waiting(), 0U);
    take(order("small"));
    time.run_for(1h);
    EXPECT_EQ(count("took small"), 1);
}

TEST_F(IntakeStageTest, TakesSoManyAtATimeInTheOrderInWhichTheyCame) {
    ledger.takes = 1s;
    Events keys;
    for (std::size_t i = 0; i < Intake::at_once_max + 3; ++i) keys.push_back(std::to_string(i));
    for (const auto& key : keys) take(order(key));
    time.run_for(500ms);
    EXPECT_EQ(ledger.asked, static_cast<int>(Intake::at_once_max));
    EXPECT_EQ(intake->waiting(), 3U);
    time.run_for(1h);
    Events took;
    for (const auto& event : events) {
        if (event.starts_with("took ")) took.push_back(event.substr(5));
    }
    EXPECT_EQ(took, keys);
}

TEST_F(IntakeStageTest, ALifeTimeCountsFromPublishingOn) {
    const auto ttl = std::string{R"(,"ttl_s":60)"};
    const auto now = time.now();
    const auto ms = [](TimePoint moment) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(moment.time_since_epoch())
            .count();
    };
    take(order("read late", ttl), "k", ms(now - 40s));
    take(order("of a fast clock", ttl), "k", ms(now + 1h));
    time.run_for(1s);
    EXPECT_EQ(ledger.jobs.at("read late").job.expires_at, now + 20s);
    EXPECT_EQ(ledger.jobs.at("of a fast clock").job.expires_at, now + 60s);
}

TEST_F(IntakeStageTest, WhatIsNotSettledWhenItStopsIsNotFinished) {
    ledger.is_away = true;
    take(order("a"));
    time.run_for(1min);
    intake->stop();
    bool joined = false;
    const auto join = [](Intake& stage, bool& done) -> asio::awaitable<void> {
        co_await stage.join();
        done = true;
    };
    test::begin(loop, join(*intake, joined));
    time.run_for(10s);
    EXPECT_TRUE(joined);
    ledger.is_away = false;
    time.run_for(1h);
    EXPECT_THAT(events, IsEmpty()) << "whoever reads it next takes it";
}

}  // namespace
}  // namespace fanfare
