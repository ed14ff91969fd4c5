#include "core/providers/registry.hpp"
#include "tests/contract/accounts.hpp"
#include "tests/contract/wire_reader.hpp"

#include <gtest/gtest.h>

#include <array>

namespace fanfare::testing {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

const SendReference reference{"job-1", 3, "show.reminder", ""};

HttpRequest compose(const Provider& provider, std::int64_t expires_at = 0) {
    Content content;
    content.channel = Channel::sms;
    content.variables = {"name"};
    content.text = {{"Hi ", Slot{0, Escape::none}}, {" & co\n\xE2\x82\xAC", {}}};
    const std::string_view name = "A+B=C";
    const std::array one{Message{"1", "+15558675310", &name, "0.AAAAAAAAAAA"}};
    HttpRequest request;
    provider.compose({content, one, reference, expires_at}, request);
    return request;
}

TEST(Twilio, WritesTheWholeCall) {
    const auto request = compose(*open(twilio_account()), test_now + 900);
    EXPECT_EQ(request.url,
              "https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000001/"
              "Messages.json");
    EXPECT_EQ(header(request, "Authorization"),
              "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTowMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1"
              "Njc4OWFiY2RlZg==");
    EXPECT_EQ(header(request, "Content-Type"), "application/x-www-form-urlencoded");
    EXPECT_EQ(request.body,
              "To=%2B15558675310&From=%2B15005550006&Body=Hi%20A%2BB%3DC%20%26%20co%0A%E2%82%AC"
              "&StatusCallback=https%3A%2F%2Fhooks.example.com%2Fwebhooks%2Ftext%3Fref%3Djob-1.3"
              ".0.AAAAAAAAAAA"
              "&ValidityPeriod=900");
}

TEST(Twilio, TakesAMessagingServiceAndAnApiKey) {
    auto account = twilio_account();
    account.options = {{"account_sid", "AC00000000000000000000000000000001"},
                       {"messaging_service_sid", "MG0000000000000000000000000000000a"},
                       {"api_key_sid", "SK00000000000000000000000000000002"},
                       {"base_url", "https://api.dublin.ie1.twilio.com/"}};
    account.secrets.clear();
    account.secrets.emplace("api_key_secret", Secret{"s"});
    auto made = make_provider(account, {});
    ASSERT_EQ(made.index(), 0U);
    const auto request = compose(*std::get<0>(made));
    EXPECT_TRUE(request.url.starts_with("https://api.dublin.ie1.twilio.com/2010-04-01/"));
    EXPECT_EQ(header(request, "Authorization"),
              "Basic U0swMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMjpz");
    const Fields expected{{"To", "+15558675310"},
                          {"MessagingServiceSid", "MG0000000000000000000000000000000a"},
                          {"Body", "Hi A+B=C & co\n\xE2\x82\xAC"}};
    EXPECT_EQ(read_form(request.body), expected) << "and no callback where there is no URL";
}

TEST(Twilio, BoundsTheTimeInTwiliosQueue) {
    const auto provider = open(twilio_account());
    const auto period = [&](std::int64_t expires_at) {
        const auto body = compose(*provider, expires_at).body;
        const auto at = body.find("&ValidityPeriod=");
        return at == std::string::npos ? std::string{"(none)"} : body.substr(at + 16);
    };
    EXPECT_EQ(period(0), "(none)");
    EXPECT_EQ(period(test_now + 1), "6");
    EXPECT_EQ(period(test_now - 100), "6");
    EXPECT_EQ(period(test_now + 35'999), "35999");
    EXPECT_EQ(period(test_now + 36'000), "(none)") << "Twilio's own bound";
}

}  // namespace
}  // namespace fanfare::testing
