#include "core/providers/registry.hpp"

#include "tests/contract/accounts.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace fanfare::testing {
namespace {

/// The keys that make_provider() complains about, in its order.
std::vector<std::string> refused(const AccountSettings& account) {
    std::vector<std::string> keys;
    const auto made = make_provider(account, {});
    if (const auto* const problems = std::get_if<Problems>(&made)) {
        for (const auto& problem : *problems) keys.push_back(problem.key);
    }
    return keys;
}

using Keys = std::vector<std::string>;

TEST(Registry, KnowsItsTypes) {
    const Keys types{provider_types().begin(), provider_types().end()};
    EXPECT_EQ(types,
              (Keys{"apns", "fcm", "mailgun", "sendgrid", "ses", "smtp", "twilio", "vonage"}));
    for (const auto type : provider_types()) {
        const auto docs = provider_options(type);
        EXPECT_TRUE(std::any_of(docs.begin(), docs.end(), [](const auto& d) { return d.secret; }));
        for (const auto& doc : docs) EXPECT_FALSE(doc.doc.empty()) << doc.name;
    }
    EXPECT_TRUE(provider_options("pigeon").empty());
    auto account = mailgun_account();
    account.type = "pigeon";
    EXPECT_EQ(refused(account), Keys{"providers[0].type"});
}

TEST(Registry, TakesCompleteAccounts) {
    for (const auto& account : {mailgun_account(), sendgrid_account(), ses_account(),
                                smtp_account(), twilio_account(), fcm_account()}) {
        EXPECT_EQ(refused(account), Keys{}) << account.type;
        EXPECT_EQ(open(account)->channel(), account.channel);
        EXPECT_EQ(open(account)->type(), account.type);
    }
    EXPECT_EQ(open(mailgun_account())->batch_max(), 1000U);
    EXPECT_EQ(open(sendgrid_account())->batch_max(), 1000U);
}

TEST(Registry, TellsEveryProblemAtOnce) {
    auto account = mailgun_account();
    account.channel = Channel::sms;
    account.batch_max = 1001;
    account.secrets.clear();
    account.options = {{"domain", "no host"},
                       {"colour", "red"},
                       {"base_url", "http://x.example"},
                       {"tracking", "perhaps"}};
    EXPECT_EQ(refused(account),
              (Keys{"providers[0].colour", "providers[0].api_key", "providers[0].from",
                    "providers[0].base_url", "providers[0].batch_max", "providers[0].channel",
                    "providers[0].domain", "providers[0].tracking"}));
}

TEST(Registry, NeverRepeatsASecret) {
    auto account = mailgun_account();
    account.secrets.clear();
    account.options["api_key"] = "key-in-clear";
    account.options["apikey"] = "key-in-clear";
    const auto made = make_provider(account, {});
    const auto& problems = std::get<Problems>(made);
    ASSERT_EQ(problems.size(), 2U);
    for (const auto& problem : problems) {
        EXPECT_EQ(problem.value, "") << problem.key;
        EXPECT_EQ(problem.expected.find("in-clear"), std::string::npos);
    }
}

TEST(Registry, TakesOptionsFromTheEnvironment) {
    auto account = twilio_account();
    account.options.erase("from");
    account.secrets.emplace("from", Secret{"+15005550006"});
    EXPECT_EQ(refused(account), Keys{});
}

TEST(Registry, TakesPlainHttpOnLoopbackOnly) {
    const auto verdict = [](const std::string& url, bool allow_http) {
        auto account = mailgun_account();
        account.options["base_url"] = url;
        account.allow_http = allow_http;
        return refused(account).empty();
    };
    for (const std::string url : {"http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:80",
                                  "http://127.9.9.9/prefix/"}) {
        EXPECT_TRUE(verdict(url, true)) << url;
        EXPECT_FALSE(verdict(url, false)) << url;
    }
    EXPECT_TRUE(verdict("https://api.eu.mailgun.net/", false));
    for (const std::string url :
         {"http://10.0.0.1", "http://127.0.0.1.example.com", "http://localhost.example.com",
          "ftp://x", "https://", "https://u:p@x.example", "https://x.example?q",
          "https://x.example#f", "x", "https://x.example/\r\nX: y",
          "http://127.0.0.1@evil.example"}) {
        EXPECT_FALSE(verdict(url, true)) << url;
    }
}

TEST(Registry, ChecksTwiliosSendersAndCredentials) {
    const auto keys = [](auto change) {
        auto account = twilio_account();
        change(account);
        return refused(account);
    };
    EXPECT_EQ(keys([](auto& a) { a.options["account_sid"] = "AC1"; }),
              Keys{"providers[1].account_sid"});
    EXPECT_EQ(keys([](auto& a) { a.options.erase("from"); }), Keys{"providers[1].from"});
    EXPECT_EQ(keys([](auto& a) { a.options["from"] = "+1&To=x"; }), Keys{"providers[1].from"});
    EXPECT_EQ(keys([](auto& a) { a.options["from"] = "My Shows"; }), Keys{});
    EXPECT_EQ(keys([](auto& a) { a.options["from"] = "12345"; }), Keys{});
    EXPECT_EQ(keys([](auto& a) { a.secrets.clear(); }), Keys{"providers[1].auth_token"});
    EXPECT_EQ(keys([](auto& a) { a.options["api_key_sid"] = "SK1"; }),
              Keys{"providers[1].auth_token"});
    EXPECT_EQ(keys([](auto& a) {
                  a.secrets.clear();
                  a.options["api_key_sid"] = "SK00000000000000000000000000000002";
              }),
              Keys{"providers[1].api_key_secret"});
    EXPECT_EQ(keys([](auto& a) { a.batch_max = 2; }), Keys{"providers[1].batch_max"});
}

TEST(Registry, ChecksSendGridsSender) {
    const auto keys = [](auto change) {
        auto account = sendgrid_account();
        change(account);
        return refused(account);
    };
    EXPECT_EQ(keys([](auto& a) { a.options["from"] = "Shows"; }), Keys{"providers[3].from"});
    EXPECT_EQ(keys([](auto& a) { a.secrets.clear(); }), Keys{"providers[3].api_key"});
    EXPECT_EQ(keys([](auto& a) { a.options["ip_pool_name"] = "x"; }),
              Keys{"providers[3].ip_pool_name"});
    EXPECT_EQ(keys([](auto& a) { a.batch_max = 1001; }), Keys{"providers[3].batch_max"});
    EXPECT_EQ(keys([](auto& a) { a.channel = Channel::push; }), Keys{"providers[3].channel"});
}

TEST(Registry, ChecksSesAccounts) {
    const auto keys = [](auto change) {
        auto account = ses_account();
        change(account);
        return refused(account);
    };
    EXPECT_EQ(keys([](auto& a) { a.options["from"] = "x"; }), Keys{"providers[4].from"});
    EXPECT_EQ(keys([](auto& a) { a.secrets.clear(); }), Keys{"providers[4].secret_access_key"});
    EXPECT_EQ(keys([](auto& a) { a.options["region"] = "us.evil.com/"; }),
              Keys{"providers[4].region"});
    EXPECT_EQ(keys([](auto& a) { a.options["configuration_set"] = "a b"; }),
              Keys{"providers[4].configuration_set"});
    EXPECT_EQ(keys([](auto& a) { a.batch_max = 51; }), Keys{"providers[4].batch_max"});
    EXPECT_EQ(keys([](auto& a) { a.options["base_url"] = "http://x"; }),
              Keys{"providers[4].base_url"});
    EXPECT_EQ(keys([](auto& a) { a.options["topic_arn"] = "arn:aws:sns:us-east-1:1:t"; }), Keys{});
}

TEST(Registry, ChecksFcmsServiceAccount) {
    const auto keys = [](auto change) {
        auto account = fcm_account();
        change(account);
        return refused(account);
    };
    EXPECT_EQ(keys([](auto& a) { a.secrets.clear(); }), Keys{"providers[2].service_account"});
    EXPECT_EQ(keys([](auto& a) { a.secrets["service_account"] = Secret{"{}"}; }),
              Keys{"providers[2].service_account"});
    EXPECT_EQ(keys([](auto& a) { a.options["project_id"] = "a/b"; }),
              Keys{"providers[2].project_id"});
    EXPECT_EQ(keys([](auto& a) { a.options["token_uri"] = "http://x"; }),
              Keys{"providers[2].token_uri"});
    EXPECT_EQ(keys([](auto& a) { a.options["link"] = "http://x"; }), Keys{"providers[2].link"});
}

}  // namespace
}  // namespace fanfare::testing
