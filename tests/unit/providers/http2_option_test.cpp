// Which engine speaks HTTP/2 for an account.
#include "core/providers/http2_option.hpp"

#include <gtest/gtest.h>

#include <array>

namespace fanfare {
namespace {

AccountSettings push_account(std::map<std::string, std::string> options) {
    AccountSettings account;
    account.name = "push";
    account.options = std::move(options);
    return account;
}

bool is_taken(std::string engine) {
    const auto account = push_account({{"http2", std::move(engine)}});
    constexpr std::array docs{http2_option};
    OptionReader reader{account, docs};
    check_http2_option(reader);
    return reader.problems().empty();
}

TEST(Http2OptionTest, Nghttp2UnlessTheAccountWantsLibcurl) {
    EXPECT_TRUE(wants_nghttp2(push_account({})));
    EXPECT_TRUE(wants_nghttp2(push_account({{"http2", "nghttp2"}})));
    EXPECT_FALSE(wants_nghttp2(push_account({{"http2", "libcurl"}})));
}

TEST(Http2OptionTest, WithoutTlsItIsLibcurlWhichSpeaksHttp11There) {
    EXPECT_FALSE(wants_nghttp2(push_account({{"base_url", "http://127.0.0.1:8080"}})));
    EXPECT_TRUE(wants_nghttp2(push_account({{"base_url", "https://localhost:8443"}})));
}

TEST(Http2OptionTest, OthersAreRefused) {
    EXPECT_TRUE(is_taken("nghttp2"));
    EXPECT_TRUE(is_taken("libcurl"));
    EXPECT_FALSE(is_taken("NGHTTP2"));
    EXPECT_FALSE(is_taken("h2load"));
}

}  // namespace
}  // namespace fanfare
