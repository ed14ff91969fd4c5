#include "core/wire/job_json.hpp"

#include "core/wire/job_rejection.hpp"

#include <fmt/format.h>
#include <boost/json/basic_parser_impl.hpp>

#include <cmath>
#include <optional>
#include <set>

namespace fanfare {
namespace {

namespace json = boost::json;
using json::error_code;
using Shape = JsonValue::Shape;

constexpr std::size_t depth_max = 8;

/// Builds the tree from the parser's events, and refuses on the way what Boost.JSON lets
/// pass. The whole text is parsed in one call, so every part but the last is only known
/// from the on_*_part events.
class TreeHandler {
public:
    static constexpr std::size_t max_object_size = Job::bytes_max;
    static constexpr std::size_t max_array_size = Job::bytes_max;
    static constexpr std::size_t max_key_size = Job::bytes_max;
    static constexpr std::size_t max_string_size = Job::bytes_max;

    [[nodiscard]] std::optional<Rejection> rejection() const { return rejection_; }
    [[nodiscard]] JsonValue take() { return std::move(root_); }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code& fault) { return open(Shape::object, fault); }
    bool on_object_end(std::size_t, error_code&) { return close(); }
    bool on_array_begin(error_code& fault) { return open(Shape::array, fault); }
    bool on_array_end(std::size_t, error_code&) { return close(); }
    bool on_key_part(json::string_view part, std::size_t, error_code&) { return gather(part); }
    bool on_key(json::string_view part, std::size_t, error_code& fault) {
        gather(part);
        return add_key(std::exchange(text_, {}), fault);
    }
    bool on_string_part(json::string_view part, std::size_t, error_code&) { return gather(part); }
    bool on_string(json::string_view part, std::size_t, error_code& fault) {
        gather(part);
        if (text_.find('\0') != std::string::npos) {
            return refuse("nul_character", pointer(), "holds a NUL character; remove it", fault);
        }
        return add(Shape::string, std::exchange(text_, {}));
    }
    bool on_number_part(json::string_view part, error_code&) { return gather(part); }
    bool on_int64(std::int64_t, json::string_view part, error_code&) { return add_number(part); }
    bool on_uint64(std::uint64_t, json::string_view part, error_code&) { return add_number(part); }
    bool on_double(double number, json::string_view part, error_code& fault) {
        if (!std::isfinite(number)) {
            return refuse("number_out_of_range", pointer(),
                          "is too large for a number; send it as a string", fault);
        }
        return add_number(part);
    }
    bool on_bool(bool truth, error_code&) { return add(Shape::boolean, truth ? "true" : "false"); }
    bool on_null(error_code&) { return add(Shape::null, ""); }
    bool on_comment_part(json::string_view, error_code&) { return true; }
    bool on_comment(json::string_view, error_code&) { return true; }

private:
    struct Level {
        JsonValue value;
        std::set<std::string, std::less<>> seen;
    };

    bool refuse(std::string_view code, std::string_view where, std::string_view sentence,
                error_code& fault) {
        rejection_ = reject(code, where, sentence);
        fault = json::make_error_code(json::error::syntax);
        return false;
    }

    // Where the next value goes.
    [[nodiscard]] std::string pointer() const {
        std::string place;
        for (const auto& level : open_) {
            place =
                point_to(place, level.value.is_object() ? level.value.keys.back()
                                                        : std::to_string(level.value.items.size()));
        }
        return place;
    }

    bool gather(json::string_view part) {
        text_.append(part.data(), part.size());
        return true;
    }

    bool add_number(json::string_view part) {
        gather(part);
        return add(Shape::number, std::exchange(text_, {}));
    }

    bool add_key(std::string key, error_code& fault) {
        auto& level = open_.back();
        const bool is_new = level.seen.insert(key).second;
        const bool has_nul = key.find('\0') != std::string::npos;
        level.value.keys.push_back(std::move(key));
        if (has_nul) {
            return refuse("nul_character", pointer(), "the key holds a NUL character; remove it",
                          fault);
        }
        if (!is_new) {
            return refuse("duplicate_key", pointer(), "stands here twice; send each key once",
                          fault);
        }
        return true;
    }

    bool add(Shape shape, std::string text) {
        return add(JsonValue{shape, std::move(text), {}, {}});
    }
    bool add(JsonValue value) {
        if (open_.empty()) {
            root_ = std::move(value);
        } else {
            open_.back().value.items.push_back(std::move(value));
        }
        return true;
    }

    bool open(Shape shape, error_code& fault) {
        if (open_.size() == depth_max) {
            return refuse("too_deep", pointer(), "is nested more than 8 deep; flatten it", fault);
        }
        open_.push_back({JsonValue{shape, {}, {}, {}}, {}});
        return true;
    }

    bool close() {
        auto value = std::move(open_.back().value);
        open_.pop_back();
        return add(std::move(value));
    }

    std::vector<Level> open_;
    std::string text_;  // Of the key, string or number being read.
    JsonValue root_;
    std::optional<Rejection> rejection_;
};

}  // namespace

namespace {

/// What stands where the JSON should begin, where it is something that clients write unknowingly;
/// "" where it is not.
std::string_view stray_beginning(std::string_view bytes) {
    using namespace std::string_view_literals;
    if (bytes.starts_with("\xEF\xBB\xBF"sv)) {
        return "begins with a byte order mark (EF BB BF); send UTF-8 without one";
    }
    const bool is_utf16 = bytes.starts_with("\xFF\xFE"sv) || bytes.starts_with("\xFE\xFF"sv) ||
                          bytes.starts_with("{\0"sv) || bytes.starts_with("\0{"sv);
    if (is_utf16) return "is UTF-16; send UTF-8";
    constexpr std::size_t registry_bytes = 5;
    if (bytes.size() >= registry_bytes && bytes.front() == '\0') {
        return "begins with the five bytes of a schema registry (a zero and an id); send plain "
               "JSON: choose a serializer that knows no registry";
    }
    if (bytes.starts_with("\x1F\x8B"sv)) return "is packed by gzip; send it as it is";
    return {};
}

}  // namespace

std::string_view to_string(Shape shape) noexcept {
    switch (shape) {
        case Shape::null:
            return "null";
        case Shape::boolean:
            return "a boolean";
        case Shape::number:
            return "a number";
        case Shape::string:
            return "a string";
        case Shape::array:
            return "an array";
        case Shape::object:
            return "an object";
    }
    return "?";
}

std::variant<JsonValue, Rejection> parse_json(std::string_view bytes) {
    if (bytes.size() > Job::bytes_max) {
        return reject("too_large", "",
                      fmt::format("has {} bytes of at most {}; name an audience instead of "
                                  "listing recipients, or send several jobs",
                                  bytes.size(), Job::bytes_max));
    }
    json::basic_parser<TreeHandler> parser{json::parse_options{}};
    error_code fault;
    const auto used = parser.write_some(false, bytes.data(), bytes.size(), fault);
    if (const auto rejection = parser.handler().rejection()) return *rejection;
    if (!fault && used < bytes.size()) fault = json::make_error_code(json::error::extra_data);
    if (const auto stray = stray_beginning(bytes); fault && !stray.empty()) {
        return reject("not_json", "", stray);
    }
    if (fault) {
        return reject(
            "not_json", "",
            fmt::format("is not one JSON text in UTF-8: {} at byte {}", fault.message(), used));
    }
    return parser.handler().take();
}

}  // namespace fanfare
