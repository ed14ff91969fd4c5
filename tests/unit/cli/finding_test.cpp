#include "cli/finding.hpp"

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

TEST(Answers, OnlyWhatIsGrantedSaysThatCredentialsAreTaken) {
    AccountSettings account;
    account.name = "mail";
    account.type = "mailgun";
    account.file = "fanfare.yaml";
    account.line = 7;
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

}  // namespace
}  // namespace fanfare::cli
