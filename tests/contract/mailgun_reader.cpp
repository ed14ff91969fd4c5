#include "tests/contract/wire_reader.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <set>

namespace fanfare::testing {
namespace {

using Parts = std::vector<std::pair<std::string, std::string>>;

/// Mailgun's own words. Replaced first, which is the worst order for whoever wants such a
/// word to come out as typed.
std::string replace_own_words(std::string text) {
    for (const std::string word : {"%unsubscribe_url%", "%tag_unsubscribe_url%",
                                   "%mailing_list_unsubscribe_url%", "%unsubscribe_email%"}) {
        for (auto at = text.find(word); at != std::string::npos; at = text.find(word)) {
            text.replace(at, word.size(), "<<own word>>");
        }
    }
    return text;
}

/// One pass from left to right; an unknown key becomes nothing.
std::string replace_variables(std::string_view text, const boost::json::object& values) {
    constexpr std::string_view lead = "%recipient.";
    std::string out;
    while (!text.empty()) {
        const auto begin = text.find(lead);
        const auto end =
            begin == std::string_view::npos ? begin : text.find('%', begin + lead.size());
        if (end == std::string_view::npos) break;
        out.append(text.substr(0, begin));
        const auto key = text.substr(begin + lead.size(), end - begin - lead.size());
        if (const auto* const found = values.if_contains({key.data(), key.size()})) {
            out.append(found->as_string());
        }
        text.remove_prefix(end + 1);
    }
    return out.append(text);
}

bool holds_word(std::string_view value) {
    const auto is_letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
    const auto percent = value.find('%');
    return percent != std::string_view::npos && percent + 1 < value.size() &&
           is_letter(value[percent + 1]);
}

/// Why the table would be refused or misread; "" if it is sound.
std::string fault_of(const boost::json::object& table) {
    for (const auto& [address, entry] : table) {
        if (!entry.is_object()) return "entry is no object";
        for (const auto& [key, value] : entry.get_object()) {
            if (!value.is_string()) return "value is no string";
            const auto& text = value.get_string();
            if (holds_word({text.data(), text.size()})) return "a value holds a template word";
        }
    }
    return "";
}

Reading without_table(const Parts& parts, const std::vector<std::string>& addresses) {
    // Everyone is in one To header.
    Reading reading;
    std::string all;
    for (const auto& address : addresses) all += address + ", ";
    for (const auto& address : addresses) {
        Delivery delivery{address, {parts.begin(), parts.end()}};
        delivery.seen["to"] = all;
        reading.deliveries.push_back(std::move(delivery));
    }
    return reading;
}

}  // namespace

Parts read_multipart(const HttpRequest& request) {
    const auto type = header(request, "Content-Type");
    const std::string lead = "multipart/form-data; boundary=";
    if (!type.starts_with(lead)) return {};
    const auto delimiter = "--" + type.substr(lead.size());
    std::string_view body = request.body;
    if (!body.starts_with(delimiter + "\r\n")) return {};
    body.remove_prefix(delimiter.size());
    Parts parts;
    while (body != "--\r\n") {
        const std::string start = "\r\nContent-Disposition: form-data; name=\"";
        const auto next = body.find("\r\n" + delimiter);
        const auto blank = body.find("\"\r\n\r\n");
        if (!body.starts_with(start) || next == std::string_view::npos || blank > next) return {};
        const auto value = body.substr(blank + 5, next - blank - 5);
        // A lenient parser would also end a part at a lone CR or LF before a delimiter.
        if (value.find('\r') != std::string_view::npos) return {};
        parts.emplace_back(body.substr(start.size(), blank - start.size()), value);
        body.remove_prefix(next + 2 + delimiter.size());
    }
    return parts;
}

Reading read_mailgun(const HttpRequest& request) {
    const auto parts = read_multipart(request);
    if (parts.empty()) return {{}, "malformed multipart"};
    std::vector<std::string> addresses;
    Parts shown;
    std::string table_text;
    for (const auto& [name, value] : parts) {
        if (name == "to") {
            addresses.push_back(value);
        } else if (name == "recipient-variables") {
            table_text = value;
        } else {
            shown.emplace_back(name, replace_own_words(value));
        }
    }
    if (table_text.empty()) return without_table(shown, addresses);
    boost::json::error_code error;
    const auto table = boost::json::parse(table_text, error);
    if (error || !table.is_object()) return {{}, "recipient-variables not JSON"};
    if (const auto fault = fault_of(table.get_object()); !fault.empty()) return {{}, fault};
    if (table.get_object().size() !=
        std::set<std::string>(addresses.begin(), addresses.end()).size()) {
        return {{}, "recipient-variables has too many or too few entries"};
    }
    Reading reading;
    for (const auto& address : addresses) {
        const auto* const entry = table.get_object().if_contains(address);
        if (entry == nullptr) return {{}, "an address has no entry in recipient-variables"};
        Delivery delivery{address, {{"to", address}}};
        for (const auto& [name, value] : shown) {
            delivery.seen[name] += replace_variables(value, entry->get_object());
        }
        reading.deliveries.push_back(std::move(delivery));
    }
    return reading;
}

}  // namespace fanfare::testing
