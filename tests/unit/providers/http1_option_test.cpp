// Which engine speaks HTTP/1.1 for an account.
#include "core/providers/http1_option.hpp"
#include "core/providers/registry.hpp"

#include "tests/contract/accounts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <variant>

namespace fanfare::testing {
namespace {

AccountSettings with_engine(AccountSettings account, std::string engine) {
    account.options["http1"] = std::move(engine);
    return account;
}

TEST(Http1OptionTest, BeastUnlessTheAccountWantsLibcurl) {
    EXPECT_TRUE(wants_beast(twilio_account()));
    EXPECT_TRUE(wants_beast(with_engine(twilio_account(), "beast")));
    EXPECT_FALSE(wants_beast(with_engine(twilio_account(), "libcurl")));
}

TEST(Http1OptionTest, WhoeverSpeaksHttp11TakesBothAndNoOthers) {
    for (const auto& account : {mailgun_account(), sendgrid_account(), ses_account(),
                                twilio_account(), vonage_account()}) {
        for (const auto* const engine : {"beast", "libcurl"}) {
            EXPECT_TRUE(std::holds_alternative<std::unique_ptr<Provider>>(
                make_provider(with_engine(account, engine), {})))
                << account.type;
        }
        EXPECT_TRUE(
            std::holds_alternative<Problems>(make_provider(with_engine(account, "Beast"), {})))
            << account.type;
    }
}

TEST(Http1OptionTest, MailAndPushHaveNoSuchOption) {
    for (const auto& account : {smtp_account(), fcm_account()}) {
        EXPECT_TRUE(
            std::holds_alternative<Problems>(make_provider(with_engine(account, "beast"), {})))
            << account.type;
    }
}

}  // namespace
}  // namespace fanfare::testing
