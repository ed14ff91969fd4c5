// What a client that is bound to an owner may order, in every system that is shipped.
#include "producer/api/owners.hpp"

#include "producer/api/order.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

namespace fanfare::api {
namespace {

class OwnersTest : public ::testing::Test {
protected:
    OwnersTest() {
        auto systems = load_systems(FANFARE_SOURCE_DIR "/config/systems", [](const std::string&) {
            return std::string{"postgresql://x"};
        });
        systems_ = std::move(std::get<Systems>(systems));
        bound_.client = "tenant";
        bound_.owner = "mira";
        bound_.owner_bound = true;
        free_.client = free_.owner = "shop";
    }
    /// "" where the order passes, otherwise the code of its refusal.
    std::string order(const std::string& more, bool is_bound = true) {
        const auto result = read(more, is_bound);
        const auto* const reply = std::get_if<HttpReply>(&result);
        if (reply == nullptr) return "";
        return std::string{boost::json::parse(reply->body).at("code").as_string()};
    }
    std::variant<Order, HttpReply> read(const std::string& more, bool is_bound = true) {
        const auto body = R"({"data": {"title": "a", "body": "b"}, )" + more + "}";
        return read_order(body, "", is_bound ? bound_ : free_, {systems_, templates_});
    }
    /// A kind of the system shows that no due query finds.
    Kind& add_kind(const std::string& name) {
        Kind kind;
        kind.name = name;
        kind.templates = "generic";
        kind.audience = "followers";
        kind.channels = {Channel::email};
        return systems_.at("shows").kinds[name] = kind;
    }
    std::string schedule(const std::string& kind, Params params = {},
                         Notified notified = Notified::anew) {
        const auto reply = keep_to_owner(params, "shows", kind, notified, bound_, systems_);
        return reply ? std::to_string(reply->status) : params["user_id"];
    }

    Systems systems_;
    Templates templates_ = std::get<Templates>(Templates::load(FANFARE_SOURCE_DIR "/templates"));
    Caller bound_;
    Caller free_;
};

const std::string reminder = R"("system": "shows", "kind": "show.reminder", "channels": ["sms"])";
const std::string generic = R"("system": "shows", "kind": "generic", "channels": ["push"])";
constexpr const char* denied = "owner_denied";

TEST_F(OwnersTest, AnAudienceIsTheirs) {
    EXPECT_EQ(order(reminder), "") << "the owner is filled in";
    EXPECT_EQ(std::get<Order>(read(reminder)).job.params, (Params{{"user_id", "mira"}}));
    EXPECT_EQ(order(reminder + R"(, "audience": {"params": {"user_id": "mira"}})"), "");
    EXPECT_EQ(order(reminder + R"(, "audience": {"params": {"user_id": "nora"}})"), denied);
    EXPECT_EQ(order(reminder + R"(, "audience": {"params": {"user_id": ""}})"), denied);
    EXPECT_EQ(order(generic), denied) << "everyone is nobody's";
    EXPECT_EQ(order(generic + R"(, "audience": {"name": "followers"})"), "");
    EXPECT_EQ(order(reminder + R"(, "audience": {"name": "everyone"})"), denied);
    // Names of the configuration are no secret; who is in an audience is.
    EXPECT_EQ(order(reminder + R"(, "audience": {"name": "x"})"), "unknown_audience");
    EXPECT_EQ(order(R"("system": "shows", "kind": "x")"), "unknown_kind");
    EXPECT_EQ(order(R"("system": "x", "kind": "x")"), "unknown_system");
    EXPECT_EQ(order(generic, false), "");
    EXPECT_EQ(order(reminder, false), "missing_parameter") << "nobody's owner is filled in";
}

TEST_F(OwnersTest, TheSameBodyIsTheSameOrderWhateverIsFilledIn) {
    const auto announcement = R"("system": "events", "kind": "event.announcement", )"
                              R"("audience": {"params": {"event_id": "e"}})";
    const auto bound = std::get<Order>(read(announcement));
    EXPECT_EQ(bound.job.params, (Params{{"event_id", "e"}, {"owner_id", "mira"}}));
    bound_.owner_bound = false;  // As it was before audiences had owners.
    EXPECT_EQ(std::get<Order>(read(announcement)).digest, bound.digest);
    EXPECT_EQ(order(announcement, false), "") << "everybody else leaves the owner out";
}

TEST_F(OwnersTest, WhoWasToldIsNotTheirs) {
    const std::string cancelled =
        R"("system": "shows", "kind": "show.cancelled", "channels": ["sms"])";
    EXPECT_EQ(order(cancelled + R"(, "subject": "s1")"), denied);
    EXPECT_EQ(order(cancelled + R"(, "audience": {"params": {"subject": "s1"}})"), denied);
    EXPECT_EQ(order(cancelled), denied);
    EXPECT_EQ(order(cancelled + R"(, "audience": {"name": "followers"})"), "");
    EXPECT_EQ(order(cancelled + R"(, "subject": "s1", "audience": {"name": "followers"})"), denied)
        << "it would end everybody's reminders of the show";
    EXPECT_EQ(order(cancelled + R"(, "subject": "s1")", false), "");
}

TEST_F(OwnersTest, SubjectsOfDueQueriesAreNotTheirs) {
    EXPECT_EQ(order(reminder + R"(, "subject": "s1")"), denied)
        << "whoever is told when s1 is cancelled would be theirs";
    EXPECT_EQ(order(generic + R"(, "subject": "s1", "audience": {"name": "followers"})"), "");
    systems_.at("shows").kinds.at("generic").cancels = {"show.reminder"};
    EXPECT_EQ(order(generic + R"(, "subject": "s1", "audience": {"name": "followers"})"), denied);
}

TEST_F(OwnersTest, TheySchedulesWhatNoDueQueryFinds) {
    for (const auto* const kind : {"show.reminder", "show.cancelled"}) {
        EXPECT_EQ(schedule(kind, {{"user_id", "mira"}}), "403");
    }
    EXPECT_EQ(schedule("generic"), "403") << "its audience is everyone";
    add_kind("offer");
    EXPECT_EQ(schedule("offer"), "mira");
    EXPECT_EQ(schedule("offer", {{"user_id", "mira"}}), "mira");
    EXPECT_EQ(schedule("offer", {{"user_id", "nora"}}), "403");
    add_kind("last.call").told = "offer";
    EXPECT_EQ(schedule("offer"), "403") << "another kind goes by its subjects now";
    // What a due query found for them is theirs to move, not to point at others.
    EXPECT_EQ(schedule("show.reminder", {}, Notified::again), "mira");
    EXPECT_EQ(schedule("show.reminder", {{"user_id", "nora"}}, Notified::again), "403");
}

TEST_F(OwnersTest, AListNeedsAnAudienceThatIsWhollyTheirs) {
    const std::string list = R"(, "audience": {"recipients": ["a", "b"]})";
    EXPECT_EQ(order(reminder + list), "");
    EXPECT_EQ(order(R"("system": "events", "kind": "event.announcement")" + list), "");
    EXPECT_EQ(order(R"("system": "tickets", "kind": "ticket.live")" + list), "");
    systems_.at("shows").audiences.at("followers").owner.clear();
    EXPECT_EQ(order(reminder + list), denied);
    EXPECT_EQ(order(reminder + list, false), "");
}

/// Every system has people that an owner can be given, and every audience with an owner asks it.
TEST_F(OwnersTest, EveryShippedSystemKnowsItsOwners) {
    for (const auto& [name, system] : systems_) {
        const auto everybody =
            std::count_if(system.audiences.begin(), system.audiences.end(),
                          [](const auto& each) { return each.second.is_everybody_of_an_owner(); });
        EXPECT_EQ(everybody, 1) << name;
        for (const auto& [audience_name, audience] : system.audiences) {
            if (audience_name == "everyone") continue;
            EXPECT_THAT(audience.query.parameters, ::testing::Contains(audience.owner))
                << name << ' ' << audience_name;
        }
    }
}

}  // namespace
}  // namespace fanfare::api
