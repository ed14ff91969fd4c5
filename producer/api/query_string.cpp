#include "producer/api/query_string.hpp"

#include "core/crypto/digest.hpp"
#include "core/settings/text_rules.hpp"
#include "producer/api/reply.hpp"
#include "producer/api/text_validation.hpp"
#include "producer/http/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::api {
namespace {

constexpr std::size_t value_bytes_max = 4'000;  // 100 ids with commas.

}  // namespace

std::variant<QueryString, HttpReply> QueryString::read(const HttpCall& call,
                                                       std::span<const std::string_view> known) {
    auto form = parse_form(call.query);
    if (!form) return refusal(400, "invalid_query", "The query does not decode.");
    for (auto each = form->begin(); each != form->end(); ++each) {
        const bool repeated = std::any_of(
            form->begin(), each, [&](const auto& earlier) { return earlier.first == each->first; });
        const bool is_known =
            std::find(known.begin(), known.end(), std::string_view{each->first}) != known.end();
        const bool is_first_page = each->first == "cursor" && each->second.empty();
        if (!is_known) {
            return refusal(
                400, "invalid_query",
                fmt::format("The query takes {}, and nothing else.", fmt::join(known, ", ")));
        }
        if (repeated) return bad_query(each->first, "one value; it stands there twice");
        if (!is_first_page && !is_plain(each->second, value_bytes_max)) {
            return bad_query(
                each->first,
                fmt::format("1 to {} bytes of text without control characters", value_bytes_max));
        }
    }
    QueryString query;
    query.fields_ = std::move(*form);
    return query;
}

std::string_view QueryString::operator[](std::string_view name) const noexcept {
    return field(fields_, name);
}

std::optional<int> QueryString::limit() const {
    const auto text = (*this)["limit"];
    if (text.empty()) return page_default;
    const auto number = parse_whole(text);
    if (!number || *number < 1 || *number > page_max) return std::nullopt;
    return static_cast<int>(*number);
}

std::string make_cursor(std::string_view first, std::string_view second) {
    return base64url(fmt::format("{} {}", first, second));
}

std::optional<std::pair<std::string, std::string>> read_cursor(std::string_view cursor) {
    const auto words = base64url_decoded(cursor);
    if (!words) return std::nullopt;
    const auto blank = words->find(' ');
    if (blank == std::string::npos) return std::nullopt;
    return std::pair{words->substr(0, blank), words->substr(blank + 1)};
}

HttpReply bad_query(std::string_view name, std::string_view expected) {
    return refusal(400, "invalid_query", fmt::format("{}: send {}", name, expected));
}

}  // namespace fanfare::api
