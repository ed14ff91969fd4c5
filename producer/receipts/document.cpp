#include "producer/receipts/document.hpp"

#include "core/domain/number.hpp"
#include "core/wire/timestamp.hpp"
#include "producer/receipts/mended.hpp"

#include <boost/json/parse.hpp>

#include <cmath>

namespace fanfare::receipts {
namespace {

namespace json = boost::json;

const json::value* find(const Object& object, std::string_view key) {
    return object.if_contains({key.data(), key.size()});
}

}  // namespace

std::optional<json::value> parse_strictly(std::string_view bytes) {
    json::error_code fault;
    json::parse_options options;
    options.max_depth = 32;
    auto value = json::parse({bytes.data(), bytes.size()}, fault, {}, options);
    if (fault) return std::nullopt;
    return value;
}

std::optional<json::value> parse_document(std::string_view bytes) {
    auto value = parse_strictly(bytes);
    return value ? std::move(value) : parse_strictly(mended(bytes));
}

std::optional<json::array> parse_elements(std::string_view bytes) {
    auto whole = parse_document(bytes);
    if (whole && whole->is_array()) return std::move(whole->get_array());
    const auto elements = split_elements(bytes);
    if (whole || !elements) return std::nullopt;
    json::array array;
    for (const auto element : *elements) {
        auto value = parse_document(element);
        array.push_back(value ? std::move(*value) : json::value{});
    }
    return array;
}

std::string_view get_text(const Object& object, std::string_view key) {
    const auto* const value = find(object, key);
    if (value == nullptr || !value->is_string()) return {};
    const auto& text = value->get_string();
    return {text.data(), text.size()};
}

std::string get_word(const Object& object, std::string_view key) {
    const auto* const value = find(object, key);
    if (value != nullptr && value->is_int64()) return std::to_string(value->get_int64());
    return std::string{get_text(object, key)};
}

std::int64_t get_seconds(const Object& object, std::string_view key) {
    constexpr double seconds_max = 1e12;
    const auto* const value = find(object, key);
    if (value == nullptr) return 0;
    if (value->is_int64()) return value->get_int64();
    if (value->is_double()) {
        const double number = value->get_double();
        return number >= 0 && number < seconds_max ? static_cast<std::int64_t>(number) : 0;
    }
    return unix_seconds(get_text(object, key)).value_or(0);
}

const Object& get_object(const Object& object, std::string_view key) {
    static const Object empty;
    const auto* const value = find(object, key);
    return value != nullptr && value->is_object() ? value->get_object() : empty;
}

const json::array* get_array(const Object& object, std::string_view key) {
    const auto* const value = find(object, key);
    return value != nullptr && value->is_array() ? &value->get_array() : nullptr;
}

std::optional<std::int64_t> unix_seconds(std::string_view text) {
    std::int64_t number = 0;
    return read_number(text, number) ? std::optional{number} : std::nullopt;
}

std::int64_t moment_seconds(std::string_view text) {
    const auto time = parse_timestamp(text);
    if (!time) return 0;
    return std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count();
}

}  // namespace fanfare::receipts
