#include "sim/providers/sendgrid/mail_rules.hpp"

#include "sim/http/text.hpp"
#include "sim/providers/mailgun/mailbox.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <unordered_set>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

using Errors = std::vector<SendGridError>;

constexpr std::size_t recipients_max = 1'000;
constexpr std::size_t object_bytes_max = 10'000;
constexpr std::size_t substitutions_max = 150;
constexpr std::int64_t schedule_max_s = 72 * 3600;

constexpr std::string_view mail_fields[] = {
    "personalizations", "from",        "reply_to",     "reply_to_list",
    "subject",          "content",     "headers",      "categories",
    "custom_args",      "attachments", "template_id",  "send_at",
    "batch_id",         "asm",         "ip_pool_name", "mail_settings",
    "tracking_settings"};
constexpr std::string_view person_fields[] = {
    "to",      "cc",      "bcc",           "from",        "subject",
    "headers", "send_at", "substitutions", "custom_args", "dynamic_template_data"};
constexpr std::string_view reserved_headers[] = {"x-sg-id",      "x-sg-eid",
                                                 "received",     "dkim-signature",
                                                 "content-type", "content-transfer-encoding",
                                                 "to",           "from",
                                                 "subject",      "reply-to",
                                                 "cc",           "bcc"};

template <std::size_t Size>
void check_names(const json::object& object, const std::string_view (&known)[Size],
                 const std::string& path, Errors& errors) {
    for (const auto& [name, value] : object) {
        const std::string_view key{name};
        if (std::find(std::begin(known), std::end(known), key) == std::end(known)) {
            errors.push_back({"Additional properties are not allowed", path + std::string{key}});
        }
    }
}

// An object of strings within its bounds.
void check_strings(const json::object& parent, const std::string& path, std::string_view name,
                   std::size_t entries_max, Errors& errors) {
    const auto* value = parent.if_contains(name);
    if (value == nullptr) return;
    const auto field = fmt::format("{}{}", path, name);
    if (!value->is_object()) return errors.push_back({"The value must be an object", field});
    std::size_t bytes = 0;
    for (const auto& [key, member] : value->get_object()) {
        if (!member.is_string()) return errors.push_back({"The values must be strings", field});
        bytes += key.size() + member.get_string().size();
    }
    if (bytes > object_bytes_max || value->get_object().size() > entries_max) {
        errors.push_back({"The value is too large", field});
    }
}

void check_headers(const json::object& parent, const std::string& path, Errors& errors) {
    check_strings(parent, path, "headers", 1'000, errors);
    const auto* headers = parent.if_contains("headers");
    if (headers == nullptr || !headers->is_object()) return;
    for (const auto& [name, value] : headers->get_object()) {
        const std::string_view key{name};
        const bool is_reserved = std::any_of(
            std::begin(reserved_headers), std::end(reserved_headers),
            [&](std::string_view reserved) { return equal_ignoring_case(reserved, key); });
        const bool is_line =
            value.is_string() &&
            std::string_view{value.get_string()}.find_first_of("\r\n") == std::string_view::npos;
        if (key.empty() || is_reserved || !is_ascii(key) || !is_line) {
            errors.push_back({"The header cannot be set", path + "headers"});
        }
    }
}

void check_send_at(const json::object& parent, const std::string& path, std::int64_t now_s,
                   Errors& errors) {
    const auto* value = parent.if_contains("send_at");
    if (value == nullptr) return;
    if (!value->is_int64() || value->get_int64() > now_s + schedule_max_s) {
        errors.push_back({"send_at must be at most 72 hours ahead", path + "send_at"});
    }
}

bool is_address_object(const json::value& value) {
    const auto* object = value.if_object();
    if (object == nullptr) return false;
    const auto email = text_at(*object, "email");
    return !email.empty() && address_of_mailbox(email) == email;
}

/// Everyone of all personalizations, and what they are told apart by.
struct People {
    Checked& checked;
    std::unordered_set<std::string_view> tags{};  // All substitutions of the call.
    std::vector<std::size_t> tag_counts{};        // By personalization.
    std::size_t total = 0;                        // cc and bcc included.
};

void check_people(const json::object& person, std::uint32_t place, const std::string& path,
                  People& people, Errors& errors) {
    std::unordered_set<std::string_view> seen;
    std::size_t visible = 0;
    for (const std::string_view list : {"to", "cc", "bcc"}) {
        const auto* value = person.if_contains(list);
        if (value == nullptr && list != "to") continue;
        const auto* entries = value == nullptr ? nullptr : value->if_array();
        if (entries == nullptr || entries->empty()) {
            errors.push_back({fmt::format("The {} array is required", list), path + "to"});
            continue;
        }
        for (std::size_t i = 0; i < entries->size(); ++i) {
            const auto field = fmt::format("{}{}.{}.email", path, list, i);
            ++people.total;
            if (!is_address_object((*entries)[i])) {
                errors.push_back({"Does not contain a valid address.", field});
                continue;
            }
            const auto email = text_at((*entries)[i].get_object(), "email");
            if (!seen.insert(email).second) {
                errors.push_back(
                    {"Each email address in the personalization block should be "
                     "unique between to, cc, and bcc.",
                     field});
            }
            if (list != "bcc") ++visible;
            people.checked.recipients.push_back(people.checked.keep(email));
            people.checked.places.push_back(place);
        }
    }
    people.checked.leak = people.checked.leak || visible > 1;
}

void check_person(const json::value& value, std::uint32_t place, std::int64_t now_s, People& people,
                  Errors& errors) {
    const auto path = fmt::format("personalizations.{}.", place);
    const auto* person = value.if_object();
    if (person == nullptr) {
        return errors.push_back({"must be an object", path.substr(0, path.size() - 1)});
    }
    check_names(*person, person_fields, path, errors);
    check_people(*person, place, path, people, errors);
    check_strings(*person, path, "substitutions", substitutions_max, errors);
    check_strings(*person, path, "custom_args", 1'000, errors);
    check_headers(*person, path, errors);
    check_send_at(*person, path, now_s, errors);
    const auto* tags = person->if_contains("substitutions");
    const bool has_tags = tags != nullptr && tags->is_object();
    people.tag_counts.push_back(has_tags ? tags->get_object().size() : 0);
    if (!has_tags) return;
    for (const auto& [tag, text] : tags->get_object()) people.tags.insert(std::string_view{tag});
}

void check_content(const json::object& mail, Errors& errors) {
    const auto* value = mail.if_contains("content");
    if (value == nullptr && mail.contains("template_id")) return;
    const auto* content = value == nullptr ? nullptr : value->if_array();
    if (content == nullptr || content->empty()) {
        return errors.push_back({"The content array is required", "content"});
    }
    std::string_view last;
    for (std::size_t i = 0; i < content->size(); ++i) {
        const auto* part = (*content)[i].if_object();
        const auto type = part == nullptr ? std::string_view{} : text_at(*part, "type");
        if (type.empty()) {
            errors.push_back({"The content type is required", fmt::format("content.{}.type", i)});
        } else if (text_at(*part, "value").empty()) {
            errors.push_back(
                {"The content value must be a string at least one character in length.",
                 fmt::format("content.{}.value", i)});
        }
        if (type == "text/plain" && !last.empty()) {
            errors.push_back({"text/plain must come first", fmt::format("content.{}.type", i)});
        }
        last = type;
    }
}

void check_subject(const json::object& mail, const json::array& people, Errors& errors) {
    if (!text_at(mail, "subject").empty() || mail.contains("template_id")) return;
    const bool all_have_one = std::all_of(people.begin(), people.end(), [](const json::value& p) {
        return p.is_object() && !text_at(p.get_object(), "subject").empty();
    });
    if (!all_have_one) errors.push_back({"The subject is required.", "subject"});
}

void check_categories(const json::object& mail, Errors& errors) {
    const auto* value = mail.if_contains("categories");
    if (value == nullptr) return;
    const auto* list = value->if_array();
    std::unordered_set<std::string_view> seen;
    bool good = list != nullptr && list->size() <= 10;
    for (std::size_t i = 0; good && i < list->size(); ++i) {
        const auto* text = (*list)[i].if_string();
        good = text != nullptr && is_ascii(*text) && text->size() <= 255 &&
               seen.insert(std::string_view{*text}).second;
    }
    if (!good) errors.push_back({"The categories are not valid", "categories"});
}

void check_fixed(const json::object& mail, std::int64_t now_s, Errors& errors) {
    check_names(mail, mail_fields, "", errors);
    const auto* from = mail.if_contains("from");
    if (from == nullptr || !is_address_object(*from)) {
        errors.push_back({"The from email does not contain a valid address.", "from.email"});
    }
    if (const auto* pool = mail.if_contains("ip_pool_name")) {
        const auto size = pool->is_string() ? pool->get_string().size() : 0;
        if (size < 2 || size > 64) errors.push_back({"2 to 64 characters", "ip_pool_name"});
    }
    for (const std::string_view name : {"mail_settings", "tracking_settings", "asm"}) {
        const auto* value = mail.if_contains(name);
        if (value != nullptr && !value->is_object()) {
            errors.push_back({"The value must be an object", std::string{name}});
        }
    }
    check_strings(mail, "", "custom_args", 1'000, errors);
    check_headers(mail, "", errors);
    check_send_at(mail, "", now_s, errors);
    check_categories(mail, errors);
}

}  // namespace

std::string_view text_at(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value == nullptr || !value->is_string() ? std::string_view{}
                                                   : std::string_view{value->get_string()};
}

Errors check_mail(const json::object& mail, std::int64_t now_s, Checked& checked) {
    Errors errors;
    check_fixed(mail, now_s, errors);
    check_content(mail, errors);
    const auto* value = mail.if_contains("personalizations");
    const auto* list = value == nullptr ? nullptr : value->if_array();
    if (list == nullptr || list->empty() || list->size() > recipients_max) {
        errors.push_back(
            {"The personalizations field is required and must have at least one and "
             "no more than 1000 personalizations.",
             "personalizations"});
        return errors;
    }
    check_subject(mail, *list, errors);
    People people{checked};
    for (std::uint32_t i = 0; i < list->size(); ++i) {
        check_person((*list)[i], i, now_s, people, errors);
    }
    if (people.total > recipients_max) {
        errors.push_back({"There must be at most 1000 recipients", "personalizations"});
    }
    for (const auto count : people.tag_counts) {
        if (count < people.tags.size()) ++checked.unfilled;
    }
    return errors;
}

}  // namespace fanfare::sim
