#include "core/providers/options.hpp"

#include "core/domain/number.hpp"
#include "core/settings/text_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare {
bool is_api_url(std::string_view text, bool allow_http) { return is_base_url(text, allow_http); }

OptionReader::OptionReader(const AccountSettings& account, std::span<const OptionDoc> docs)
    : account_{account}, docs_{docs} {
    find_unknown();
    find_missing();
}

const OptionDoc* OptionReader::find(std::string_view name) const noexcept {
    const auto found = std::find_if(docs_.begin(), docs_.end(),
                                    [name](const OptionDoc& doc) { return doc.name == name; });
    return found == docs_.end() ? nullptr : &*found;
}

void OptionReader::find_unknown() {
    std::string known;
    for (const auto& doc : docs_) known.append(known.empty() ? "" : ", ").append(doc.name);
    for (const auto& [name, value] : account_.options) {
        const auto* const doc = find(name);
        if (doc == nullptr) {
            // The value of an unknown key may be a secret under a misspelt name.
            add(name, "", fmt::format("one of {}", known));
        } else if (doc->secret) {
            add(name, "", "{env: NAME} or {file: PATH}, not the secret itself");
        }
    }
    for (const auto& [name, value] : account_.secrets) {
        if (find(name) == nullptr) add(name, "", fmt::format("one of {}", known));
    }
}

void OptionReader::find_missing() {
    for (const auto& doc : docs_) {
        const bool in_clear = doc.secret && account_.options.contains(std::string{doc.name});
        if (doc.required && !in_clear && text(doc.name).empty()) {
            add(doc.name, "", std::string{doc.doc});
        }
    }
}

std::string OptionReader::text(std::string_view name) const {
    const std::string key{name};
    if (const auto secret = account_.secrets.find(key); secret != account_.secrets.end()) {
        return secret->second.reveal();
    }
    const auto* const doc = find(name);
    const bool may_be_in_clear = doc != nullptr && !doc->secret;
    if (const auto option = account_.options.find(key);
        may_be_in_clear && option != account_.options.end()) {
        return option->second;
    }
    return doc == nullptr ? std::string{} : std::string{doc->default_value};
}

std::string OptionReader::url(std::string_view name) {
    auto value = text(name);
    while (value.ends_with('/')) value.pop_back();
    require(name, is_api_url(value, account_.allow_http),
            "https://host[:port] without query; http:// only with allow_http and a loopback host");
    return value;
}

std::uint32_t OptionReader::whole(std::string_view name, std::uint32_t min, std::uint32_t max) {
    const auto number = parse_number<std::uint32_t>(text(name));
    const bool good = number && *number >= min && *number <= max;
    require(name, good, fmt::format("a whole number from {} to {}", min, max));
    return good ? *number : min;
}

void OptionReader::refuse(std::string_view name, std::string expected) {
    const auto option = account_.options.find(std::string{name});
    const auto* const doc = find(name);
    const bool may_show = option != account_.options.end() && doc != nullptr && !doc->secret;
    add(name, may_show ? option->second : std::string{}, std::move(expected));
}

void OptionReader::require(std::string_view name, bool good, std::string expected) {
    if (!good && has(name)) refuse(name, std::move(expected));
}

std::size_t OptionReader::batch_max(std::size_t provider_max) {
    if (account_.batch_max > provider_max) {
        add("batch_max", std::to_string(account_.batch_max),
            fmt::format("a whole number from 1 to {}, or 0 for the most", provider_max));
    }
    return account_.batch_max == 0 ? provider_max
                                   : std::min<std::size_t>(account_.batch_max, provider_max);
}

void OptionReader::require_channel(Channel channel) {
    if (account_.channel == channel) return;
    add("channel", std::string{to_string(account_.channel)}, std::string{to_string(channel)});
}

void OptionReader::add(std::string_view name, std::string value, std::string expected) {
    problems_.push_back({.file = account_.file,
                         .line = account_.line,
                         .key = fmt::format("{}.{}", account_.key, name),
                         .value = std::move(value),
                         .expected = std::move(expected)});
}

}  // namespace fanfare
