// What pages are filled with, and that they escape it.
#include "producer/console/view.hpp"

#include "producer/console/assets.hpp"
#include "producer/console/job_views.hpp"
#include "producer/console/page_context.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <filesystem>

namespace fanfare::console {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::filesystem::path assets_folder{FANFARE_SOURCE_DIR "/producer/console/assets"};

boost::json::object object(std::string_view text) {
    return boost::json::parse({text.data(), text.size()}).as_object();
}

TEST(ConsoleView, GroupsDigits) {
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1'000), "1,000");
    EXPECT_EQ(grouped(1'234'567), "1,234,567");
    EXPECT_EQ(grouped(-100), "-100");
    EXPECT_EQ(grouped(-1'000), "-1,000");
}

TEST(ConsoleView, TellsMomentsAndDurations) {
    EXPECT_EQ(moment_text("2026-11-28T09:30:59.000000Z"), "2026-11-28 09:30 UTC");
    EXPECT_EQ(moment_text("never"), "never");
    EXPECT_EQ(duration_text(-1), "0 s");
    EXPECT_EQ(duration_text(59.2), "1 min 0 s");
    EXPECT_EQ(duration_text(3'700), "1 h 1 min");
    EXPECT_EQ(duration_text(100'000), "1 d 3 h");
}

TEST(ConsoleView, EncodesWhateverIsNotPlainInAUrl) {
    EXPECT_EQ(percent_encoded("a-Z_0.9~"), "a-Z_0.9~");
    EXPECT_EQ(percent_encoded("a b/c?d&e=\xc3\xa4"), "a%20b%2Fc%3Fd%26e%3D%C3%A4");
}

TEST(ConsoleView, ShowsATitleThatIsSeen) {
    EXPECT_EQ(first_seen({"Friday", "s1"}), "Friday");
    EXPECT_EQ(first_seen({"", "  ", "\xE2\x80\x8B", "s1"}), "s1");
    EXPECT_EQ(first_seen({"", " ", " \xE2\x80\x8B\xC2\xA0"}), "");
}

TEST(ConsoleView, ReadsWhatIsThere) {
    const auto from = object(R"({"a":"x","n":3,"null":null,"list":[1,{"b":2}],"yes":true})");
    EXPECT_EQ(text_in(from, "a"), "x");
    EXPECT_EQ(text_in(from, "n"), "3");
    EXPECT_EQ(text_in(from, "null"), "");
    EXPECT_EQ(text_in(from, "absent"), "");
    EXPECT_EQ(count_in(from, "n"), 3);
    EXPECT_EQ(count_in(from, "a"), 0);
    EXPECT_TRUE(flag_in(from, "yes"));
    EXPECT_FALSE(flag_in(from, "a"));
    EXPECT_EQ(objects_in(from, "list").size(), 1U);
}

TEST(ConsoleView, ATitleWithAScriptStaysText) {
    const auto job =
        object(R"({"id":"1","title":"<script>alert(1)</script>\"'&","system":"<b>","kind":"k",)"
               R"("state":"done","planned":10,"settled":5,"failed":1,"unknown":0})");
    View rows{View::type::list};
    rows << job_row(job, nullptr);
    View view;
    view.set("rows", rows);
    const auto html = rendered("job_rows.html", view);
    EXPECT_THAT(html, Not(HasSubstr("<script")));
    EXPECT_THAT(html, Not(HasSubstr("<b>")));
    EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&apos;&amp;"));
    EXPECT_THAT(html, HasSubstr("50 %"));
}

TEST(ConsoleView, ABarIsWholeAndInOrder) {
    const auto job =
        object(R"({"state":"sending","channels":[{"channel":"email","planned":200,"outcomes":)"
               R"({"pending":50,"retry":50,"sent":60,"delivered":0,"failed":40}}]})");
    EXPECT_EQ(settled_in(job), 100);
    const auto html = rendered("progress.html", job_progress(job, nullptr));
    EXPECT_THAT(html, HasSubstr(R"(<rect class="t-good-0" x="0.000" y="0" width="30.000")"));
    EXPECT_THAT(html, HasSubstr(R"(<rect class="t-bad" x="30.000" y="0" width="20.000")"));
    EXPECT_THAT(html, Not(HasSubstr("delivered")));
    EXPECT_THAT(html, HasSubstr("50 %"));
}

/// Nothing in a page goes past escaping, holds a script or a style of its own, or loads from
/// elsewhere: the policy would stop it, and nobody would see why.
TEST(ConsoleAssets, PagesHoldNothingThatThePolicyForbids) {
    std::size_t pages = 0;
    for (const auto& file : std::filesystem::directory_iterator{assets_folder}) {
        const auto name = file.path().filename().string();
        const auto& text = asset(name);  // Every file of the folder is built in.
        for (const auto* const url : {"http://", "//cdn", "url("}) {
            if (name == "icon.svg") continue;  // The name of its own language.
            EXPECT_THAT(text, Not(HasSubstr(url))) << name;
        }
        if (!name.ends_with(".html")) continue;
        ++pages;
        for (const auto* const word :
             {"{{{", "{{&", "<style", " style=", " onclick", "javascript:", "srcdoc", "https://"}) {
            EXPECT_THAT(text, Not(HasSubstr(word))) << name;
        }
        if (name == "frame.html") continue;
        EXPECT_THAT(text, Not(HasSubstr("<script"))) << name;
    }
    EXPECT_GE(pages, 20U);
}

/// Each form that acts brings the session's word along.
TEST(ConsoleAssets, EveryFormThatActsProvesItself) {
    for (const auto& file : std::filesystem::directory_iterator{assets_folder}) {
        const auto name = file.path().filename().string();
        if (!name.ends_with(".html") || name == "sign_in.html") continue;
        const auto& text = asset(name);
        for (auto at = text.find("method=\"post\""); at != std::string::npos;
             at = text.find("method=\"post\"", at + 1)) {
            const auto form = text.substr(at, text.find("</form>", at) - at);
            EXPECT_THAT(form, HasSubstr(R"(name="form_word" value="{{form_word}}")")) << name;
        }
    }
}

}  // namespace
}  // namespace fanfare::console
