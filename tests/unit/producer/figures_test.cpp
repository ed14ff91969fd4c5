// What one producer shows for all programs.
#include "producer/figures/families.hpp"

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

namespace fanfare {
namespace {

class FiguresTest : public ::testing::Test {
protected:
    FiguresTest() {
        System system;
        system.name = "shows";
        system.kinds["show.reminder"].name = "show.reminder";
        system.contacts[0].emplace();
        systems.emplace("shows", std::move(system));
    }
    std::string text() {
        return "\n" + prometheus::TextSerializer{}.Serialize(to_families(figures, systems));
    }
    void expect(const std::string& line) {
        EXPECT_NE(text().find("\n" + line + "\n"), std::string::npos) << line << text();
    }
    void moved(std::optional<Outcome> from, std::optional<Outcome> to, std::int64_t people) {
        figures.moves.push_back({"shows", "show.reminder", Channel::email, from, to, people});
    }

    ledger::Figures figures;
    Systems systems;
};

TEST_F(FiguresTest, WhateverMayBeCountedIsThereFromTheStart) {
    for (const char* outcome : {"pending", "sent", "clicked", "unknown", "replayed"}) {
        for (const char* name : {"fanfare_outcomes_total", "fanfare_outcomes_left_total"}) {
            expect(std::string{name} +
                   R"({system="shows",kind="show.reminder",channel="email",outcome=")" + outcome +
                   R"("} 0)");
        }
        expect(std::string{R"(fanfare_recipients{channel="push",outcome=")"} + outcome + R"("} 0)");
    }
    EXPECT_EQ(text().find(R"(kind="show.reminder",channel="sms")"), std::string::npos)
        << "the system reaches nobody by SMS";
    expect(R"(fanfare_backlog_recipients{channel="sms",lane="bulk",waiting="later"} 0)");
    expect(R"(fanfare_open_jobs{lane="urgent",state="planning"} 0)");
    expect("fanfare_replays_total 0");
}

TEST_F(FiguresTest, WhoComesAndWhoLeaves) {
    moved(std::nullopt, Outcome::pending, 10);
    moved(Outcome::pending, Outcome::sent, 7);
    moved(Outcome::pending, Outcome::retry, 2);
    moved(Outcome::sent, Outcome::delivered, 5);
    moved(Outcome::delivered, std::nullopt, 1);
    const std::string labels = R"({system="shows",kind="show.reminder",channel="email",outcome=)";
    expect("fanfare_outcomes_total" + labels + R"("pending"} 10)");
    expect("fanfare_outcomes_left_total" + labels + R"("pending"} 9)");
    expect("fanfare_outcomes_total" + labels + R"("sent"} 7)");
    expect("fanfare_outcomes_left_total" + labels + R"("delivered"} 1)");
    expect(R"(fanfare_recipients{channel="email",outcome="pending"} 1)");
    expect(R"(fanfare_recipients{channel="email",outcome="sent"} 2)");
    expect(R"(fanfare_recipients{channel="email",outcome="retry"} 2)");
}

TEST_F(FiguresTest, AKindThatLeftTheConfigurationIsShownStill) {
    figures.moves.push_back({"gone", "old", Channel::sms, std::nullopt, Outcome::pending, 3});
    expect(R"(fanfare_outcomes_total{system="gone",kind="old",channel="sms",outcome="pending"} 3)");
}

TEST_F(FiguresTest, WhatWaits) {
    figures.backlog.push_back({Channel::email, Lane::normal, ledger::Waiting::due, 40, 90.5});
    figures.backlog.push_back({Channel::email, Lane::normal, ledger::Waiting::held, 2, 0});
    figures.jobs.push_back({Lane::bulk, false, 3});
    figures.overdue = 4;
    figures.overdue_s = 12;
    expect(R"(fanfare_backlog_recipients{channel="email",lane="normal",waiting="due"} 40)");
    expect(R"(fanfare_backlog_recipients{channel="email",lane="normal",waiting="held"} 2)");
    expect(R"(fanfare_backlog_recipients{channel="email",lane="normal",waiting="paused"} 0)");
    expect(R"(fanfare_backlog_oldest_seconds{channel="email",lane="normal"} 90.5)");
    expect(R"(fanfare_open_jobs{lane="bulk",state="planning"} 3)");
    expect("fanfare_notifications_overdue 4");
    expect("fanfare_notifications_overdue_seconds 12");
}

}  // namespace
}  // namespace fanfare
