#include "worker/rendering/html_place.hpp"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

bool allows_after(std::string_view html) {
    HtmlPlace place;
    place.read(html);
    return place.objection().empty();
}

TEST(HtmlPlace, AllowsTextAndQuotedAttributes) {
    for (const char* html : {"",
                             "Hello ",
                             "<p>",
                             "<p class=\"a\">Hi ",
                             "<a href=\"",
                             "<a href='",
                             "<a\nhref = \"x",
                             "<br/>",
                             "<!-- note -->",
                             "<!---->",
                             "<!--->",
                             "<!--[if mso]>",
                             "<!--[if (gte mso 9)|(IE)]><p>",
                             "<!--[if !mso]><!-->",
                             "<!--[if mso]><i>&nbsp;</i><![endif]-->",
                             "<style>a{color:red}</style>",
                             "<STYLE>a>b{}</Style ><p>",
                             "<p style=\"color:red\">",
                             "<p style=\"color:red\" title=\"",
                             "<p onclick=\"x()\">",
                             "<img alt=\"a > b",
                             "<script>if (a<b) {}</script>",
                             "a < b \"",
                             "a<b>",
                             "1 <2",
                             "<p title=x>"}) {
        EXPECT_TRUE(allows_after(html)) << html;
    }
}

TEST(HtmlPlace, RefusesWhereEscapingDoesNotProtect) {
    for (const char* html : {"<",
                             "<a ",
                             "<a href=",
                             "<a href=\"x\" ",
                             "<p style=\"",
                             "<p STYLE='color:",
                             "<p onclick=\"",
                             "<body onLoad='",
                             "<iframe srcdoc=\"",
                             "<!--",
                             "<!-- a -- b ",
                             "<style>",
                             "<style type=\"text/css\">a > b {color:",
                             "<script>",
                             "<script>\"</p>",
                             "<SCRIPT src=\"x\">",
                             "<script></scrip>",
                             "<p/style=\"",
                             "<br / onclick=\"",
                             "<p \"",
                             "<p title=x\"",
                             "<<style>",
                             "a < \"b <style>"}) {
        EXPECT_FALSE(allows_after(html)) << html;
    }
}

TEST(HtmlPlace, TellsPlacesApart) {
    HtmlPlace text;
    HtmlPlace open_quote;
    open_quote.read("<a href=\"");
    EXPECT_FALSE(text.same_as(open_quote));
    HtmlPlace other_attribute;
    other_attribute.read("<a title=\"");
    EXPECT_FALSE(other_attribute.same_as(open_quote));
    open_quote.read("x\">y</a>");
    EXPECT_TRUE(text.same_as(open_quote));
}

}  // namespace
}  // namespace fanfare
