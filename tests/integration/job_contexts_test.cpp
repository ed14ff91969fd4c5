// Connections: what of the ledger's server must be on, how long systems may ask, and who keeps whom
// waiting.
#include "core/ledger/advice.hpp"
#include "tests/integration/ledger_case.hpp"
#include "worker/send/job_context.hpp"

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SourcesTest : public ledger::LedgerCase {
protected:
    static System system_named(const std::string& name, std::chrono::milliseconds timeout) {
        System system;
        system.name = name;
        system.statement_timeout = timeout;
        return system;
    }
    std::string timeout_of(postgres::Pool& pool) {
        auto ask = [](postgres::Connection& connection) {
            pqxx::nontransaction work{connection.raw()};
            return std::string{work.exec("SHOW statement_timeout")[0][0].c_str()};
        };
        return pool.call("look", ask).value();
    }
    const Secret& url() { return ledger.database().url(); }

    Templates templates;
};

TEST_F(SourcesTest, AServerThatKeepsWhatItCommitsNeedsNoWord) {
    EXPECT_THAT(ledger::durability_problems(db()), IsEmpty());
}

TEST_F(SourcesTest, AServerThatForgetsWhatItCommitsIsNamed) {
    pqxx::nontransaction{db().raw()}.exec("SET synchronous_commit = off");
    const auto problems = ledger::durability_problems(db());
    ASSERT_THAT(problems, SizeIs(1));
    EXPECT_EQ(problems[0].key, "synchronous_commit");
}

TEST_F(SourcesTest, NoQueryOfASystemOutlivesHalfALease) {
    Systems systems;
    systems.emplace("short", system_named("short", 7s));
    systems.emplace("long", system_named("long", 90s));
    JobContexts job_contexts{systems, templates, JobContexts::Reach{url(), 1, 20s}, "",
                             system_clock()};
    EXPECT_EQ(timeout_of(job_contexts.find_pool(systems.at("short"))), "7s");
    EXPECT_EQ(timeout_of(job_contexts.find_pool(systems.at("long"))), "10s");
}

TEST_F(SourcesTest, SystemsInTheLedgersDatabaseKeepNobodyWaiting) {
    Systems systems;
    systems.emplace("one", system_named("one", 30s));
    systems.emplace("two", system_named("two", 30s));
    JobContexts job_contexts{systems, templates, JobContexts::Reach{url(), 1, 60s}, "",
                             system_clock()};
    // A pool has threads and connections of its own, and the ledger's is none of these.
    EXPECT_NE(&job_contexts.find_pool(systems.at("one")),
              &job_contexts.find_pool(systems.at("two")));
}

}  // namespace
}  // namespace fanfare
