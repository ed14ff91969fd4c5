#include "worker/send/job_context.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

/// Nothing here asks a database: none is there.
class JobContextTest : public ::testing::Test {
protected:
    JobContextTest() {
        System shows;
        shows.name = "shows";
        Kind reminder;
        reminder.name = "show.reminder";
        reminder.list = "shows";
        shows.kinds.emplace(reminder.name, reminder);
        systems.emplace(shows.name, shows);
    }
    Kind& kind() { return systems.at("shows").kinds.at("show.reminder"); }

    JobContexts made(const std::string& link_base = "") {
        return {systems, templates,
                JobContexts::Reach{Secret{"postgresql://127.0.0.1:1/none"}, 1, {}}, link_base,
                system_clock()};
    }
    static std::string job(std::string_view more = "", std::string_view kind = "show.reminder") {
        return fmt::format(R"({{"idempotency_key":"k","system":"shows","kind":"{}"{}}})", kind,
                           more);
    }
    /// What stands against a body.
    std::string problem(const std::string& body) {
        auto contexts = made();
        const auto context = contexts.load_context(body);
        return context ? "" : describe(context.error());
    }
    std::shared_ptr<const JobContext> context_of(const std::string& body,
                                                 const std::string& link_base = "") {
        auto contexts = made(link_base);
        auto context = contexts.load_context(body);
        EXPECT_TRUE(context) << describe(context.error());
        return context.value();
    }

    Systems systems;
    Templates templates;
};

TEST_F(JobContextTest, KnowsTheSystemAndTheKindOfItsJob) {
    const auto body = job();
    const auto context = context_of(body);
    EXPECT_EQ(context->system, &systems.at("shows"));
    EXPECT_EQ(context->kind, &kind());
    EXPECT_EQ(context->origin, context->job.id) << "its places under caps are its own";
    EXPECT_EQ(context->bytes, body.size());
    EXPECT_THAT(context->address_key, IsEmpty());
}

TEST_F(JobContextTest, OfWhatIsNoLongerConfiguredIsRefusedByName) {
    EXPECT_THAT(problem(job("", "show.gone")), HasSubstr("find kind show.gone of system shows"));
    EXPECT_THAT(problem(R"({"idempotency_key":"k","system":"games","kind":"show.reminder"})"),
                HasSubstr("find kind show.reminder of system games"));
}

TEST_F(JobContextTest, OfABodyThatCannotBeReadIsRefusedWithoutIt) {
    const auto said = problem(R"({"idempotency_key":"k","system":"shows","kind":"me@example.org)");
    EXPECT_THAT(said, HasSubstr("read a job of the ledger"));
    EXPECT_THAT(said, ::testing::Not(HasSubstr("example.org")));
}

TEST_F(JobContextTest, LinksBeginWithTheBaseHoweverItEnds) {
    for (const auto* const base :
         {"https://u.example", "https://u.example/", "https://u.example//"}) {
        const auto context = context_of(job(), base);
        EXPECT_EQ(context->unsubscribe_prefix, "https://u.example/u/" + context->job.id + ".");
    }
    EXPECT_THAT(context_of(job())->unsubscribe_prefix, IsEmpty());
    kind().list = "";
    EXPECT_THAT(context_of(job(), "https://u.example")->unsubscribe_prefix, IsEmpty())
        << "nobody can leave a receipt";
}

TEST_F(JobContextTest, TheCollapseKeyIsFilledInFromTheJob) {
    const auto key = [this](std::string pattern) {
        kind().collapse_key = std::move(pattern);
        return context_of(job(R"(,"data":{"id":"7","name":"{{id}}"})"))->collapse_key;
    };
    EXPECT_EQ(key("show-{{id}}"), "show-7");
    EXPECT_EQ(key("{{id}}{{id}}-{{name}}"), "77-{{id}}") << "what is filled in is not filled in";
    EXPECT_EQ(key("show-{{other}}-x"), "show--x") << "what the job does not say is empty";
    EXPECT_EQ(key("show-{{id"), "show-{{id");
    EXPECT_EQ(key(""), "");
}

TEST_F(JobContextTest, MomentsAreReadOnce) {
    kind().times = {"starts_at", "ends_at"};
    const auto context = context_of(job(R"(,"data":{"starts_at":"2026-11-29T20:00:00Z"})"));
    EXPECT_THAT(
        context->times,
        ElementsAre(
            Pair("starts_at", TimePoint{std::chrono::sys_days{std::chrono::year{2026} / 11 / 29} +
                                        std::chrono::hours{20}})));
}

TEST_F(JobContextTest, ReachesEachSystemByPoolsOfItsOwn) {
    System games;
    games.name = "games";
    games.write_backs[0].emplace();
    systems.emplace("games", games);
    auto contexts = made();
    EXPECT_EQ(contexts.pools().size(), 3U) << "two to read people, one to write back";
    EXPECT_NE(&contexts.find_pool(systems.at("games")), &contexts.find_writer(systems.at("games")));
    EXPECT_FALSE(contexts.has_links());
    EXPECT_TRUE(made("https://u.example").has_links());
}

}  // namespace
}  // namespace fanfare
