#include "support.hpp"

#include <fmt/format.h>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsProblem;
using testing::ledger_environment;
using ::testing::Not;
using testing::problems_of;
using namespace std::chrono_literals;

std::variant<Settings, Problems> load(std::string_view text) {
    return parse_settings("f", text, ledger_environment({{"KEY", "hush"}}));
}

TEST(Accounts, AreReadWhole) {
    const auto loaded = load(
        "accounts:\n"
        "  - name: mailgun-eu\n    type: mailgun\n    rate: {per_second: 12.5, concurrency: 3}\n"
        "    batch_max: 500\n    timeout_ms: 2500\n    allow_http: true\n    ca_file: "
        "/dev/../etc/passwd\n"
        "    options: {domain: mg.example.com, port: 5}\n    secrets: {api_key: {env: KEY}}\n"
        "  - {name: sms, type: twilio}\n  - {name: push, type: fcm, channel: push}\n"
        "  - {name: own, type: pigeon, channel: push}\n");
    ASSERT_THAT(problems_of(loaded), IsEmpty());
    const auto& accounts = std::get<Settings>(loaded).accounts;
    ASSERT_EQ(accounts.size(), 4U);
    const auto& mailgun = accounts[0];
    EXPECT_EQ(mailgun.name, "mailgun-eu");
    EXPECT_EQ(mailgun.type, "mailgun");
    EXPECT_EQ(mailgun.channel, Channel::email);
    EXPECT_EQ(mailgun.rate.per_second, 12.5);
    EXPECT_EQ(mailgun.rate.concurrency, 3U);
    EXPECT_EQ(mailgun.batch_max, 500U);
    EXPECT_EQ(mailgun.timeout, 2500ms);
    EXPECT_EQ(mailgun.ca_file, "/etc/passwd");
    EXPECT_TRUE(mailgun.allow_http);
    EXPECT_EQ(mailgun.options.at("domain"), "mg.example.com");
    EXPECT_EQ(mailgun.options.at("port"), "5");
    EXPECT_EQ(mailgun.secrets.at("api_key").reveal(), "hush");
    EXPECT_EQ(mailgun.file, "f");
    EXPECT_EQ(mailgun.line, 2);
    EXPECT_EQ(mailgun.key, "accounts[0]");
    EXPECT_EQ(accounts[1].channel, Channel::sms);
    EXPECT_EQ(accounts[2].channel, Channel::push);
    EXPECT_EQ(accounts[3].channel, Channel::push);
}

TEST(Accounts, AreRefusedWithEveryProblem) {
    EXPECT_THAT(
        problems_of(
            load("accounts:\n"
                 "  - {name: a, type: mailgun, channel: sms}\n"
                 "  - {name: a, type: pigeon}\n"
                 "  - {type: fcm}\n"
                 "  - {name: Upper, tipe: fcm}\n"
                 "  - fcm\n"
                 "  - {name: f, type: fcm, ca_file: /gone, options: [], secrets: {k: hush}}\n"
                 "  - {name: g, type: fcm, options: {a: [b]}, rate: {per_sec: 1}}\n")),
        ElementsAre(
            IsProblem(2, "accounts[0].channel", "sms", "email, which is what mailgun serves"),
            IsProblem(3, "accounts[1].type", "pigeon", "mailgun, sendgrid, ses, smtp"),
            IsProblem(3, "accounts[1].name", "a", "accounts[0] has this one"),
            IsProblem(4, "accounts[2].name", "", "1 to 40 characters"),
            IsProblem(5, "accounts[3].name", "Upper", "1 to 40 characters"),
            IsProblem(5, "accounts[3].tipe", "(unknown key)", "did you mean accounts[3].type?"),
            IsProblem(5, "accounts[3].type", "", "1 to 40 characters"),
            IsProblem(6, "accounts[4]", "fcm", "a map"),
            IsProblem(7, "accounts[5].options", "(a list)", "a map"),
            IsProblem(7, "accounts[5].secrets.k", "(not shown)", "{env: NAME} or {file: PATH}"),
            IsProblem(7, "accounts[5].ca_file", "/gone", "a file that exists"),
            IsProblem(8, "accounts[6].options.a", "(a list)", "text"),
            IsProblem(8, "accounts[6].rate.per_sec", "(unknown key)", "rate.per_second?")));
}

TEST(Accounts, NeverShowASecret) {
    for (const auto& problem : problems_of(load("accounts: [{name: a, type: fcm, secrets: "
                                                "{api_key: hush}}]\nkafka: {partitions: 0}"))) {
        EXPECT_THAT(describe(problem), Not(HasSubstr("hush")));
    }
}

struct AccountBound {
    std::string key;
    std::string below, min, max, above;
};
void PrintTo(const AccountBound& bound, std::ostream* out) { *out << bound.key; }
class AccountBoundTest : public ::testing::TestWithParam<AccountBound> {};

TEST_P(AccountBoundTest, IsKept) {
    const auto& bound = GetParam();
    const auto with = [&](const std::string& value) {
        const auto inner = bound.key.starts_with("rate.")
                               ? fmt::format("rate: {{{}: {}}}", bound.key.substr(5), value)
                               : fmt::format("{}: {}", bound.key, value);
        const auto* const lease = "worker: {lease_ms: 600000}\n";
        return problems_of(
            load(fmt::format("{}accounts: [{{name: a, type: fcm, {}}}]", lease, inner)));
    };
    for (const auto& value : {bound.min, bound.max}) EXPECT_THAT(with(value), IsEmpty()) << value;
    for (const auto& value : {bound.below, bound.above, std::string{"x"}, std::string{"\"1\""}}) {
        const auto found = with(value);
        ASSERT_EQ(found.size(), 1U) << value;
        EXPECT_EQ(found[0].key, "accounts[0]." + bound.key);
        EXPECT_THAT(found[0].expected, HasSubstr("from "));
    }
}

INSTANTIATE_TEST_SUITE_P(
    Numbers, AccountBoundTest,
    ::testing::Values(AccountBound{"rate.per_second", "-0.1", "0", "1000000", "1000000.1"},
                      AccountBound{"rate.per_second", "nan", "0.5", "1e6", "inf"},
                      AccountBound{"rate.concurrency", "0", "1", "1000", "1001"},
                      AccountBound{"batch_max", "-1", "0", "10000", "10001"},
                      AccountBound{"timeout_ms", "99", "100", "60000", "60001"}));

TEST(Accounts, HaveABoundOfTheirOwn) {
    const auto with = [](int count) {
        std::string text = "accounts:\n";
        for (int i = 0; i < count; ++i) text += fmt::format("  - {{name: a{}, type: fcm}}\n", i);
        return problems_of(load(text));
    };
    EXPECT_THAT(with(100), IsEmpty());
    EXPECT_THAT(with(101), ElementsAre(IsProblem(2, "accounts", "101 accounts", "at most 100")));
}

TEST(Accounts, HaveNamesFitForALabel) {
    const auto with = [](const std::string& name) {
        return problems_of(load("accounts: [{name: \"" + name + "\", type: fcm}]")).size();
    };
    EXPECT_EQ(with(std::string(40, 'a')), 0U);
    EXPECT_EQ(with(std::string(41, 'a')), 1U);
    EXPECT_EQ(with(""), 1U);
    EXPECT_EQ(with("a_b"), 1U);
    EXPECT_EQ(with("a b"), 1U);
}

}  // namespace
}  // namespace fanfare
