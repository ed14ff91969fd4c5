#include "sim/providers/mailgun/render.hpp"

#include "sim/http/text.hpp"
#include "sim/providers/mailgun/mailbox.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <utility>

namespace fanfare::sim {

namespace json = boost::json;

std::string substituted(std::string_view text, std::string_view address,
                        const json::object& variables) {
    constexpr std::string_view mark = "%recipient";
    std::string out;
    for (;;) {
        const auto at = text.find(mark);
        out.append(text.substr(0, at));
        if (at == text.npos) return out;
        text.remove_prefix(at);
        const auto end = text.find('%', 1);
        const auto name = text.substr(mark.size(), end == text.npos ? end : end - mark.size());
        const json::value* value = nullptr;
        if (name.size() > 1 && name[0] == '.') value = variables.if_contains(name.substr(1));
        if (end != text.npos && name.empty()) {
            out.append(address);
        } else if (end != text.npos && value != nullptr) {
            out.append(value->is_string() ? std::string{value->get_string()}
                                          : json::serialize(*value));
        } else {
            out.append(mark);
            text.remove_prefix(mark.size());
            continue;
        }
        text.remove_prefix(end + 1);
    }
}

bool parse_mailgun_parts(const Request& request, std::string& arena, std::vector<Field>& fields,
                         std::vector<Part>& parts) {
    const auto type = request.header("content-type");
    const auto boundary = multipart_boundary(type);
    if (!boundary.empty()) return parse_multipart(request.body, boundary, parts);
    parts.clear();
    if (!equal_ignoring_case(trimmed(type.substr(0, type.find(';'))),
                             "application/x-www-form-urlencoded") ||
        !parse_form(request.body, arena, fields)) {
        return false;
    }
    for (const auto& field : fields) parts.push_back({.name = field.name, .value = field.value});
    return true;
}

std::optional<json::object> render_mailgun(const Request& request, std::string_view address) {
    std::string arena;
    std::vector<Field> fields;
    std::vector<Part> parts;
    if (!parse_mailgun_parts(request, arena, fields, parts)) return std::nullopt;
    std::vector<std::string_view> everybody;
    json::object variables;
    bool batch = false;
    for (const auto& part : parts) {
        if (part.name == "to" || part.name == "cc" || part.name == "bcc") {
            if (!append_addresses(part.value, everybody)) return std::nullopt;
        } else if (part.name == "recipient-variables") {
            boost::system::error_code error;
            const auto all = json::parse(part.value, error);
            batch = !error && all.is_object() && !all.get_object().empty();
            if (!batch) continue;
            const auto* own = all.get_object().if_contains(address);
            if (own != nullptr && own->is_object()) variables = own->get_object();
        }
    }
    if (std::find(everybody.begin(), everybody.end(), address) == everybody.end()) {
        return std::nullopt;
    }
    json::array to;
    for (const auto one : everybody) {
        if (!batch || one == address) to.emplace_back(one);
    }
    // Apart until complete: a member that is added moves the others.
    json::object message, headers, user, options;
    for (const auto& part : parts) {
        const auto value = substituted(part.value, address, variables);
        if (part.name.starts_with("h:")) headers[part.name.substr(2)] = value;
        if (part.name.starts_with("v:")) user[part.name.substr(2)] = value;
        if (part.name.starts_with("o:")) options[part.name.substr(2)] = value;
        if (part.name == "from" || part.name == "subject" || part.name == "text" ||
            part.name == "html") {
            message[part.name] = value;
        }
    }
    message["to"] = std::move(to);
    message["headers"] = std::move(headers);
    message["variables"] = std::move(user);
    message["options"] = std::move(options);
    return message;
}

}  // namespace fanfare::sim
