// One person's history over all jobs.
#include "core/ledger/history.hpp"

#include "tests/integration/replays_case.hpp"

namespace fanfare::ledger {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using enum Outcome;

class HistoryTest : public ReplaysTest {
protected:
    /// A job some seconds younger than the last one.
    std::string younger(const std::string& name, const std::vector<std::vector<Person>>& chunks) {
        const auto job = settled(name, chunks);
        pqxx::nontransaction{db().raw()}.exec_params(
            "UPDATE job SET created_at = created_at + $2 * interval '1 s' WHERE id = $1::uuid", job,
            ++jobs_);
        return job;
    }
    /// "job outcome" of a page.
    std::vector<std::string> page(const std::string& recipient, std::size_t limit,
                                  HistoryCursor& cursor, const AccessFilter& access = {}) {
        std::vector<PersonDelivery> found;
        more = read_history(db(), access, "", recipient, cursor, limit, found);
        std::vector<std::string> lines;
        for (const auto& one : found) {
            lines.push_back(fmt::format("{} {}", one.job, to_string(one.fate.outcome)));
        }
        return lines;
    }
    std::vector<std::string> all(const std::string& recipient, const AccessFilter& access = {}) {
        HistoryCursor cursor;
        return page(recipient, 1'000, cursor, access);
    }
    bool more = false;

private:
    int jobs_ = 0;
};

TEST_F(HistoryTest, IsThatOfAllJobsTheNewestFirst) {
    const auto one = younger("a", {{{"a", sent}, {"b", failed}}, {{"c", sent}}});
    const auto two = younger("b", {{{"b", sent}}});
    const auto three = younger("c", {{{"a", opened}, {"c", refused}}});
    EXPECT_THAT(all("a"), ElementsAre(three + " opened", one + " sent"));
    EXPECT_THAT(all("b"), ElementsAre(two + " sent", one + " failed"));
    EXPECT_THAT(all("nobody"), IsEmpty());
    EXPECT_FALSE(more);
    EXPECT_THAT(all("a", {.systems = "{tickets}", .sources = ""}), IsEmpty());
    EXPECT_THAT(all("a", {.systems = "{shows}", .sources = "{test}"}), SizeIs(2));
    HistoryCursor cursor;
    EXPECT_THAT(page("a", 1, cursor), ElementsAre(three + " opened"));
    EXPECT_TRUE(more);
    EXPECT_THAT(page("a", 1, cursor), ElementsAre(one + " sent"));
    EXPECT_THAT(page("a", 1, cursor), IsEmpty());
}

TEST_F(HistoryTest, ChunksWithoutAFilterAreLookedInto) {
    const auto job = younger("a", {{{"a", failed}, {"b", sent}}});
    pqxx::nontransaction{db().raw()}.exec("DELETE FROM chunk_filter");  // Of an older program.
    EXPECT_THAT(all("b"), ElementsAre(job + " sent"));
    const auto next = replay(order_of("one")).at(0);
    EXPECT_THAT(all("a"), SizeIs(2)) << "so are those of a replay";
    EXPECT_THAT(all("b"), SizeIs(1));
}

TEST_F(HistoryTest, EveryoneOfALargeChunkIsFoundByItsFilter) {
    std::vector<Person> people;
    for (int i = 0; i < 3'000; ++i) people.push_back({fmt::format("p{:05}", i), sent});
    younger("a", {people});
    EXPECT_EQ(ledger.value("SELECT count(*) FROM chunk_filter"), "1");
    EXPECT_EQ(ledger.value("SELECT octet_length(filter) FROM chunk_filter"), "3750");
    for (int i = 0; i < 3'000; i += 97) {
        EXPECT_THAT(all(people[static_cast<std::size_t>(i)].id), SizeIs(1)) << i;
    }
    pqxx::nontransaction{db().raw()}.exec(
        "UPDATE chunk_filter SET filter = decode(repeat('00', 3750), 'hex')");
    EXPECT_THAT(all("p00007"), IsEmpty()) << "by the filter alone";
}

}  // namespace
}  // namespace fanfare::ledger
