#include "cli/job_flags.hpp"

#include "core/audience/clean.hpp"
#include "core/web/text.hpp"
#include "core/wire/csv_reader.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace fanfare::cli {
namespace {

namespace json = boost::json;

/// Reads "name=value" pairs into an object; the first fault, if any.
std::optional<FlagFault> read_pairs(const std::vector<std::string>& pairs, const char* flag,
                                    json::object& object) {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        const auto& pair = pairs[i];
        const auto sign = pair.find('=');
        if (sign == std::string::npos || sign == 0) {
            return FlagFault{
                fmt::format("{} number {} has no \"=\": write name=value", flag, i + 1)};
        }
        const auto name = pair.substr(0, sign);
        if (!object.emplace(name, pair.substr(sign + 1)).second) {
            return FlagFault{
                fmt::format("{} number {} gives a name that was given before", flag, i + 1)};
        }
    }
    return std::nullopt;
}

json::array to_json_array(const std::vector<std::string>& texts) {
    return json::array(texts.begin(), texts.end());
}

std::optional<FlagFault> read_texts(const JobFlags& flags, json::object& message) {
    struct Flag {
        const char* name;
        const char* field;
        const std::optional<std::string>& text;
    };
    const std::array<Flag, 6> all{{{"--key", "idempotency_key", flags.key},
                                   {"--system", "system", flags.system},
                                   {"--kind", "kind", flags.kind},
                                   {"--subject", "subject", flags.subject},
                                   {"--lane", "lane", flags.lane},
                                   {"--expires-at", "expires_at", flags.expires_at}}};
    for (const auto& [name, field, text] : all) {
        if (!text) continue;
        if (text->empty()) return FlagFault{fmt::format("{} is given, but empty", name)};
        message[field] = *text;
    }
    return std::nullopt;
}

std::optional<FlagFault> read_audience(const JobFlags& flags, json::object& message) {
    json::object audience;
    if (flags.audience) audience["name"] = *flags.audience;
    auto ids = split_list(flags.recipients.value_or(""));
    if (flags.recipients && ids.empty()) return FlagFault{"--recipients names nobody"};
    ids.insert(ids.end(), flags.recipient.begin(), flags.recipient.end());
    ids.insert(ids.end(), flags.recipient_ids.begin(), flags.recipient_ids.end());
    if (!ids.empty()) audience["recipients"] = to_json_array(ids);
    json::object params;
    if (auto fault = read_pairs(flags.params, "--param", params)) return fault;
    if (!params.empty()) audience["params"] = std::move(params);
    if (!audience.empty()) message["audience"] = std::move(audience);
    return std::nullopt;
}

std::string trimmed(std::string_view text) { return std::string{without_unseen_around(text)}; }

/// "User ID", "userId", "user-id" and "user_id" are one word.
std::string heading_word(std::string_view field) {
    std::string word;
    for (const char c : lower(field)) {
        const bool is_kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        const bool may_go = c == ' ' || c == '_' || c == '-' || c == '.' || c == '#';
        if (!is_kept && !may_go) return {};
        if (is_kept) word.push_back(c);
    }
    return word;
}

/// Which column of a heading holds the ids; none when the line is no heading.
std::optional<std::size_t> id_column(const std::vector<std::string>& fields) {
    constexpr std::array names{"recipientid", "recipient",    "userid",    "personid",
                               "memberid",    "followerid",   "contactid", "accountid",
                               "customerid",  "subscriberid", "uid",       "uuid",
                               "id"};
    for (const std::string_view name : names) {
        for (std::size_t i = 0; i < fields.size(); ++i) {
            const auto word = heading_word(trimmed(fields[i]));
            const bool is_plural = word.ends_with('s') && word.substr(0, word.size() - 1) == name;
            if (word == name || is_plural) return i;
        }
    }
    return std::nullopt;
}

/// Whether a text has a line end of any kind within.
bool has_line_end(std::string_view text) {
    constexpr std::array<std::string_view, 7> ends{"\n",       "\r",           "\v",          "\f",
                                                   "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"};
    return std::any_of(ends.begin(), ends.end(), [text](std::string_view end) {
        return text.find(end) != std::string_view::npos;
    });
}

}  // namespace

bool lists_ids(const std::string& argument) {
    constexpr std::array beginnings{"/", "./", "../", "~/"};
    constexpr std::array endings{".csv", ".txt", ".tsv"};
    const bool names_a_file =
        std::any_of(beginnings.begin(), beginnings.end(),
                    [&](const char* each) { return argument.starts_with(each); }) ||
        std::any_of(endings.begin(), endings.end(),
                    [&](const char* each) { return argument.ends_with(each); });
    return !names_a_file && argument.find_first_of(",\n") != std::string::npos;
}

std::variant<std::vector<std::string>, FlagFault> read_recipients(std::istream& in) {
    std::vector<std::string> ids;
    std::vector<std::string> fields;
    CsvReader reader{in};
    std::size_t column = 0;
    std::size_t records = 0;
    bool has_heading = false;
    bool is_wide = false;
    while (reader.next(fields)) {
        if (++records == 1) {
            is_wide = fields.size() > 1;
            if (const auto found = id_column(fields)) {
                column = *found;
                has_heading = true;
                continue;
            }
        }
        auto id = column < fields.size() ? trimmed(fields[column]) : std::string{};
        if (id.empty()) return FlagFault{fmt::format("line {}: no recipient id", reader.line())};
        if (has_line_end(id)) {
            return FlagFault{fmt::format("line {}: a line end within an id", reader.line())};
        }
        ids.push_back(std::move(id));
    }
    if (!reader.fault().empty()) {
        return FlagFault{fmt::format("line {}: {}", reader.line(), reader.fault())};
    }
    if (ids.empty()) return FlagFault{"no recipient id in it"};
    // Of "a,b,c" in a file only a would be told.
    if (records == 1 && is_wide && !has_heading) {
        return FlagFault{"line 1: several columns and no heading; write one id a line"};
    }
    return ids;
}

std::vector<std::string> split_list(const std::string& text) {
    constexpr std::array<std::string_view, 6> ends{"\n",       "\r",           ",",
                                                   "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"};
    std::vector<std::string> items;
    for (std::string_view rest{text}; !rest.empty();) {
        std::size_t at = rest.size();
        std::size_t length = 0;
        for (const auto end : ends) {
            if (const auto found = rest.find(end); found < at) {
                at = found;
                length = end.size();
            }
        }
        if (auto item = trimmed(rest.substr(0, at)); !item.empty())
            items.push_back(std::move(item));
        rest.remove_prefix(at + length);
    }
    return items;
}

std::variant<std::string, FlagFault> job_message(const JobFlags& flags) {
    json::object message{{"version", 1}, {"source", "cli"}};
    if (auto fault = read_texts(flags, message)) return *fault;
    if (flags.ttl_s) message["ttl_s"] = *flags.ttl_s;
    if (auto fault = read_audience(flags, message)) return *fault;
    json::array channels;
    for (const auto& list : flags.channels) {
        for (const auto& channel : split_list(list)) channels.emplace_back(channel);
    }
    if (channels.empty() && !flags.channels.empty()) return FlagFault{"--channel names none"};
    if (!channels.empty()) message["channels"] = std::move(channels);
    json::object data;
    if (auto fault = read_pairs(flags.data, "--data", data)) return *fault;
    if (!data.empty()) message["data"] = std::move(data);
    return json::serialize(message);
}

}  // namespace fanfare::cli
