#include "producer/console/view.hpp"

#include "core/rendering/utf8.hpp"
#include "core/wire/timestamp.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>

namespace fanfare::console {
namespace {

namespace json = boost::json;

const json::value* find(const json::object& from, std::string_view name) {
    return from.if_contains({name.data(), name.size()});
}

/// Neither a blank nor a mark without a width.
bool is_seen(char32_t character) {
    const bool is_blank = character <= U' ' || character == U'\u00A0' || character == U'\u3000' ||
                          (character >= U'\u2000' && character <= U'\u200A');
    return !is_blank && !is_ignorable(character);
}

}  // namespace

std::string text_in(const json::object& from, std::string_view name) {
    const auto* const value = find(from, name);
    if (value == nullptr || value->is_null()) return {};
    if (value->is_string()) return {value->get_string().data(), value->get_string().size()};
    return json::serialize(*value);
}

std::int64_t count_in(const json::object& from, std::string_view name) {
    return static_cast<std::int64_t>(number_in(from, name));
}

double number_in(const json::object& from, std::string_view name) {
    const auto* const value = find(from, name);
    if (value == nullptr || !value->is_number()) return 0;
    return value->to_number<double>();
}

bool flag_in(const json::object& from, std::string_view name) {
    const auto* const value = find(from, name);
    return value != nullptr && value->is_bool() && value->get_bool();
}

std::vector<json::object> objects_in(const json::object& from, std::string_view name) {
    std::vector<json::object> objects;
    const auto* const value = find(from, name);
    if (value == nullptr || !value->is_array()) return objects;
    for (const auto& item : value->get_array()) {
        if (item.is_object()) objects.push_back(item.get_object());
    }
    return objects;
}

std::string first_seen(std::initializer_list<std::string> texts) {
    for (const auto& text : texts) {
        for (std::size_t at = 0; at < text.size();) {
            if (is_seen(next_character(text, at))) return text;
        }
    }
    return {};
}

void put(View& into, const std::string& name, const std::string& text) {
    into.set(name, text.empty() ? View{false} : View{text});
}

void put_all(View& into, const json::object& from, std::initializer_list<std::string_view> names) {
    for (const auto name : names) put(into, std::string{name}, text_in(from, name));
}

void put_moment(View& into, const std::string& name, const std::string& iso) {
    if (iso.empty()) {
        into.set(name, View{false});
        return;
    }
    View moment;
    moment.set("iso", iso);
    moment.set("text", moment_text(iso));
    into.set(name, moment);
}

View option_views(std::span<const std::string_view> words, std::string_view chosen) {
    View options{View::type::list};
    for (const auto word : words) {
        View option;
        option.set("value", std::string{word});
        option.set("is_chosen", View{word == chosen});
        options << option;
    }
    return options;
}

std::string grouped(std::int64_t count) {
    auto digits = std::to_string(count);
    const std::size_t sign = count < 0 ? 1 : 0;
    for (auto at = digits.size(); at > 3 + sign;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

std::string moment_text(std::string_view iso) {
    const auto time = parse_timestamp(iso);
    if (!time) return std::string{iso};
    const auto text = format_timestamp(*time);
    return fmt::format("{} {} UTC", text.substr(0, 10), text.substr(11, 5));
}

std::string duration_text(double seconds) {
    const auto whole = static_cast<std::int64_t>(std::ceil(std::max(0.0, seconds)));
    if (whole < 60) return fmt::format("{} s", whole);
    if (whole < 3'600) return fmt::format("{} min {} s", whole / 60, whole % 60);
    if (whole < 86'400) return fmt::format("{} h {} min", whole / 3'600, whole / 60 % 60);
    return fmt::format("{} d {} h", whole / 86'400, whole / 3'600 % 24);
}

std::string to_words(std::string_view name) {
    std::string words{name};
    std::replace(words.begin(), words.end(), '_', ' ');
    return words;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view plain{
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"};
    std::string encoded;
    for (const char c : text) {
        if (plain.find(c) != std::string_view::npos) {
            encoded.push_back(c);
        } else {
            encoded.append(fmt::format("%{:02X}", static_cast<unsigned char>(c)));
        }
    }
    return encoded;
}

}  // namespace fanfare::console
