#include "core/rendering/content.hpp"

#include <gtest/gtest.h>

#include <array>

namespace fanfare {
namespace {

TEST(Content, WritesLiteralsAndValuesInTurn) {
    const Text text{{"Hi ", Slot{1, Escape::none}}, {", see ", Slot{0, Escape::html}}, {"!", {}}};
    const std::array<std::string_view, 2> values{"A & B", "<Ann>"};
    std::string out{"> "};
    write_text(text, values.data(), out);
    EXPECT_EQ(out, "> Hi <Ann>, see A &amp; B!");
}

TEST(Content, EscapesTheFiveAndNothingElse) {
    std::string out;
    append_html("&<>\"'", out);
    EXPECT_EQ(out, "&amp;&lt;&gt;&quot;&#39;");
    out.clear();
    append_html("plain é \U0001F389 100% {{x}}", out);
    EXPECT_EQ(out, "plain é \U0001F389 100% {{x}}");
    out.clear();
    append_html("", out);
    append_html("<", out);
    EXPECT_EQ(out, "&lt;");
}

}  // namespace
}  // namespace fanfare
