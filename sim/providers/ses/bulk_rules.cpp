#include "sim/providers/ses/bulk_rules.hpp"

#include "sim/http/text.hpp"
#include "sim/providers/mailgun/mailbox.hpp"
#include "sim/providers/sendgrid/mail_rules.hpp"
#include "sim/providers/ses/inline_template.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <unordered_set>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

constexpr std::size_t destinations_max = 50;
constexpr std::size_t template_bytes_max = 500 * 1024;
constexpr std::size_t data_bytes_max = 262'144;
constexpr std::size_t headers_max = 15;

constexpr std::string_view call_fields[] = {"FromEmailAddress",
                                            "FromEmailAddressIdentityArn",
                                            "FeedbackForwardingEmailAddress",
                                            "FeedbackForwardingEmailAddressIdentityArn",
                                            "ReplyToAddresses",
                                            "DefaultEmailTags",
                                            "DefaultContent",
                                            "BulkEmailEntries",
                                            "ConfigurationSetName",
                                            "EndpointId",
                                            "TenantName"};
constexpr std::string_view entry_fields[] = {"Destination", "ReplacementEmailContent",
                                             "ReplacementTags", "ReplacementHeaders"};

SesError bad(std::string text) { return {"BadRequestException", std::move(text), 400}; }

template <std::size_t Size>
std::string unknown_field(const json::object& object, const std::string_view (&known)[Size]) {
    for (const auto& [name, value] : object) {
        const std::string_view key{name};
        if (std::find(std::begin(known), std::end(known), key) == std::end(known)) {
            return std::string{key};
        }
    }
    return {};
}

const json::object* object_at(const json::object* parent, std::string_view name) {
    const auto* value = parent == nullptr ? nullptr : parent->if_contains(name);
    return value == nullptr ? nullptr : value->if_object();
}

bool is_tag_text(std::string_view text) {
    return !text.empty() && text.size() <= 256 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '_' || c == '-';
    });
}

bool is_header(std::string_view name, std::string_view value) {
    const auto is_printable = [](char c) { return c >= ' ' && c < '\x7f'; };
    return !name.empty() && name.size() <= 126 && !value.empty() && value.size() <= 995 &&
           name.size() + value.size() <= 996 && name.find(':') == name.npos &&
           std::all_of(name.begin(), name.end(), is_printable) &&
           std::all_of(value.begin(), value.end(), is_printable);
}

// A list of {Name, Value}, tags or headers.
bool check_pairs(const json::object& parent, std::string_view list,
                 bool (*is_good)(std::string_view, std::string_view)) {
    const auto* value = parent.if_contains(list);
    if (value == nullptr) return true;
    const auto* pairs = value->if_array();
    if (pairs == nullptr || pairs->size() > headers_max) return false;
    return std::all_of(pairs->begin(), pairs->end(), [is_good](const json::value& pair) {
        const auto* object = pair.if_object();
        return object != nullptr && is_good(text_at(*object, "Name"), text_at(*object, "Value"));
    });
}

bool is_tag(std::string_view name, std::string_view value) {
    return is_tag_text(name) && is_tag_text(value);
}

// The slots of the inline template of the call.
SesError check_template(const json::object& call, std::unordered_set<std::string>& slots) {
    const auto* shared = object_at(object_at(&call, "DefaultContent"), "Template");
    const auto* content = object_at(shared, "TemplateContent");
    if (content == nullptr) {
        const bool is_stored = shared != nullptr && !text_at(*shared, "TemplateName").empty();
        if (!is_stored) return bad("Template is required");
        return {"NotFoundException", "Template does not exist", 404};
    }
    const bool has_body = !text_at(*content, "Text").empty() || !text_at(*content, "Html").empty();
    if (text_at(*content, "Subject").empty() || !has_body) {
        return bad("TemplateContent must have Subject, and Text or Html");
    }
    std::size_t bytes = 0;
    for (const std::string_view part : {"Subject", "Text", "Html"}) {
        const auto text = text_at(*content, part);
        bytes += text.size();
        if (!collect_slots(text, slots)) return bad(fmt::format("{} is no template", part));
    }
    if (text_at(*content, "Subject").find_first_of("\r\n") != std::string_view::npos) {
        return bad("Subject must be one line");
    }
    return bytes > template_bytes_max ? bad("Template is too large") : SesError{};
}

// Addresses of an entry that are good, and what is wrong with it otherwise.
EntryFault check_destination(const json::object& entry, std::uint32_t place, Checked& checked,
                             std::size_t& destinations) {
    const auto* destination = object_at(&entry, "Destination");
    if (destination == nullptr) return {"INVALID_PARAMETER", "Destination is required"};
    std::size_t visible = 0;
    std::vector<std::string_view> addresses;
    for (const std::string_view list : {"ToAddresses", "CcAddresses", "BccAddresses"}) {
        const auto* value = destination->if_contains(list);
        const auto* entries = value == nullptr ? nullptr : value->if_array();
        if (entries == nullptr) continue;
        for (const auto& one : *entries) {
            ++destinations;
            const auto* text = one.if_string();
            const auto address =
                text == nullptr ? std::string_view{} : address_of_mailbox(std::string_view{*text});
            if (address.empty()) return {"INVALID_PARAMETER", "Missing final '@domain'"};
            if (list != "BccAddresses") ++visible;
            addresses.push_back(address);
        }
    }
    if (addresses.empty()) return {"INVALID_PARAMETER", "Recipient count is zero"};
    checked.leak = checked.leak || visible > 1;
    for (const auto address : addresses) {
        checked.recipients.push_back(checked.keep(address));
        checked.places.push_back(place);
    }
    return {};
}

// Whether the entry has a value for each slot; nothing where its data is not JSON.
std::optional<bool> is_filled(const json::object& entry,
                              const std::unordered_set<std::string>& slots) {
    const auto* content =
        object_at(object_at(&entry, "ReplacementEmailContent"), "ReplacementTemplate");
    if (content == nullptr) return slots.empty();
    const auto text = text_at(*content, "ReplacementTemplateData");
    boost::system::error_code error;
    const auto data = json::parse(text, error);
    if (error || !data.is_object() || text.size() > data_bytes_max) return std::nullopt;
    return std::all_of(slots.begin(), slots.end(), [&data](const std::string& slot) {
        const auto* value = data.get_object().if_contains(slot);
        return value != nullptr && value->is_string();
    });
}

SesError check_entries(const json::object& call, const std::unordered_set<std::string>& slots,
                       Checked& checked, std::vector<EntryFault>& faults) {
    const auto* value = call.if_contains("BulkEmailEntries");
    const auto* entries = value == nullptr ? nullptr : value->if_array();
    if (entries == nullptr || entries->empty()) return bad("BulkEmailEntries is required");
    std::size_t destinations = 0;
    for (std::uint32_t i = 0; i < entries->size(); ++i) {
        const auto* entry = (*entries)[i].if_object();
        if (entry == nullptr) return {"SerializationException", "an entry must be an object"};
        if (const auto name = unknown_field(*entry, entry_fields); !name.empty()) {
            return {"SerializationException", "unknown field " + name};
        }
        if (!check_pairs(*entry, "ReplacementTags", is_tag)) return bad("Invalid email tag");
        if (!check_pairs(*entry, "ReplacementHeaders", is_header)) return bad("Invalid header");
        const auto filled = is_filled(*entry, slots);
        auto fault = check_destination(*entry, i, checked, destinations);
        if (!filled) fault = {"INVALID_PARAMETER", "Invalid replacement template data"};
        if (filled && !*filled) ++checked.unfilled;
        faults.push_back(std::move(fault));
    }
    if (destinations > destinations_max) {
        return {"MessageRejected", "Recipient count exceeds 50.", 400};
    }
    return {};
}

// "<job>_<chunk>_<position>_<tag>" of the first entry, as "<job>.<chunk>...."
void keep_reference(const json::object& call, Checked& checked) {
    const auto& entry = call.at("BulkEmailEntries").as_array().front().as_object();
    const auto* tags = entry.if_contains("ReplacementTags");
    if (tags == nullptr) return;
    for (const auto& tag : tags->as_array()) {
        if (text_at(tag.as_object(), "Name") != "fanfare") continue;
        std::string reference{text_at(tag.as_object(), "Value")};
        int dots = 0;
        for (auto& c : reference) {
            if (c == '_' && ++dots <= 3) c = '.';
        }
        checked.reference = checked.keep(reference);
    }
}

}  // namespace

SesError check_bulk(const json::object& call, Checked& checked, std::vector<EntryFault>& faults) {
    if (const auto name = unknown_field(call, call_fields); !name.empty()) {
        return {"SerializationException", "unknown field " + name};
    }
    if (address_of_mailbox(text_at(call, "FromEmailAddress")).empty() ||
        !is_ascii(text_at(call, "FromEmailAddress"))) {
        return bad("FromEmailAddress is not valid");
    }
    const auto set = text_at(call, "ConfigurationSetName");
    if (call.contains("ConfigurationSetName") && (!is_tag_text(set) || set.size() > 64)) {
        return bad("ConfigurationSetName is not valid");
    }
    if (!check_pairs(call, "DefaultEmailTags", is_tag)) return bad("Invalid email tag");
    std::unordered_set<std::string> slots;
    auto error = check_template(call, slots);
    if (error.type.empty()) error = check_entries(call, slots, checked, faults);
    if (error.type.empty()) keep_reference(call, checked);
    return error;
}

}  // namespace fanfare::sim
