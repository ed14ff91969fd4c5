#include "tests/unit/core/mail_case.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <random>

namespace fanfare {

namespace {

using test::MailLine;
using test::MailServer;
using test::MailTest;
using test::Manners;
using test::serve;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST_F(MailTest, HandsOverAMessageAndTellsTheAnswer) {
    test::Messages messages;
    MailServer server{[&](MailLine& line, int) { serve(line, {}, &messages); }};
    const auto answer = post(server);
    EXPECT_EQ(answer.transport, Transport::answered) << answer.fault;
    EXPECT_EQ(answer.status, 250);
    EXPECT_EQ(answer.step, MailStep::end_of_data);
    EXPECT_EQ(answer.body, "2.0.0 Ok: queued as 4ABC");
    EXPECT_EQ(answer.message_id, "m-1@example.org");
    EXPECT_THAT(messages.all(), ElementsAre(test::text));
    const auto lines = server.lines();
    ASSERT_GE(lines.size(), 5U);
    EXPECT_EQ(lines[0], "EHLO client.example.org");
    EXPECT_EQ(lines[1], "AUTH PLAIN AHVzZXIAcGFzcw==");
    EXPECT_EQ(lines[2], "MAIL FROM:<shows@example.org>");
    EXPECT_EQ(lines[3], "RCPT TO:<ann@example.com>");
    EXPECT_EQ(lines[4], "DATA");
}

TEST_F(MailTest, KeepsItsConnection) {
    test::Messages messages;
    MailServer server{[&](MailLine& line, int) { serve(line, {}, &messages); }};
    for (const auto* body : {"a\r\n", "b\r\n", "c\r\n"}) EXPECT_EQ(post(server, body).status, 250);
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(server.count("AUTH"), 1U);
    EXPECT_THAT(messages.all(), ElementsAre("a\r\n", "b\r\n", "c\r\n"));
}

TEST_F(MailTest, WithoutARecipientItLogsInAndHandsOverNothing) {
    MailServer server{[](MailLine& line, int) { serve(line, {}); }};
    auto request = mail(server, "");
    request.mail->recipient.clear();
    for (int i = 1; i <= 2; ++i) {
        const auto answer = HttpTest::send(request);
        EXPECT_EQ(answer.transport, Transport::answered) << answer.fault;
        EXPECT_EQ(answer.status, 250);
        EXPECT_EQ(answer.step, MailStep::login);
        EXPECT_EQ(server.connections(), i) << "it has said goodbye";
    }
    EXPECT_THAT(
        server.lines(),
        ElementsAre("EHLO client.example.org", "AUTH PLAIN AHVzZXIAcGFzcw==", "NOOP", "QUIT",
                    "EHLO client.example.org", "AUTH PLAIN AHVzZXIAcGFzcw==", "NOOP", "QUIT"));
    EXPECT_EQ(post(server).step, MailStep::end_of_data) << "the next one is a mail again";
}

TEST_F(MailTest, ALoginThatIsRefusedOrNotOfferedIsTold) {
    Manners manners{.login = "535 5.7.8 no"};
    MailServer strict{[&](MailLine& line, int) { serve(line, manners); }};
    auto request = mail(strict, "");
    request.mail->recipient.clear();
    const auto refused = HttpTest::send(request);
    EXPECT_EQ(refused.transport, Transport::answered);
    EXPECT_EQ(refused.status, 535);
    EXPECT_EQ(refused.step, MailStep::login);

    MailServer open{[](MailLine& line, int) { serve(line, {.hello = "250 mail.example.org"}); }};
    request.url = open.url();
    const auto answer = HttpTest::send(request);
    EXPECT_EQ(answer.status, 250);
    EXPECT_EQ(answer.step, MailStep::hello) << "nobody asked who we are";

    MailServer away{[](MailLine& line, int) { serve(line, {.greeting = "!fin"}); }};
    request.url = away.url();
    EXPECT_EQ(HttpTest::send(request).transport, Transport::not_sent);
}

TEST_F(MailTest, StuffsDotsWhereverTheyFall) {
    test::Messages messages;
    MailServer server{[&](MailLine& line, int) { serve(line, {}, &messages); }};
    std::mt19937 random{20260101};  // NOLINT: the same cases in every run.
    std::vector<std::string> bodies{".\r\n", "..\r\n.\r\n", "a\r\n.\r\nMAIL FROM:<x@y.z>\r\n",
                                    "\r\n.\r\n\r\n..\r\n"};
    for (int round = 0; round < 20; ++round) {
        std::string body;
        // Around the size of libcurl's buffer, which lines then straddle.
        for (auto lines = random() % 12'000; lines > 0; --lines) {
            body += std::string(random() % 3, '.') + std::string(random() % 2, 'x') + "\r\n";
        }
        bodies.push_back(body + "end\r\n");
    }
    for (const auto& body : bodies) EXPECT_EQ(post(server, body).status, 250);
    EXPECT_TRUE(messages.all() == bodies);
}

struct Refusal {
    std::string name;
    std::string Manners::*reply;
    std::string line;
    int status;
    MailStep step;
};
void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

class RefusalTest : public MailTest, public ::testing::WithParamInterface<Refusal> {};

TEST_P(RefusalTest, IsAnAnswerThatNamesItsStep) {
    const auto& its = GetParam();
    Manners manners;
    manners.*its.reply = its.line;
    MailServer server{[&](MailLine& line, int) { serve(line, manners); }};
    for (int i = 0; i < 2; ++i) {  // The second time after whatever the first left behind.
        const auto answer = post(server);
        EXPECT_EQ(answer.transport, Transport::answered) << answer.fault;
        EXPECT_EQ(answer.status, its.status);
        EXPECT_EQ(answer.step, its.step);
        EXPECT_EQ(answer.body, "5.0.0 no\nreally");
    }
}

INSTANTIATE_TEST_SUITE_P(
    Each, RefusalTest,
    ::testing::Values(
        Refusal{"greeting", &Manners::greeting, "554-5.0.0 no\r\n554 really", 554,
                MailStep::connect},
        Refusal{"login", &Manners::login, "535-5.0.0 no\r\n535 really", 535, MailStep::login},
        Refusal{"sender", &Manners::sender, "553-5.0.0 no\r\n553 really", 553, MailStep::sender},
        Refusal{"recipient", &Manners::recipient, "450-5.0.0 no\r\n450 really", 450,
                MailStep::recipient},
        Refusal{"data", &Manners::data, "554-5.0.0 no\r\n554 really", 554, MailStep::data},
        Refusal{"end", &Manners::end, "552-5.0.0 no\r\n552 really", 552, MailStep::end_of_data}),
    [](const auto& each) { return each.param.name; });

TEST_F(MailTest, WithoutStartTlsLetsNothingOut) {
    MailServer server{[](MailLine& line, int) { serve(line, {}); }};
    for (const bool allowed : {true, false}) {
        options.allow_http = allowed;
        client.reset();
        auto request = mail(server);
        request.mail->cleartext = !allowed;  // Wanted, but not allowed.
        const auto answer = HttpTest::send(request);
        EXPECT_EQ(answer.transport, Transport::not_sent);
        EXPECT_EQ(answer.status, 0);
    }
    EXPECT_EQ(server.count("AUTH"), 0U);
    EXPECT_EQ(server.count("MAIL"), 0U);
    EXPECT_EQ(server.count("RCPT"), 0U);
}

TEST_F(MailTest, CleartextIsForLoopbackOnly) {
    MailServer server{[](MailLine& line, int) { serve(line, {}); }};
    auto request = mail(server);
    // The same server by a name that is not one of those that are let through.
    request.url.replace(request.url.find("127.0.0.1"), 9, "[::ffff:127.0.0.1]");
    EXPECT_EQ(HttpTest::send(request).transport, Transport::not_sent);
    EXPECT_EQ(server.connections(), 1);
    EXPECT_EQ(server.count("MAIL"), 0U);
}

TEST_F(MailTest, SpeaksTlsBeforeAnythingElseIsSaid) {
    const auto pem = test::make_certificate("IP:127.0.0.1");
    const auto ca = std::filesystem::temp_directory_path() / "fanfare-mail-test-ca.pem";
    std::ofstream{ca} << pem.certificate;
    MailServer server{[](MailLine& line, int) {
                          line.say("220 ready");
                          if (!line.answer("250-x\r\n250 STARTTLS") || !line.answer("220 go"))
                              return;
                          if (line.start_tls()) serve(line, {.greeting = ""});
                      },
                      pem.certificate, pem.key};
    auto request = mail(server);
    request.mail->cleartext = false;
    options.ca_file = ca;
    EXPECT_EQ(HttpTest::send(request).status, 250);
    EXPECT_THAT(server.lines(), Contains(StartsWith("AUTH PLAIN")));
    ASSERT_GE(server.lines().size(), 2U);
    EXPECT_EQ(server.lines()[1], "STARTTLS");

    // Of a certificate nobody vouches for.
    options.ca_file.clear();
    client.reset();
    const auto before = server.count("AUTH");
    EXPECT_EQ(HttpTest::send(request).transport, Transport::not_sent);
    EXPECT_EQ(server.count("AUTH"), before);
    std::filesystem::remove(ca);
}

TEST_F(MailTest, SilenceAtTheEndIsInDoubtAndStopsNobodyElse) {
    options.timeout = std::chrono::milliseconds{1'500};
    std::promise<void> all_there;
    std::atomic<int> open{4};
    MailServer server{[&](MailLine& line, int) {
        line.say("220 ready");
        for (const auto* reply : {"250 ok", "250 ok", "250 ok", "354 go"}) {
            if (!line.answer(reply)) return;
        }
        if (!line.read_message()) return;
        // All four messages wait for their answer at once, or none ever comes.
        if (--open == 0) all_there.set_value();
        line.wait_for_close();
    }};
    const auto request = mail(server);
    std::vector<Transport> fates;
    for (int i = 0; i < 4; ++i) {
        http().start(request, [&](const HttpAnswer& answer) {
            fates.push_back(answer.transport);
            if (fates.size() == 4) context.stop();
        });
    }
    EXPECT_EQ(http().in_flight(), 4U);
    context.run();
    EXPECT_EQ(open, 0);
    EXPECT_THAT(fates, ::testing::Each(Transport::in_doubt));
    EXPECT_THAT(fates, SizeIs(4));
}

TEST_F(MailTest, EndingTheClientTellsWhatBecameOfOpenMails) {
    options.connections_max = 1;
    options.timeout = std::chrono::seconds{60};
    std::promise<void> arrived;
    MailServer server{[&](MailLine& line, int) {
        line.say("220 ready");
        for (const auto* reply : {"250 ok", "250 ok", "250 ok", "354 go"}) {
            if (!line.answer(reply)) return;
        }
        if (!line.read_message()) return;
        arrived.set_value();
        line.wait_for_close();
    }};
    const auto request = mail(server);
    std::vector<Transport> fates;
    for (int i = 0; i < 2; ++i) {
        http().start(request, [&](const HttpAnswer& answer) { fates.push_back(answer.transport); });
    }
    arrived.get_future().wait();
    client.reset();
    EXPECT_THAT(fates, ElementsAre(Transport::in_doubt, Transport::not_sent));
}

TEST_F(MailTest, KindsDoNotMix) {
    MailServer server{[](MailLine& line, int) { serve(line, {}); }};
    test::HttpServer web{test::answer_all};
    HttpRequest request{server.url(), {}, "x"};  // No envelope.
    EXPECT_EQ(HttpTest::send(request).transport, Transport::not_sent);
    auto post_office = mail(server);
    post_office.url = web.url();
    EXPECT_EQ(HttpTest::send(post_office).transport, Transport::not_sent);
    EXPECT_EQ(server.connections(), 0);
    EXPECT_EQ(web.connections(), 0);
    EXPECT_EQ(post(server).status, 250);
    EXPECT_EQ(HttpTest::send(web, "hello").body, "hello");
}

TEST_F(MailTest, OddRepliesAreNoAnswers) {
    Manners manners;
    manners.end = "!fin";
    MailServer server{[&](MailLine& line, int) {
        manners.end = "what?\r\n25\r\n250-never ends\r\n250-or so";
        serve(line, manners);
    }};
    options.timeout = std::chrono::milliseconds{700};
    EXPECT_EQ(post(server).transport, Transport::in_doubt);
}

TEST_F(MailTest, LongRepliesAreCut) {
    Manners manners;
    manners.recipient = "550-" + std::string(3'000, 'a') + "\r\n550-" + std::string(3'000, 'b');
    for (int i = 0; i < 200; ++i) manners.recipient += "\r\n550-c";
    manners.recipient += "\r\n550 d";
    MailServer server{[&](MailLine& line, int) { serve(line, manners); }};
    const auto answer = post(server);
    EXPECT_EQ(answer.status, 550);
    EXPECT_LE(answer.body.size(), 4'096U);
    EXPECT_GE(answer.body.size(), 4'000U);
}

}  // namespace
}  // namespace fanfare
