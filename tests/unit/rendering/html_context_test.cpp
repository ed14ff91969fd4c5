#include "core/rendering/html_context.hpp"

#include <gtest/gtest.h>

namespace fanfare {
namespace {

bool allows_after(std::string_view html) {
    HtmlContext place;
    place.read(html);
    return place.objection().empty();
}

TEST(HtmlContext, AllowsTextAndQuotedAttributes) {
    for (const char* html : {"",
                             "Hello ",
                             "<p>",
                             "<p class=\"a\">Hi ",
                             "<a href=\"",
                             "<a href='",
                             "<a\nhref = \"/x",
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

TEST(HtmlContext, RefusesWhereEscapingDoesNotProtect) {
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

TEST(HtmlContext, ReadsTagsAsBrowsersDo) {
    for (const char* html : {"<p title=href=\"",  // A bare value, quote and all.
                             "<p title=a\"b\" class=\"x\" ",
                             "<script></scriptx>",  // Its end is "</script" and no letter.
                             "<style></styles>", "<textarea></title>", "<textarea>", "<xmp><b>",
                             "<iframe>", "<noembed>", "<noframes>", "<plaintext></plaintext>",
                             "<a\fhref=", "<?php \"", "<p =\"", "<p/=x"}) {
        EXPECT_FALSE(allows_after(html)) << html;
    }
    for (const char* html :
         {"<title>",  // Entities count there, tags do not.
          "<title><!--</title>", "<title><a href=\"</title>", "<textarea>x</textarea>",
          "<p title='x'class=\"", "<p title = \"x\"\nclass\n=\n\"",
          "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \"x\">", "</>", "</ x>",
          "<script></script >", "<script></script/>"}) {
        EXPECT_TRUE(allows_after(html)) << html;
    }
}

TEST(HtmlContext, RefusesTagsThatLoadOrRuleSomething) {
    for (const char* html : {"<script src=\"", "<object data=\"", "<embed src='", "<base href=\"",
                             "<link href=\"", "<meta content=\"", "<iframe src=\"",
                             "<img srcset=\"", "<a ping=\"", "<applet code=\""}) {
        EXPECT_FALSE(allows_after(html)) << html;
    }
}

TEST(HtmlContext, WantsALinkWhereAUrlBegins) {
    const auto wants = [](std::string_view html) {
        HtmlContext place;
        place.read(html);
        EXPECT_EQ(place.objection(), "") << html;
        return place.wants_link();
    };
    for (const char* html : {"<a href=\"", "<a HREF='", "<img src=\" ", "<form action=\"",
                             "<td background=\"\n", "<a xlink:href=\"", "<q cite=\""}) {
        EXPECT_TRUE(wants(html)) << html;
    }
    for (const char* html : {"<a href=\"https://x/", "<a href=\"mailto:", "<a href=\"/",
                             "<a href=\"?a=", "<a href=\"#", "<a href=\"myapp://show/",
                             "<p title=\"", "<a href=\"x\" title=\"", "<img alt='"}) {
        EXPECT_FALSE(wants(html)) << html;
    }
}

TEST(HtmlContext, RefusesAUrlWhoseSchemeIsAValueInPart) {
    for (const char* html : {"<a href=\"java", "<a href='https", "<img src=\" x",
                             "<img src=\"data:image/png;base64,"}) {
        EXPECT_FALSE(allows_after(html)) << html;
    }
}

TEST(HtmlContext, RefusesScriptsAsLinks) {
    const auto fault_in = [](std::string_view html) { return HtmlContext{}.read(html); };
    for (const char* html :
         {"<a href=\"javascript:x\">", "<a href='JaVaScRiPt:", "<a href=javascript:x>",
          "<a href=\" java\nscript\t:x", "<a href=\"vbscript:x", "<a href=\"data:text/html,x",
          "<img src=\"javascript:x", "<form action=\"javascript:x",
          "<button formaction=\"javascript:", "<a href=\"&#106;avascript:x",
          "<a href=\"java&Tab;script:x", "<a href=\"javascript&colon;x", "<noscript>", "<svg>",
          "<math><mi>"}) {
        const auto fault = fault_in(html);
        ASSERT_TRUE(fault) << html;
        EXPECT_FALSE(fault->found.empty());
        EXPECT_FALSE(fault->expected.empty());
        EXPECT_LT(fault->offset, std::string_view{html}.size());
    }
    for (const char* html :
         {"<a href=\"https://x/?a=1&amp;b=javascript:2\">", "<a href=\"http://x\">",
          "<a href=\"tel:+1\">", "<p title=\"javascript:x\">",
          "<img src=\"data:image/png;base64,AA==\">", "<a href=\"#javascript:\">",
          "<a href=\"cid:part1\">", "javascript: <a href=\"", "</noscript>"}) {
        EXPECT_FALSE(fault_in(html)) << html;
    }
}

TEST(HtmlContext, TellsPlacesApart) {
    HtmlContext text;
    HtmlContext open_quote;
    open_quote.read("<a href=\"");
    EXPECT_FALSE(text.same_as(open_quote));
    HtmlContext other_attribute;
    other_attribute.read("<a title=\"");
    EXPECT_FALSE(other_attribute.same_as(open_quote));
    open_quote.read("x\">y</a>");
    EXPECT_TRUE(text.same_as(open_quote));
    HtmlContext begun;
    begun.read("<a href=\"");
    HtmlContext settled;
    settled.read("<a href=\"https:");
    EXPECT_FALSE(begun.same_as(settled));
}

}  // namespace
}  // namespace fanfare
