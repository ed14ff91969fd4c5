#include "sim/http/multipart.hpp"

#include "sim/http/message.hpp"
#include "sim/http/text.hpp"

#include <cstring>

namespace fanfare::sim {

namespace {

constexpr std::size_t parts_max = 20'000;

// A parameter such as name="to" of a header value; `found` tells absent from empty.
std::string_view parameter(std::string_view header, std::string_view name, bool& found) noexcept {
    found = false;
    std::size_t at = header.find(';');
    while (at != header.npos) {
        at = header.find_first_not_of("; \t", at);
        if (at == header.npos) break;
        const auto equals = header.find('=', at);
        if (equals == header.npos) break;
        const bool ours = equal_ignoring_case(trimmed(header.substr(at, equals - at)), name);
        const bool quoted = equals + 1 < header.size() && header[equals + 1] == '"';
        const auto begin = equals + (quoted ? 2U : 1U);
        const auto end = quoted ? header.find('"', begin) : header.find(';', begin);
        if (quoted && end == header.npos) return {};
        if (ours) {
            found = true;
            return header.substr(begin, end == header.npos ? end : end - begin);
        }
        at = end == header.npos ? end : header.find(';', end);
    }
    return {};
}

// Finds CR LF "--" boundary. Values seldom hold a CR, so looking for that is quickest.
std::size_t find_delimiter(std::string_view body, std::size_t from,
                           std::string_view boundary) noexcept {
    while (from < body.size()) {
        const auto* found =
            static_cast<const char*>(std::memchr(body.data() + from, '\r', body.size() - from));
        if (found == nullptr) break;
        const auto at = static_cast<std::size_t>(found - body.data());
        const auto rest = body.substr(at + 1);
        if (rest.size() >= boundary.size() + 3 && rest.substr(0, 3) == "\n--" &&
            rest.substr(3, boundary.size()) == boundary) {
            return at;
        }
        from = at + 1;
    }
    return body.npos;
}

// Reads the headers of a part. Leaves `body` at its content.
bool parse_part_headers(std::string_view& body, Part& part) {
    bool named = false;
    for (;;) {
        const auto end = body.find("\r\n");
        if (end == body.npos) return false;
        const auto line = body.substr(0, end);
        body.remove_prefix(end + 2);
        if (line.empty()) return named;
        const auto colon = line.find(':');
        if (colon == line.npos) return false;
        if (!equal_ignoring_case(line.substr(0, colon), "content-disposition")) continue;
        const auto value = trimmed(line.substr(colon + 1));
        if (!equal_ignoring_case(value.substr(0, value.find(';')), "form-data")) return false;
        part.name = parameter(value, "name", named);
        parameter(value, "filename", part.is_file);
    }
}

}  // namespace

std::string_view multipart_boundary(std::string_view content_type) noexcept {
    if (!equal_ignoring_case(trimmed(content_type.substr(0, content_type.find(';'))),
                             "multipart/form-data")) {
        return {};
    }
    bool found = false;
    const auto boundary = parameter(content_type, "boundary", found);
    return boundary.size() <= 70 ? boundary : std::string_view{};
}

bool parse_multipart(std::string_view body, std::string_view boundary, std::vector<Part>& parts) {
    parts.clear();
    if (boundary.empty() || body.size() < boundary.size() + 4 || body.substr(0, 2) != "--" ||
        body.substr(2, boundary.size()) != boundary) {
        return false;
    }
    body.remove_prefix(2 + boundary.size());
    for (;;) {
        if (body.substr(0, 2) == "--") return true;
        if (body.substr(0, 2) != "\r\n" || parts.size() == parts_max) return false;
        body.remove_prefix(2);
        Part part;
        if (!parse_part_headers(body, part)) return false;
        const auto end = find_delimiter(body, 0, boundary);
        if (end == body.npos) return false;
        part.value = body.substr(0, end);
        parts.push_back(part);
        body.remove_prefix(end + 4 + boundary.size());
    }
}

}  // namespace fanfare::sim
