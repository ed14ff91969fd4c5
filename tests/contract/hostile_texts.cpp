#include "tests/contract/hostile_texts.hpp"

namespace fanfare::testing {

using namespace std::string_literals;

const std::vector<std::string>& hostile_texts() {
    static const std::vector<std::string> texts{
        "a\r\nBcc: victim@example.com",
        "a\r\n\r\n--x\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\nvictim@example.com",
        "nul\0inside"s,
        "\"quoted\" 'single' back\\slash",
        "\"},\"victim@example.com\":{\"id\":\"",
        "{{x}} {{{y}}} {% z %}",
        "%recipient.v0%",
        "%recipient.id%%recipient.h0%",
        "%%recipient.v0%%",
        "%unsubscribe_url%",
        "%xunsubscribe_url%unsubscribe_url%",
        "100% sure, 50%off, %41%C3%A9",
        "</script><script>alert(1)</script>",
        "<b>&amp;</b>",
        "line\xE2\x80\xA8separator",
        "emoji \xF0\x9F\x8E\x89 and \xC3\xA9",
        "&To=%2B19995550000&Body=x",
        "bad \xFF\xFE utf-8",
        "cut \xE2\x82",
        "surrogate \xED\xA0\x80 overlong \xC0\xAF",
        "",
    };
    return texts;
}

std::string mended(const std::string& hostile) {
    const auto bad = "\xEF\xBF\xBD"s;
    if (hostile == "bad \xFF\xFE utf-8") return "bad " + bad + bad + " utf-8";
    if (hostile == "cut \xE2\x82") return "cut " + bad + bad;
    if (hostile.starts_with("surrogate")) {
        return "surrogate " + bad + bad + bad + " overlong " + bad + bad;
    }
    return hostile;
}

}  // namespace fanfare::testing
