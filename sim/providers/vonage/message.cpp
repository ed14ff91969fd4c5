#include "sim/providers/vonage/message.hpp"

#include "core/reference/compact.hpp"
#include "sim/http/text.hpp"
#include "sim/providers/twilio/sms_text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::size_t form_text_max = 3'200;
constexpr std::size_t form_reference_max = 40;
constexpr std::size_t callback_max = 100;
constexpr std::size_t json_text_max = 1'000;
constexpr std::size_t json_reference_max = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_number(std::string_view text) {
    return text.size() >= 7 && text.size() <= 15 && std::all_of(text.begin(), text.end(), is_digit);
}

bool is_sender(std::string_view text) {
    if (text.empty()) return false;
    if (std::all_of(text.begin(), text.end(), is_digit)) return text.size() <= 15;
    return text.size() <= 11 && std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter(c) || is_digit(c) || c == ' ';
           });
}

bool is_url(std::string_view text) {
    return text.starts_with("https://") || text.starts_with("http://");
}

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

bool is_within(std::string_view text, std::int64_t min, std::int64_t max) {
    const auto number = whole_number(text);
    return number && *number >= min && *number <= max;
}

/// One optional field of the form: the status, 0 when all is well.
int check_extra(const Field& field) {
    const auto& [name, value] = field;
    if (name == "type") return value == "text" || value == "unicode" ? 0 : 3;
    if (name == "ttl") return is_within(value, 20'000, 604'800'000) ? 0 : 3;
    if (name == "message-class") return is_within(value, 0, 3) ? 0 : 3;
    if (name == "client-ref") return value.size() <= form_reference_max ? 0 : 3;
    if (name == "callback") return is_url(value) && value.size() <= callback_max ? 0 : 23;
    if (name == "status-report-req") {
        return value == "true" || value == "false" || value == "1" || value == "0" ? 0 : 3;
    }
    return 0;
}

/// The string under `name`; nothing where there is another kind of value.
std::optional<std::string> get_text(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    if (value == nullptr) return "";
    if (!value->is_string()) return std::nullopt;
    return std::string{value->get_string()};
}

std::string unknown_name(const json::object& body) {
    for (const auto& entry : body) {
        const std::string_view name{entry.key()};
        const bool known = name == "message_type" || name == "channel" || name == "from" ||
                           name == "to" || name == "text" || name == "client_ref" ||
                           name == "ttl" || name == "webhook_url" || name == "webhook_version" ||
                           name == "sms" || name == "failover";
        if (!known) return std::string{name};
    }
    return {};
}

VonageProblem check_options(const json::object& body, VonageMessage& message) {
    if (const auto* ttl = body.if_contains("ttl")) {
        const bool good = ttl->is_int64() && ttl->get_int64() >= 20 && ttl->get_int64() <= 604'800;
        if (!good) return {"1130", "ttl"};
    }
    const auto version = get_text(body, "webhook_version");
    if (!version || (!version->empty() && *version != "v1" && *version != "v0.1")) {
        return {"1020", "webhook_version"};
    }
    if (const auto* sms = body.if_contains("sms")) {
        if (!sms->is_object()) return {"1020", "sms"};
        const auto encoding = get_text(sms->get_object(), "encoding_type");
        if (!encoding || (!encoding->empty() && *encoding != "text" && *encoding != "unicode" &&
                          *encoding != "auto")) {
            return {"1020", "sms.encoding_type"};
        }
        message.unicode = *encoding != "text";
    } else {
        message.unicode = true;  // "auto"
    }
    return {};
}

}  // namespace

int read_vonage_form(const std::vector<Field>& fields, VonageMessage& message) {
    for (const auto& field : fields) {
        if (const auto status = check_extra(field); status != 0) return status;
        if (field.name == "to") message.to = field.value;
        if (field.name == "from") message.from = field.value;
        if (field.name == "text") message.text = field.value;
        if (field.name == "client-ref") message.reference = field.value;
        if (field.name == "callback") message.callback = field.value;
        if (field.name == "type") message.unicode = field.value == "unicode";
    }
    if (message.to.empty() || message.from.empty() || message.text.empty()) return 2;
    if (!is_number(message.to) || !is_sender(message.from)) return 3;
    if (!is_valid_utf8(message.text)) return 3;
    return count_characters(message.text) > form_text_max ? 12 : 0;
}

VonageProblem read_vonage_json(const json::object& body, VonageMessage& message) {
    if (auto name = unknown_name(body); !name.empty()) return {"1020", std::move(name)};
    const std::pair<std::string_view, std::string*> wanted[] = {{"from", &message.from},
                                                                {"to", &message.to},
                                                                {"text", &message.text},
                                                                {"client_ref", &message.reference},
                                                                {"webhook_url", &message.callback}};
    for (const auto& [name, value] : wanted) {
        auto text = get_text(body, name);
        if (!text) return {"1020", std::string{name}};
        *value = *std::move(text);
    }
    if (get_text(body, "message_type") != "text") return {"1020", "message_type"};
    if (get_text(body, "channel") != "sms") return {"1020", "channel"};
    if (message.from.empty() || message.text.empty()) return {"1010", "from and text"};
    if (!is_number(message.to)) return {"1170", "to"};
    if (!is_sender(message.from)) return {"1120", "from"};
    if (count_characters(message.text) > json_text_max) return {"1090", "text"};
    if (message.reference.size() > json_reference_max) return {"1020", "client_ref"};
    if (!message.callback.empty() && !is_url(message.callback)) return {"1020", "webhook_url"};
    return check_options(body, message);
}

std::string shown_text(const VonageMessage& message) {
    if (message.unicode) return message.text;
    std::string shown;
    for (std::size_t at = 0; at < message.text.size();) {
        auto end = at + 1;
        while (end < message.text.size() && (message.text[end] & 0xc0) == 0x80) ++end;
        const auto character = std::string_view{message.text}.substr(at, end - at);
        shown.append(is_gsm(character) ? character : "?");
        at = end;
    }
    return shown;
}

std::string whole_reference(std::string_view reference) {
    return expand_reference(reference).value_or(std::string{reference});
}

}  // namespace fanfare::sim
