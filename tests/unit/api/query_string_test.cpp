// Queries and cursors of pages.
#include "producer/api/query_string.hpp"

#include <gtest/gtest.h>

namespace fanfare::api {
namespace {

constexpr std::array<std::string_view, 3> known{"state", "cursor", "limit"};

std::variant<QueryString, HttpReply> read(const std::string& query) {
    HttpCall call;
    call.query = query;
    return QueryString::read(call, known);
}

TEST(QueryString, TakesKnownFieldsOnceEach) {
    const auto query = std::get<QueryString>(read("state=done&limit=7"));
    EXPECT_EQ(query["state"], "done");
    EXPECT_EQ(query["cursor"], "");
    EXPECT_EQ(query.limit(), 7);
    for (const auto* const bad : {"x=1", "state=a&state=a", "state=%zz", "state=%00", "state=%ff",
                                  "state=", "state", "limit="}) {
        const auto refused = read(bad);
        ASSERT_TRUE(std::holds_alternative<HttpReply>(refused)) << bad;
        EXPECT_EQ(std::get<HttpReply>(refused).status, 400) << bad;
    }
}

TEST(QueryString, AnEmptyCursorIsTheFirstPage) {
    EXPECT_EQ(std::get<QueryString>(read("state=done&cursor="))["cursor"], "");
}

TEST(QueryString, KeepsPagesSmall) {
    EXPECT_EQ(std::get<QueryString>(read("")).limit(), page_default);
    EXPECT_EQ(std::get<QueryString>(read("limit=1000")).limit(), page_max);
    for (const auto* const bad : {"limit=0", "limit=1001", "limit=-1", "limit=x", "limit=1.5"}) {
        EXPECT_FALSE(std::get<QueryString>(read(bad)).limit()) << bad;
    }
}

TEST(QueryString, ReadsItsOwnCursorsOnly) {
    const auto cursor = make_cursor("2026-01-01T00:00:00.000000Z", "some-id");
    EXPECT_EQ(cursor.find_first_of("+/= "), std::string::npos);
    const auto place = read_cursor(cursor);
    ASSERT_TRUE(place);
    EXPECT_EQ(place->first, "2026-01-01T00:00:00.000000Z");
    EXPECT_EQ(place->second, "some-id");
    EXPECT_FALSE(read_cursor(""));
    EXPECT_FALSE(read_cursor("x"));
    EXPECT_FALSE(read_cursor("!!"));
}

}  // namespace
}  // namespace fanfare::api
