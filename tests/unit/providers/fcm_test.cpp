#include "core/providers/fcm/fcm.hpp"

#include "core/crypto/digest.hpp"
#include "tests/contract/accounts.hpp"
#include "tests/contract/wire_reader.hpp"

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <array>
#include <atomic>
#include <thread>

namespace fanfare::testing {
namespace {

const SendReference reference{"job-1", 3, "show.reminder", ""};

Content show() {
    Content content;
    content.channel = Channel::push;
    content.variables = {"name"};
    content.subject = {{"Soon", {}}};
    content.text = {{"Hello ", Slot{0, Escape::none}}};
    return content;
}

HttpRequest compose(const Provider& provider, const Content& content, std::int64_t expires_at) {
    const std::string_view name = "\"Ann\"";
    const std::array one{Message{"1", "token:1", &name, "0.AAAAAAAAAAA"}};
    HttpRequest request;
    provider.compose({content, one, reference, expires_at}, request);
    return request;
}

TEST(Fcm, WritesTheWholeCall) {
    auto account = fcm_account();
    account.options = {{"channel_id", "shows"}, {"link", "https://example.org/live"}};
    const auto provider = open(account);
    provider->set_credential("ya29.x");
    auto content = show();
    content.data = {{"show", "42"}, {"from", "x"}, {"google.x", "x"}, {"fanfare", "x"}};
    content.collapse_key = "show-42";
    const auto request = compose(*provider, content, test_now + 900);
    EXPECT_EQ(request.url, "https://fcm.googleapis.com/v1/projects/test-project/messages:send");
    EXPECT_EQ(header(request, "Authorization"), "Bearer ya29.x");
    EXPECT_EQ(header(request, "Content-Type"), "application/json");
    EXPECT_TRUE(request.http2);
    EXPECT_EQ(boost::json::parse(request.body), boost::json::parse(R"({"message":{
        "token":"token:1",
        "notification":{"title":"Soon","body":"Hello \"Ann\""},
        "data":{"fanfare":"job-1.3","show":"42"},
        "android":{"priority":"HIGH","collapse_key":"show-42","ttl":"900s",
                   "notification":{"tag":"show-42","channel_id":"shows"}},
        "apns":{"headers":{"apns-priority":"10","apns-collapse-id":"show-42",
                           "apns-expiration":"1767226500"}},
        "webpush":{"headers":{"Urgency":"high","TTL":"900"},
                   "fcm_options":{"link":"https://example.org/live"}}}})"));
}

TEST(Fcm, MakesARepeatReplaceTheFirstEvenWithoutACollapseKey) {
    const auto request = compose(*open(fcm_account()), show(), 0);
    EXPECT_EQ(boost::json::parse(request.body), boost::json::parse(R"({"message":{
        "token":"token:1",
        "notification":{"title":"Soon","body":"Hello \"Ann\""},
        "data":{"fanfare":"job-1.3"},
        "android":{"priority":"HIGH","notification":{"tag":"job-1"}},
        "apns":{"headers":{"apns-priority":"10","apns-collapse-id":"job-1"}},
        "webpush":{"headers":{"Urgency":"high"}}}})"));
}

TEST(Fcm, BoundsTtl) {
    const auto provider = open(fcm_account());
    EXPECT_NE(compose(*provider, show(), test_now - 5).body.find(R"("ttl":"0s")"),
              std::string::npos);
    EXPECT_NE(compose(*provider, show(), test_now + 99'999'999).body.find(R"("ttl":"2419200s")"),
              std::string::npos);
}

TEST(Fcm, HashesACollapseKeyThatAHeaderCannotHold) {
    const auto provider = open(fcm_account());
    const auto shown = [&](const std::string& key) {
        auto content = show();
        content.collapse_key = key;
        const auto message = boost::json::parse(compose(*provider, content, 0).body);
        const auto& android = message.at("message").at("android");
        const std::string tag{android.at("notification").at("tag").as_string()};
        EXPECT_EQ(std::string{android.at("collapse_key").as_string()}, tag);
        EXPECT_EQ(
            std::string{
                message.at("message").at("apns").at("headers").at("apns-collapse-id").as_string()},
            tag);
        return tag;
    };
    const std::string lead(64, 'k');
    EXPECT_EQ(shown(lead), lead);
    EXPECT_EQ(shown("show-42"), "show-42");
    for (const auto& key : {lead + "1", std::string{"caf\xC3\xA9"}, std::string{"two words"}}) {
        EXPECT_EQ(shown(key), hex(compute_digest(Digest::sha256, key)));
    }
    EXPECT_NE(shown(lead + "1"), shown(lead + "2")) << "two shows never replace each other";
}

TEST(Fcm, KnowsWhatIsTooLargeWhoeverItIsFor) {
    const auto provider = open(fcm_account());
    const auto is_too_large = [&](std::size_t title, std::size_t data) {
        Content content;
        content.channel = Channel::push;
        content.subject = {{std::string(title, 'x'), {}}};
        content.text = {{"b", {}}};
        content.data = {{"k", std::string(data, 'y')}, {"from", std::string(9'999, 'z')}};
        const Message one{"1", "token:1", nullptr, ""};
        const SendReference its{"job-1", 3, "", ""};
        const Batch batch{content, {&one, 1}, its, 0};
        HttpRequest request;
        provider->compose(batch, request);
        return provider->is_too_large(batch, request);
    };
    // title and body; fanfare and job-1.3; k.
    constexpr std::size_t rest = 5 + 4 + 1 + 7 + 7 + 1;
    EXPECT_FALSE(is_too_large(4'096 - rest - 100, 100));
    EXPECT_TRUE(is_too_large(4'096 - rest - 100, 101));
    EXPECT_FALSE(is_too_large(10, 10)) << "what FCM reserves is left out";
}

TEST(Fcm, LetsNoAccessTokenBeginAHeader) {
    const auto provider = open(fcm_account());
    provider->set_credential("a\r\nX-Evil: 1");
    EXPECT_EQ(header(compose(*provider, show(), 0), "Authorization"), "Bearer a  X-Evil: 1");
}

TEST(Fcm, TakesANewAccessTokenBesideComposing) {
    const auto provider = open(fcm_account());
    const std::string first(100, 'a');
    const std::string second(2000, 'b');
    provider->set_credential(first);
    std::atomic<bool> done = false;
    std::jthread renewer{[&] {
        for (int i = 0; i < 2000; ++i) provider->set_credential(i % 2 == 0 ? second : first);
        done = true;
    }};
    int torn = 0;
    do {
        const auto line = header(compose(*provider, show(), 0), "Authorization");
        torn += line != "Bearer " + first && line != "Bearer " + second ? 1 : 0;
    } while (!done);
    EXPECT_EQ(torn, 0);
}

}  // namespace
}  // namespace fanfare::testing
