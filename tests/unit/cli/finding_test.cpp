#include "cli/finding.hpp"
#include "tests/contract/accounts.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace fanfare::cli {
namespace {

TEST(TimeZones, OldDataAndNoneAreTold) {
    using namespace std::chrono;
    const TimePoint now{sys_days{year{2026} / 11 / 28}};
    EXPECT_EQ(of_time_zones("2025b", now).level, "ok");
    EXPECT_EQ(of_time_zones("2026a", now).level, "ok");
    const auto old = of_time_zones("2024b", now);
    EXPECT_EQ(old.level, "warning");
    EXPECT_EQ(old.type, "apt-get install --only-upgrade tzdata");
    for (const auto* const none : {"", "unknown", "b2024"}) {
        const auto finding = of_time_zones(none, now);
        EXPECT_EQ(finding.level, "error") << none;
        EXPECT_EQ(finding.type, "apt-get install tzdata");
    }
}

/// A sound account of that type, at a place that findings name.
AccountSettings account_of(const std::string& type, const std::string& name) {
    auto account = type == "apns"       ? testing::apns_account()
                   : type == "mailgun"  ? testing::mailgun_account()
                   : type == "sendgrid" ? testing::sendgrid_account()
                   : type == "ses"      ? testing::ses_account()
                                        : testing::smtp_account();
    EXPECT_EQ(account.type, type);
    account.name = name;
    account.file = "fanfare.yaml";
    account.line = 7;
    return account;
}

Finding of_answer(const AccountSettings& account, const HttpAnswer& answer) {
    return of_proof(account, testing::open(account)->proven_by(answer));
}

TEST(Answers, OnlyWhatIsGrantedSaysThatCredentialsAreTaken) {
    const auto account = account_of("mailgun", "mail");
    const auto of_status = [&account](int status) {
        HttpAnswer answer;
        answer.transport = Transport::answered;
        answer.status = status;
        return of_answer(account, answer);
    };
    EXPECT_EQ(of_status(200).level, "ok");
    for (const int status : {401, 403, 404}) {
        EXPECT_EQ(of_status(status).level, "error") << status;
        EXPECT_NE(of_status(status).type.find("account mail in fanfare.yaml:7"), std::string::npos);
    }
    for (const int status : {302, 400, 405, 429, 500, 503}) {
        EXPECT_EQ(of_status(status).level, "warning") << status;
    }
    EXPECT_EQ(of_answer(account, {}).level, "error") << "no answer at all";
}

/// What is said of an answer, in one line.
std::string said(const std::string& type, const HttpAnswer& answer) {
    const auto account = account_of(type, "x");
    const auto finding = of_answer(account, answer);
    return fmt::format("{}: {} -> {}", finding.level, finding.found, finding.type);
}

HttpAnswer answered(int status, std::string body = {}, std::string error_type = {}) {
    HttpAnswer answer;
    answer.transport = Transport::answered;
    answer.status = status;
    answer.body = std::move(body);
    answer.error_type = std::move(error_type);
    return answer;
}

constexpr const char* secrets =
    " -> mend the secrets of account x in fanfare.yaml:7; workers read them again by themselves "
    "where they come from files";

TEST(Answers, OfSes) {
    EXPECT_EQ(said("ses", answered(200)), "ok: ses takes its credentials -> ");
    for (const int status : {400, 403}) {
        EXPECT_EQ(
            said("ses", answered(status, "", "SignatureDoesNotMatch:http://x/")),
            "error: ses refuses its credentials (SignatureDoesNotMatch)" + std::string{secrets});
    }
    EXPECT_EQ(
        said("ses", answered(403, "", "UnrecognizedClientException")),
        "error: ses refuses its credentials (UnrecognizedClientException)" + std::string{secrets});
    // A clock that is off makes wrong signatures of good keys.
    for (const auto* const type : {"SignatureDoesNotMatch", "InvalidSignatureException"}) {
        auto answer = answered(403, "", type);
        answer.date = "Mon, 06 Jan 2020 10:00:00 GMT";
        EXPECT_NE(said("ses", answer).find("timedatectl"), std::string::npos) << type;
    }
    EXPECT_EQ(said("ses", answered(403, "", "RequestExpired")),
              "error: ses finds its credentials signed at the wrong time (RequestExpired) -> "
              "timedatectl set-ntp true");
    EXPECT_EQ(said("ses", answered(403, "", "AccessDeniedException")),
              "warning: ses takes its credentials and tells them nothing (AccessDeniedException): "
              "whether they may send is not known -> allow ses:GetAccount to the IAM user of "
              "account x in fanfare.yaml:7");
    EXPECT_EQ(said("ses", answered(400, "", "TooManyRequestsException")),
              "warning: ses answers TooManyRequestsException: whether it takes the credentials is "
              "not known -> wait a minute, then: fanfare doctor");
}

TEST(Answers, OfSendGrid) {
    EXPECT_EQ(said("sendgrid", answered(200, R"({"scopes":["mail.send"]})")),
              "ok: sendgrid takes its credentials -> ");
    EXPECT_EQ(said("sendgrid", answered(200, R"({"scopes":["stats.read"]})")),
              "error: sendgrid takes its key, which may not send (no scope mail.send) -> give the "
              "key of account x in fanfare.yaml:7 the right to send mail");
    EXPECT_EQ(said("sendgrid", answered(401)),
              "error: sendgrid refuses its credentials (401)" + std::string{secrets});
}

TEST(Answers, OfApns) {
    EXPECT_EQ(said("apns", answered(400, R"({"reason":"BadDeviceToken"})")),
              "ok: apns takes its credentials -> ");
    EXPECT_EQ(said("apns", answered(403, R"({"reason":"InvalidProviderToken"})")),
              "error: apns refuses its credentials (InvalidProviderToken)" + std::string{secrets});
    EXPECT_EQ(said("apns", answered(403, R"({"reason":"ExpiredProviderToken"})")),
              "error: apns finds its credentials signed at the wrong time (ExpiredProviderToken) "
              "-> timedatectl set-ntp true");
    EXPECT_EQ(said("apns", answered(400, R"({"reason":"TopicDisallowed"})")),
              "error: apns knows no such account, domain or topic (TopicDisallowed) -> look at "
              "what names it, and at base_url: account x in fanfare.yaml:7");
    for (const int status : {200, 404, 429, 503}) {
        EXPECT_TRUE(said("apns", answered(status)).starts_with("warning: apns answers")) << status;
    }
    EXPECT_TRUE(said("apns", answered(400, R"({"reason":"PayloadEmpty"})")).starts_with("warning"));
}

TEST(Answers, OfAMailServer) {
    auto answer = answered(250);
    answer.step = MailStep::login;
    EXPECT_EQ(said("smtp", answer), "ok: smtp takes its credentials -> ");
    answer.step = MailStep::hello;
    EXPECT_EQ(said("smtp", answer), "error: smtp refuses its credentials (no AUTH PLAIN or LOGIN)" +
                                        std::string{secrets});
    answer = answered(535);
    answer.step = MailStep::login;
    EXPECT_EQ(said("smtp", answer),
              "error: smtp refuses its credentials (535)" + std::string{secrets});
    answer = answered(454);
    answer.step = MailStep::login;
    EXPECT_TRUE(said("smtp", answer).starts_with("warning: smtp answers 454"))
        << said("smtp", answer);
    answer = answered(554);
    answer.step = MailStep::connect;
    EXPECT_TRUE(said("smtp", answer).starts_with("warning: smtp answers 554"));
    EXPECT_EQ(
        said("smtp", {}),
        "error: smtp cannot be reached:  -> look at the network, and at host, port and tls of "
        "account x in fanfare.yaml:7");
}

}  // namespace
}  // namespace fanfare::cli
