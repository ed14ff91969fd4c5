#include "core/providers/registry.hpp"
#include "sim/provider_handler.hpp"
#include "tests/unit/sim/provider_case.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>
#include <ostream>
#include <variant>

// Behind the framework: from here on fanfare::testing hides it.
#include "tests/contract/accounts.hpp"

/// What the doctor asks is answered well to good credentials only, and nobody gets a message.
namespace fanfare::sim {
namespace {

using Made = AccountSettings (*)();

/// An account whose credentials the simulator has, and what spoils them.
struct Account {
    Made made;
    std::string_view secret;  // The one that is spoilt.
};

void PrintTo(const Account& account, std::ostream* out) { *out << account.made().type; }

std::unique_ptr<Provider> opened(const AccountSettings& account, const Clock& clock) {
    auto made = make_provider(account, {.callback_url = {}, .clock = &clock});
    auto* const provider = std::get_if<std::unique_ptr<Provider>>(&made);
    return provider == nullptr ? nullptr : std::move(*provider);
}

std::optional<HttpRequest> harmless_call(const AccountSettings& account, const Clock& clock) {
    const auto provider = opened(account, clock);
    return provider ? provider->harmless_call() : std::nullopt;
}

class HarmlessCalls : public ::testing::Test {
protected:
    static ProviderOptions options() {
        ProviderOptions options;
        options.apns_public_key = fanfare::testing::generated_curve_pair().public_pem;
        options.vonage_secret = "vonage-secret-01";
        return options;
    }

    Proven asked(const AccountSettings& account) {
        const auto call = harmless_call(account, clock_);
        EXPECT_TRUE(call) << account.type;
        if (!call) return {};
        OwnedRequest request;
        const auto host = call->url.find("://") + 3;
        const auto path = call->url.find('/', host);
        const auto query = std::min(call->url.find('?'), call->url.size());
        request.method = call->get ? "GET" : "POST";
        request.path = call->url.substr(path, query - path);
        request.headers.emplace_back("host", call->url.substr(host, path - host));
        for (const auto& line : call->headers) {
            const auto colon = line.find(": ");
            auto name = line.substr(0, colon);
            std::transform(name.begin(), name.end(), name.begin(),
                           [](unsigned char c) { return std::tolower(c); });
            request.headers.emplace_back(std::move(name), line.substr(colon + 2));
        }
        request.body = call->body;
        auto view = request.view();
        view.http2 = call->http2;
        Reaction reaction;
        handler_.handle(view, reaction);
        handler_.ended(reaction.ticket);
        HttpAnswer answer;
        answer.transport = Transport::answered;
        answer.status = reaction.answer.status;
        answer.body = reaction.answer.body;
        for (const auto& [name, value] : reaction.answer.headers) {
            if (name == "x-amzn-errortype") answer.error_type = value;
        }
        return opened(account, clock_)->proven_by(answer);
    }

    static std::string spoilt(const std::string& type) {
        return type == "apns" ? fanfare::testing::fresh_curve_pair().private_pem : "another";
    }

    ManualClock clock_{TimePoint{std::chrono::seconds{test_now_s}}};
    SimulatorState simulator_{make_providers(options()), 1, 10};
    ProviderHandler handler_{simulator_, clock_};
};

class HarmlessCallsOf : public HarmlessCalls, public ::testing::WithParamInterface<Account> {};

TEST_P(HarmlessCallsOf, ProveGoodCredentialsAndOnlyThose) {
    auto account = GetParam().made();
    const auto good = asked(account);
    EXPECT_EQ(good.proof, Proof::well) << account.type << ": " << good.what;
    account.secrets.insert_or_assign(std::string{GetParam().secret}, Secret{spoilt(account.type)});
    const auto bad = asked(account);
    EXPECT_EQ(bad.proof, Proof::refused) << account.type << ": " << bad.what;
    for (std::size_t i = 0; i < simulator_.providers.size(); ++i) {
        EXPECT_EQ(simulator_.oracle.provider(static_cast<ProviderIndex>(i)).tally.accepted, 0U)
            << simulator_.providers[i]->name();
    }
}

INSTANTIATE_TEST_SUITE_P(Accounts, HarmlessCallsOf,
                         ::testing::Values(Account{fanfare::testing::apns_account, "private_key"},
                                           Account{fanfare::testing::mailgun_account, "api_key"},
                                           Account{fanfare::testing::sendgrid_account, "api_key"},
                                           Account{fanfare::testing::ses_account,
                                                   "secret_access_key"},
                                           Account{fanfare::testing::twilio_account, "auth_token"},
                                           Account{fanfare::testing::vonage_account, "api_secret"}),
                         [](const auto& each) { return each.param.made().type; });

TEST_F(HarmlessCalls, ATokenOfApnsIsAskedOfNobody) {
    const auto account = fanfare::testing::apns_account();
    const auto call = harmless_call(account, clock_);
    ASSERT_TRUE(call);
    EXPECT_TRUE(call->http2);
    EXPECT_EQ(call->url, "https://api.push.apple.com/3/device/000") << "no whole bytes";
    clock_.advance(std::chrono::minutes{19});
    const auto claims = [](const HttpRequest& request) {
        const auto& line = request.headers.at(1);
        return line.substr(0, line.rfind('.'));
    };
    EXPECT_EQ(claims(*harmless_call(account, clock_)), claims(*call))
        << "a new token every 20 minutes and no sooner";
}

TEST_F(HarmlessCalls, WhereNothingProvesThemNothingIsAsked) {
    EXPECT_FALSE(harmless_call(fanfare::testing::fcm_account(), clock_)) << "its token is fetched";
    EXPECT_FALSE(harmless_call(fanfare::testing::vonage_messages_account(), clock_));
    auto unsound = fanfare::testing::ses_account();
    unsound.options["region"] = "?";
    EXPECT_FALSE(harmless_call(unsound, clock_));
}

TEST_F(HarmlessCalls, AMailServerIsToldNoMail) {
    auto account = fanfare::testing::smtp_account();
    const auto call = harmless_call(account, clock_);
    ASSERT_TRUE(call && call->mail);
    EXPECT_EQ(call->url, "smtp://mail.example.org:587/example.org");
    EXPECT_EQ(call->mail->recipient, "") << "a login, and no mail";
    EXPECT_EQ(call->mail->username, "fanfare");
    EXPECT_FALSE(call->mail->cleartext);
    account.options["tls"] = "implicit";
    account.options["hello_name"] = "sender.example.org";
    EXPECT_EQ(harmless_call(account, clock_)->url,
              "smtps://mail.example.org:465/sender.example.org");
}

}  // namespace
}  // namespace fanfare::sim
