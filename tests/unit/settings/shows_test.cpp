// The folder config/systems/shows as it is shipped.
#include "core/systems/system.hpp"
#include "support.hpp"

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using testing::environment_of;
using testing::problems_of;

TEST(Shows, Loads) {
    const auto loaded =
        load_systems(std::string{FANFARE_SOURCE_DIR} + "/config/systems", environment_of({}));
    for (const auto& problem : problems_of(loaded)) ADD_FAILURE() << describe(problem);
    ASSERT_TRUE(std::holds_alternative<Systems>(loaded));
    const auto& shows = std::get<Systems>(loaded).at("shows");
    EXPECT_THAT(shows.find_audience("followers")->query.parameters, ElementsAre("user_id"));
    EXPECT_EQ(shows.find_kind("show.cancelled")->lane, Lane::urgent);
    EXPECT_EQ(shows.find_kind("generic")->audience, "everyone");
    ASSERT_EQ(shows.schedules.size(), 2U);
    EXPECT_EQ(shows.schedules[0].kind, "show.reminder");
    EXPECT_EQ(shows.schedules[1].kind, "show.cancelled");
    for (const auto channel : channels) {
        EXPECT_TRUE(shows.contacts[static_cast<std::size_t>(channel)].has_value());
    }
}

TEST(Shows, ServesAJobOfABackend) {
    const auto loaded =
        load_systems(std::string{FANFARE_SOURCE_DIR} + "/config/systems", environment_of({}));
    auto result = decode_job(R"({"idempotency_key":"k","system":"shows","kind":"show.reminder",)"
                             R"("audience":{"params":{"user_id":"u1"}}})");
    auto& job = std::get<Job>(result);
    EXPECT_EQ(resolve_job(job, std::get<Systems>(loaded)), std::nullopt);
    EXPECT_EQ(job.audience, "followers");
    EXPECT_EQ(job.channels.size(), 3U);
}

std::vector<std::string> served(std::map<std::string, std::string> variables) {
    const auto loaded = load_systems(std::string{FANFARE_SOURCE_DIR} + "/config/systems",
                                     environment_of(std::move(variables)));
    for (const auto& problem : problems_of(loaded)) ADD_FAILURE() << describe(problem);
    std::vector<std::string> names;
    for (const auto& [name, system] : std::get<Systems>(loaded)) names.push_back(name);
    return names;
}

TEST(ShippedSystems, AreServedWhereTheirDatabaseIsNamed) {
    EXPECT_THAT(served({}), ElementsAre("shows"));
    EXPECT_THAT(served({{"FANFARE_EVENTS_URL", "dbname=e"}}), ElementsAre("events", "shows"));
    EXPECT_THAT(served({{"FANFARE_BROADCASTS_URL", "dbname=b"},
                        {"FANFARE_EVENTS_URL", "dbname=e"},
                        {"FANFARE_STREAMS_URL", "dbname=s"},
                        {"FANFARE_TICKETS_URL", "dbname=t"}}),
                ElementsAre("broadcasts", "events", "shows", "streams", "tickets"));
}

}  // namespace
}  // namespace fanfare
