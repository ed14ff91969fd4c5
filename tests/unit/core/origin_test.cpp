// Which server a URL names, and under which name it is spoken to.
#include "core/http/origin.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

namespace fanfare {
namespace {

struct Case {
    std::string_view url;
    std::string_view host;
    std::string_view port;
    std::string_view authority;
};

constexpr std::array cases{
    Case{"https://a.example", "a.example", "443", "a.example"},
    Case{"https://a.example/x", "a.example", "443", "a.example"},
    Case{"https://a.example:443/x", "a.example", "443", "a.example"},
    Case{"https://a.example:80/x", "a.example", "80", "a.example:80"},
    Case{"https://a.example:4430/x", "a.example", "4430", "a.example:4430"},
    Case{"http://127.0.0.1:80/x", "127.0.0.1", "80", "127.0.0.1"},
    Case{"http://127.0.0.1:443/x", "127.0.0.1", "443", "127.0.0.1:443"},
    Case{"https://[::1]:443/x", "::1", "443", "[::1]"},
    Case{"https://[::1]:8443/x", "::1", "8443", "[::1]:8443"},
};

TEST(Origin, IsSpokenToWithoutTheSchemesOwnPort) {
    for (const auto& each : cases) {
        const auto origin = read_origin(each.url);
        ASSERT_TRUE(origin) << each.url;
        EXPECT_EQ(origin->host, each.host) << each.url;
        EXPECT_EQ(origin->port, each.port) << each.url;
        EXPECT_EQ(origin->authority, each.authority) << each.url;
        EXPECT_TRUE(is_of(each.url, *origin)) << each.url;
    }
}

}  // namespace
}  // namespace fanfare
