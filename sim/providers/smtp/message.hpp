#pragma once

#include "sim/http/message.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::sim {

/// A mail, taken apart. Header names in lower case, values unfolded, words decoded.
struct MailMessage {
    std::vector<std::pair<std::string, std::string>> headers;
    std::string text;
    std::string html;

    /// "" where there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
};

/// Reads a mail; `fault` tells what is wrong with it in a few words, else it is empty. Strict:
/// CRLF only, ASCII only, at most 998 bytes a line, the required headers once each, parts of
/// text/plain and text/html in UTF-8.
[[nodiscard]] MailMessage read_mail(std::string_view raw, std::string& fault);

}  // namespace fanfare::sim
