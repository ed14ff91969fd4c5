#include "tests/unit/core/mail_case.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare {

namespace {

using test::MailLine;
using test::MailServer;
using test::MailTest;
using test::Manners;
using test::serve;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

struct Loss {
    std::string name;
    std::string Manners::*reply;
    Transport fate;
};
void PrintTo(const Loss& loss, std::ostream* out) { *out << loss.name; }

class LossTest : public MailTest, public ::testing::WithParamInterface<std::tuple<Loss, bool>> {};

TEST_P(LossTest, TellsWhetherTheMessageMayHaveBeenTaken) {
    const auto& [its, abrupt] = GetParam();
    Manners manners;
    manners.*its.reply = abrupt ? "!rst" : "!fin";
    test::Messages messages;
    MailServer server{[&](MailLine& line, int) { serve(line, manners, &messages); }};
    const auto answer = post(server);
    EXPECT_EQ(answer.transport, its.fate) << answer.fault;
    EXPECT_EQ(server.connections(), 1) << "a new connection is not tried again";
    EXPECT_THAT(messages.all(), SizeIs(its.fate == Transport::in_doubt ? 1 : 0));
    EXPECT_THAT(answer.fault, Not(IsEmpty()));
}

INSTANTIATE_TEST_SUITE_P(
    Each, LossTest,
    ::testing::Combine(::testing::Values(Loss{"greeting", &Manners::greeting, Transport::not_sent},
                                         Loss{"hello", &Manners::hello, Transport::not_sent},
                                         Loss{"login", &Manners::login, Transport::not_sent},
                                         Loss{"sender", &Manners::sender, Transport::not_sent},
                                         Loss{"recipient", &Manners::recipient,
                                              Transport::not_sent},
                                         Loss{"data", &Manners::data, Transport::not_sent},
                                         Loss{"end", &Manners::end, Transport::in_doubt}),
                       ::testing::Bool()),
    [](const auto& each) {
        return std::get<0>(each.param).name + (std::get<1>(each.param) ? "_rst" : "_fin");
    });

/// What a kept connection does after its first message.
struct Death {
    std::string name;
    std::string Manners::*reply;
    std::string line;
    bool message_left;
};
void PrintTo(const Death& death, std::ostream* out) { *out << death.name; }

class KeptMailTest : public MailTest, public ::testing::WithParamInterface<Death> {};

TEST_P(KeptMailTest, OfAKeptConnectionNeverSendsAMessageTwice) {
    const auto& its = GetParam();
    test::Messages messages;
    MailServer server{[&](MailLine& line, int connection) {
        if (connection > 0) return serve(line, {}, &messages);
        // One whole transaction, then the death.
        line.say("220 ready");
        for (const auto* reply : {"250 ok", "250 ok", "250 ok", "354 go"}) {
            if (!line.answer(reply)) return;
        }
        messages.add(line.read_message().value_or("?"));
        line.say("250 ok");
        Manners manners{.greeting = "!"};
        manners.*its.reply = its.line;
        while (const auto command = line.read()) {
            if (command->starts_with("MAIL")) {
                if (its.reply == &Manners::sender) {
                    if (its.line.starts_with('4')) line.say(its.line);
                    return its.line == "!rst" ? line.reset() : line.close();
                }
                line.say("250 ok");
            } else if (command->starts_with("RCPT")) {
                line.say("250 ok");
            } else {
                line.say("354 go");
                messages.add(line.read_message().value_or("?"));
                return its.line == "!rst" ? line.reset() : line.close();
            }
        }
    }};
    auto request = mail(server, "one\r\n");
    request.mail->username.clear();
    ASSERT_EQ(HttpTest::send(request).status, 250);
    request.body = "two\r\n";
    const auto answer = HttpTest::send(request);
    EXPECT_EQ(answer.transport, its.message_left ? Transport::in_doubt : Transport::answered)
        << answer.fault;
    EXPECT_THAT(messages.all(), ElementsAre("one\r\n", "two\r\n")) << "each is there once";
    EXPECT_EQ(server.connections(), its.message_left ? 1 : 2);
    request.body = "three\r\n";
    EXPECT_EQ(HttpTest::send(request).status, 250) << "and the client goes on";
}

INSTANTIATE_TEST_SUITE_P(Each, KeptMailTest,
                         ::testing::Values(Death{"at_mail_fin", &Manners::sender, "!fin", false},
                                           Death{"at_mail_rst", &Manners::sender, "!rst", false},
                                           Death{"at_mail_421", &Manners::sender,
                                                 "421 4.7.0 enough for now", false},
                                           Death{"at_the_end_fin", &Manners::end, "!fin", true},
                                           Death{"at_the_end_rst", &Manners::end, "!rst", true}),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace fanfare
