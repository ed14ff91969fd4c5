#include "producer/http/router.hpp"

#include "producer/http/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Router make_router() {
    Router router;
    router.add("GET", "/jobs/{id}", {});
    router.add("POST", "/jobs/{id}", {});
    router.add("DELETE", "/jobs/{id}/chunks/{chunk}", {});
    router.add("GET", "/", {});
    return router;
}

TEST(Router, FindsByMethodAndPath) {
    const auto router = make_router();
    const auto found = router.find("DELETE", "/jobs/a%20b/chunks/7");
    ASSERT_NE(found.route, nullptr);
    EXPECT_EQ(found.route->pattern, "/jobs/{id}/chunks/{chunk}");
    EXPECT_THAT(found.params, ElementsAre(Pair("id", "a b"), Pair("chunk", "7")));
    EXPECT_THAT(router.find("GET", "/jobs/a%2Fb%2fc").params, ElementsAre(Pair("id", "a/b/c")));
    EXPECT_EQ(router.find("HEAD", "/jobs/1").route, router.find("GET", "/jobs/1").route);
    EXPECT_NE(router.find("GET", "/").route, nullptr);
}

TEST(Router, TellsWhatAPathTakes) {
    const auto router = make_router();
    EXPECT_EQ(router.find("PUT", "/jobs/1").allow, "GET, HEAD, POST");
    for (const auto* const path : {"/jobs", "/jobs/", "/jobs/1/", "/jobs//chunks/1", "//",
                                   "/jobs/%", "/jobs%2F1", "/jobs/1%2Fchunks%2F7/x"}) {
        const auto found = router.find("GET", path);
        EXPECT_EQ(found.route, nullptr) << path;
        EXPECT_EQ(found.allow, "") << path;
    }
}

TEST(Form, IsReadWholeOrNotAtAll) {
    const auto form = parse_form("a=1&b=%2B+x&&c&a=2");
    ASSERT_TRUE(form);
    EXPECT_THAT(*form,
                ElementsAre(Pair("a", "1"), Pair("b", "+ x"), Pair("c", ""), Pair("a", "2")));
    EXPECT_FALSE(parse_form("a=%"));
    EXPECT_FALSE(parse_form("a=%4"));
    EXPECT_FALSE(parse_form("%g0=1"));
    std::string many;
    for (int i = 0; i < 201; ++i) many += "a=1&";
    EXPECT_FALSE(parse_form(many));
    EXPECT_TRUE(parse_form("")->empty());
}

TEST(HttpDate, IsTheOneOfTheRfc) {
    EXPECT_EQ(http_date(TimePoint{std::chrono::seconds{784'111'777}}),
              "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace fanfare
