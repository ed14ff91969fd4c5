#include "worker/plan/planner.hpp"

#include "core/kafka/client.hpp"
#include "core/ledger/progress.hpp"
#include "tests/integration/ledger_case.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <iterator>
#include <list>
#include <optional>
#include <thread>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto patience = 60s;  // A test that works does not need it.
constexpr std::chrono::milliseconds short_lease{2'000};

/// The broker of all tests of this file; nobody reads it.
const KafkaSettings& broker() {
    static KafkaSettings settings = [] {
        KafkaSettings fresh;
        fresh.partitions = 1;
        static auto started = kafka::EmbeddedBroker::start(fresh);
        fresh.brokers = started.value().address();
        return fresh;
    }();
    return settings;
}

kafka::Producer& producer() {
    static const auto opened = kafka::Producer::open(broker());
    return *opened.value();
}

const Templates& templates() {
    static const auto loaded =
        std::get<Templates>(Templates::load(FANFARE_SOURCE_DIR "/templates"));
    return loaded;
}

/// One worker's planner over the test's ledger, whose clock stands still.
class Worker {
public:
    Worker(const Secret& ledger_url, const System& system) : ledger{ledger_url, {}, 2} {
        systems.emplace(system.name, system);
        settings.lease = short_lease;
        settings.plan_batch = 100;
        job_contexts.emplace(systems, templates(),
                             JobContexts::Reach{ledger_url, 2, std::chrono::minutes{10}}, "",
                             system_clock());
        store.emplace(ledger, *job_contexts);
        planner.emplace(
            Planner::Parts{*store, audiences, descriptors, system_clock(), probe, stopping,
                           [this](auto wait) { keeper->pause(wait); }, [] { return 0.5; }},
            settings, Planner::Sizes{50, 50, 50});
        keeper.emplace(planner->keeper());
    }

    std::atomic<bool> stopping{false};
    WorkerProbe probe{std::make_shared<prometheus::Registry>()};
    WorkerSettings settings;
    Systems systems;
    postgres::Pool ledger;
    std::optional<JobContexts> job_contexts;
    std::optional<LedgerPlanStore> store;
    DatabaseAudiences audiences{ledger, system_clock()};
    KafkaDescriptors descriptors{producer(), kafka::list_topics(broker())};
    std::optional<Planner> planner;
    std::optional<KeeperThread> keeper;
};

class PlannerTest : public ledger::LedgerCase {
protected:
    PlannerTest() {
        std::ifstream file{FANFARE_SOURCE_DIR "/tests/fixtures/shows.sql"};
        sql({std::istreambuf_iterator<char>{file}, {}});
        sql("CREATE TABLE person AS SELECT 'p' || lpad(n::text, 6, '0') AS id "
            "FROM generate_series(1, 250) n");
        // Waits for nobody as long as the gate is open.
        sql("CREATE FUNCTION gate() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN "
            " WHILE NOT pg_try_advisory_xact_lock_shared(7) LOOP PERFORM pg_sleep(0.01); END LOOP; "
            " RETURN true; END $$");
        sql("CREATE FUNCTION fault(state text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
            " RAISE EXCEPTION USING ERRCODE = state, MESSAGE = 'a fault'; END $$");
        auto loaded = load_systems(FANFARE_SOURCE_DIR "/config/systems",
                                   [](const std::string&) { return std::nullopt; });
        system = std::get<Systems>(loaded).at("shows");
        system.database = ledger.database().url();
        audience("SELECT id AS recipient_id FROM person");
    }

    void sql(const std::string& statement) {
        pqxx::nontransaction work{db().raw()};
        work.exec(statement);
    }
    void audience(const std::string& query) {
        auto& followers = system.audiences.find("followers")->second;
        followers.query.sql = query;
        followers.query.parameters.clear();
    }
    Worker& worker() { return workers.emplace_back(ledger.database().url(), system); }

    std::string order(std::optional<TimePoint> expires_at = std::nullopt) {
        auto job = job_named("show-" + std::to_string(++ordered));
        job.data = {{"title", "Live"},
                    {"username", "Mira"},
                    {"show_id", "s1"},
                    {"user_id", "u1"},
                    {"starts_at", "2030-01-01T13:00:00Z"}};
        job.expires_at = expires_at;
        return accept(job);
    }
    std::string of_job(const std::string& what) {
        return ledger.value("SELECT " + what + " FROM job");
    }

    template <class Condition>
    void wait_for(Condition condition, const std::string& what) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!condition()) {
            ASSERT_LT(std::chrono::steady_clock::now(), end) << "waited for " << what;
            std::this_thread::yield();
        }
    }
    void wait_until(const std::string& condition) {
        wait_for([&] { return ledger.value("SELECT " + condition) == "t"; }, condition);
    }
    /// An audience whose first row does not come before open_gate().
    void close_gate() {
        keeper_of_gate = ledger.connect();
        holding.emplace(keeper_of_gate->raw());
        holding->exec("SELECT pg_advisory_xact_lock(7)");
        audience("SELECT id AS recipient_id FROM person WHERE (SELECT gate())");
    }
    void open_gate() {
        holding.reset();
        keeper_of_gate.reset();
    }
    /// Until its query stands at the gate.
    void wait_at_gate() {
        wait_until(
            "count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() "
            "AND state = 'active' AND query LIKE 'FETCH%'");
    }
    /// Plans until nobody tries again, on a clock that goes on as far as each wait.
    int tries_until_the_end(Planner& planner, const std::string& job) {
        int tries = 0;
        auto again = planner.plan(job);
        for (++tries; again && tries < 100; ++tries) {
            ledger.advance(*again);
            again = planner.plan(job);
        }
        return tries;
    }

    System system;
    std::list<Worker> workers;
    std::unique_ptr<postgres::Connection> keeper_of_gate;
    std::optional<pqxx::work> holding;
    int ordered = 0;
};

TEST_F(PlannerTest, PlansEveryoneOnce) {
    const auto job = order();
    EXPECT_FALSE(worker().planner->plan(job));
    EXPECT_EQ(of_job("state || ' ' || planned::text"), "sending {250,0,0}");
    EXPECT_EQ(ledger.value("SELECT count(DISTINCT r) || ' ' || count(*) FROM chunk, "
                           "unnest(recipients) r"),
              "250 250");
}

TEST_F(PlannerTest, WhatTheDatabaseHasJustFoundSoundIsNotAskedOnceMore) {
    system.contacts[0]->query.sql =
        "SELECT id AS recipient_id, id AS address, fault('P0001') AS name FROM person "
        "WHERE $1::text[] IS NOT NULL";
    auto& planner = *worker().planner;
    const auto checked = order();
    planner.was_checked(checked);
    EXPECT_FALSE(planner.plan(checked));
    EXPECT_EQ(of_job("state"), "sending");
    EXPECT_TRUE(planner.plan(order())) << "the query fails, and it is tried again later";
}

TEST_F(PlannerTest, KeepsAPlanWhoseFirstRowTakesLongerThanItsLease) {
    close_gate();
    auto& mine = worker();
    auto& other = worker();
    const auto job = order();
    auto planned = std::async(std::launch::async, [&] { return mine.planner->plan(job); });
    wait_at_gate();
    for (int leases = 0; leases < 4; ++leases) {
        ledger.advance(short_lease - 1ms);
        wait_until("plan_lease = app_now() + interval '2 s' FROM job");
        EXPECT_FALSE(other.planner->plan(job));
        EXPECT_THAT(ledger::unplanned_jobs(db(), 9), ::testing::IsEmpty());
    }
    open_gate();
    EXPECT_FALSE(planned.get());
    EXPECT_EQ(of_job("plan_epoch || ' ' || state || ' ' || planned[1]"), "1 sending 250")
        << "planned once, and taken over by nobody";
}

TEST_F(PlannerTest, EndsTheQueryOfAJobThatIsCancelled) {
    close_gate();
    const auto job = order();
    auto planned = std::async(std::launch::async, [&] { return worker().planner->plan(job); });
    wait_at_gate();
    ASSERT_TRUE(ledger::cancel_job(db(), job));
    EXPECT_FALSE(planned.get());
    EXPECT_EQ(of_job("state || ' ' || coalesce(failure, '-')"), "cancelled -");
    EXPECT_EQ(ledger.value("SELECT count(*) FROM chunk"), "0");
}

TEST_F(PlannerTest, EndsItsQueryWhenAnotherHasTakenThePlanOver) {
    close_gate();
    const auto job = order();
    auto planned = std::async(std::launch::async, [&] { return worker().planner->plan(job); });
    wait_at_gate();
    sql("UPDATE job SET plan_epoch = plan_epoch + 1");
    EXPECT_FALSE(planned.get());
    EXPECT_EQ(of_job("plan_epoch || ' ' || state || ' ' || plan_failures"), "2 planning 0");
}

TEST_F(PlannerTest, GivesThePlanBackWhenItStops) {
    close_gate();
    auto& mine = worker();
    const auto job = order();
    auto planned = std::async(std::launch::async, [&] { return mine.planner->plan(job); });
    wait_at_gate();
    mine.stopping = true;
    EXPECT_FALSE(planned.get()) << "in the middle of its query";
    open_gate();
    ledger.advance(1ms);
    EXPECT_FALSE(worker().planner->plan(job));
    EXPECT_EQ(of_job("plan_epoch || ' ' || state || ' ' || planned[1]"), "2 sending 250");
}

TEST_F(PlannerTest, GoesOnByItselfWhenTheLedgerComesBack) {
    close_gate();
    auto& mine = worker();
    const auto job = order();
    auto planned = std::async(std::launch::async, [&] { return mine.planner->plan(job); });
    wait_at_gate();
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND query NOT LIKE 'FETCH%' AND query NOT LIKE "
        "'%xact_lock(7)'");
    open_gate();
    EXPECT_FALSE(planned.get());
    EXPECT_EQ(of_job("plan_epoch || ' ' || state || ' ' || planned[1] || ' ' || plan_failures"),
              "1 sending 250 0");
}

TEST_F(PlannerTest, TriesAgainSoonWhenTheServerOfTheAudienceWentAway) {
    close_gate();
    auto& mine = worker();
    const auto job = order();
    auto planned = std::async(std::launch::async, [&] { return mine.planner->plan(job); });
    wait_at_gate();
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND query LIKE 'FETCH%'");
    const auto again = planned.get();
    ASSERT_TRUE(again);
    EXPECT_LE(*again, 1s);
    open_gate();
    ledger.advance(*again);
    EXPECT_FALSE(mine.planner->plan(job));
    EXPECT_EQ(of_job("state || ' ' || planned[1]"), "sending 250");
}

TEST_F(PlannerTest, GivesUpAQueryThatBreaksInTheMiddleAndTellsThoseBeforeIt) {
    // In the order of an index, so that rows come before the one that breaks.
    sql("CREATE INDEX ON person (id COLLATE \"C\")");
    sql("DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET enable_sort = off'; "
        "EXECUTE 'ALTER DATABASE ' || current_database() || ' SET enable_seqscan = off'; END $$");
    audience(
        "SELECT id AS recipient_id FROM person "
        "WHERE id <= 'p000220' OR fault('22012') IS NOT NULL");
    const auto job = order();
    EXPECT_EQ(tries_until_the_end(*worker().planner, job), Planner::failures_max);
    EXPECT_THAT(of_job("failure"), HasSubstr("read the audience"));
    EXPECT_EQ(of_job("state || ' ' || planned[1]"), "sending 200");
    auto progress = ledger::load_progress(db(), job);
    ASSERT_TRUE(progress);
    EXPECT_TRUE(progress->incomplete);
    EXPECT_FALSE(progress->planned);
    for (int number = 0; number < 4; ++number) {
        for (const auto& chunk : claim({key(job, number)}, number)) {
            std::ignore = record(record_for(
                chunk, std::string(chunk.outcomes.size(), static_cast<char>(Outcome::sent))));
        }
    }
    EXPECT_EQ(ledger::finish_jobs(db(), {}).size(), 1U);
    progress = ledger::load_progress(db(), job);
    EXPECT_EQ(progress->state, "failed");
    EXPECT_EQ(progress->channels.at(0).outcomes[static_cast<std::size_t>(Outcome::sent)], 200);
}

/// What is an outage is nobody's failure; what is the query's own is.
TEST_F(PlannerTest, CountsWhatTheQueryIsToBlameFor) {
    const std::vector<std::pair<std::string, int>> cases{
        {"22012", Planner::failures_max}, {"42703", Planner::failures_max},
        {"57014", Planner::failures_max},  // statement_timeout
        {"53400", Planner::failures_max},  // temp_file_limit
        {"57P01", Planner::outages_max},  {"53200", Planner::outages_max},
        {"40001", Planner::outages_max},  {"55P03", Planner::outages_max}};
    for (const auto& [state, tries] : cases) {
        audience("SELECT fault('" + state + "') AS recipient_id");
        const auto job = order();
        EXPECT_EQ(tries_until_the_end(*worker().planner, job), tries) << state;
        EXPECT_EQ(ledger.value("SELECT state || ' ' || (finished_at IS NOT NULL) FROM job "
                               "WHERE id = '" +
                               job + "'"),
                  "failed true")
            << state;
    }
}

TEST_F(PlannerTest, WaitsForADatabaseThatIsAwayUntilTheJobExpires) {
    system.database = Secret{"postgresql://127.0.0.1:1/nowhere"};
    const auto job = order(TimePoint{std::chrono::seconds{1'893'499'200 + 600}});
    auto& planner = *worker().planner;
    for (int i = 0; i < 2 * Planner::outages_max; ++i) {
        const auto again = planner.plan(job);
        ASSERT_TRUE(again);
        EXPECT_LE(*again, 5s);
        ledger.advance(*again);
    }
    EXPECT_EQ(of_job("state || ' ' || plan_failures"), "planning 0");
    ledger.advance(10min);
    EXPECT_FALSE(planner.plan(job));
    EXPECT_EQ(of_job("state"), "failed");
    EXPECT_THAT(of_job("failure"), HasSubstr("expired"));
}

TEST_F(PlannerTest, GivesUpAPlanThatTakesItsWorkersDown) {
    const auto job = order();
    auto& planner = *worker().planner;
    for (int i = 0; i < Planner::unheard_max; ++i) {
        ASSERT_TRUE(ledger::claim_plan(db(), job, short_lease)) << "whose worker then dies";
        ledger.advance(short_lease + 1ms);
    }
    EXPECT_FALSE(planner.plan(job));
    EXPECT_EQ(of_job("state"), "failed");
    EXPECT_THAT(of_job("failure"), HasSubstr("5 workers in a row"));
    EXPECT_FALSE(planner.plan(job));
}

TEST_F(PlannerTest, StepsForwardCountAgainstEveryKindOfGivingUp) {
    const auto job = order();
    for (int i = 1; i < 3 * Planner::unheard_max; ++i) {
        auto task = ledger::claim_plan(db(), job, short_lease);
        ASSERT_TRUE(task);
        task->cursor = fmt::format("p{:06}", i);
        task->chunks[0] = i;
        task->planned[0] = i;
        const std::vector<ledger::NewChunk> chunks{
            {Channel::email, i - 1, 1, "{" + task->cursor + "}", DoubtPolicy::hold}};
        ASSERT_TRUE(ledger::write_plan(db(), *task, Lane::normal, chunks, short_lease, 1s));
        ledger.advance(short_lease + 1ms);
    }
    EXPECT_FALSE(worker().planner->plan(job));
    EXPECT_EQ(of_job("state || ' ' || planned[1]"), "sending 250");
}

TEST_F(PlannerTest, CountsWhomItLeavesOutAlsoWhenItGoesOn) {
    sql("INSERT INTO person SELECT repeat('q', 201) || n FROM generate_series(1, 5) n");
    sql("INSERT INTO person SELECT 'p00012' || repeat('0', 300) || n FROM generate_series(1, 3) n");
    audience(
        "SELECT CASE WHEN id > 'p000210' AND NOT (SELECT mended FROM repair) "
        "THEN fault('22012') ELSE id END AS recipient_id FROM person");
    sql("CREATE TABLE repair AS SELECT false AS mended");
    const auto job = order();
    auto& planner = *worker().planner;
    const auto again = planner.plan(job);
    ASSERT_TRUE(again);
    sql("UPDATE repair SET mended = true");
    ledger.advance(*again);
    EXPECT_FALSE(planner.plan(job));
    EXPECT_EQ(of_job("state || ' ' || planned[1] || ' ' || left_out"), "sending 250 8");
}

}  // namespace
}  // namespace fanfare
