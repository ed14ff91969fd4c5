#include "core/domain/trace.hpp"

#include <algorithm>
#include <random>

namespace fanfare {
namespace {

constexpr std::size_t parent_bytes = 55;  // 2 + 1 + 32 + 1 + 16 + 1 + 2
constexpr std::size_t trace_at = 3;
constexpr std::size_t trace_bytes = 32;
constexpr std::size_t span_at = 36;
constexpr std::size_t span_bytes = 16;
constexpr std::size_t flags_at = 53;
constexpr std::size_t state_bytes_max = 512;
constexpr int state_members_max = 32;
constexpr std::string_view digits = "0123456789abcdef";

/// The value of a lower-case digit; 16 of anything else, which the standard does not allow.
std::uint8_t hex_value(char c) noexcept {
    const auto found = digits.find(c);
    return found == std::string_view::npos ? 16 : static_cast<std::uint8_t>(found);
}

bool is_hex(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return hex_value(c) < 16; });
}

template <class Bytes>
void read_bytes(std::string_view text, Bytes& bytes) noexcept {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] =
            static_cast<std::uint8_t>(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
    }
}

template <class Bytes>
bool is_zero(const Bytes& bytes) noexcept {
    return std::all_of(bytes.begin(), bytes.end(), [](auto byte) { return byte == 0; });
}

template <class Bytes>
void append_hex(std::string& text, const Bytes& bytes) {
    for (const auto byte : bytes) {
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 15]);
    }
}

/// Four hexadecimal fields of the right lengths, and nothing behind them but what a later version
/// may add.
bool is_well_formed(std::string_view parent) noexcept {
    if (parent.size() < parent_bytes) return false;
    for (const auto dash : {trace_at - 1, span_at - 1, flags_at - 1}) {
        if (parent[dash] != '-') return false;
    }
    const auto version = parent.substr(0, 2);
    if (!is_hex(version) || version == "ff") return false;
    if (parent.size() > parent_bytes && (version == "00" || parent[parent_bytes] != '-')) {
        return false;
    }
    return is_hex(parent.substr(trace_at, trace_bytes)) &&
           is_hex(parent.substr(span_at, span_bytes)) && is_hex(parent.substr(flags_at, 2));
}

bool is_lower_or_digit(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// One member of a tracestate: "key=value".
bool is_member(std::string_view member) noexcept {
    constexpr std::size_t most = 256;
    const auto equals = std::min(member.find('='), member.size());
    const auto key = member.substr(0, equals);
    if (equals == member.size() || key.empty() || key.size() > most) return false;
    const auto is_key = [](char c) {
        return is_lower_or_digit(c) || std::string_view{"_-*/@"}.find(c) != std::string_view::npos;
    };
    if (!is_lower_or_digit(key.front()) || !std::all_of(key.begin(), key.end(), is_key)) {
        return false;
    }
    const auto value = member.substr(equals + 1);
    return !value.empty() && value.size() <= most &&
           std::all_of(value.begin(), value.end(),
                       [](char c) { return c >= 0x20 && c <= 0x7e && c != '='; });
}

std::string_view without_blanks(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

/// Up to 32 members with commas between; some may be empty.
bool is_state(std::string_view text) noexcept {
    if (text.size() > state_bytes_max) return false;
    for (int members = 0; members <= state_members_max;) {
        const auto comma = std::min(text.find(','), text.size());
        const auto member = without_blanks(text.substr(0, comma));
        if (!member.empty() && (++members > state_members_max || !is_member(member))) return false;
        if (comma == text.size()) return members > 0;
        text.remove_prefix(comma + 1);
    }
    return false;
}

template <class Bytes>
Bytes random_bytes() {
    thread_local std::random_device random;
    Bytes bytes{};
    while (is_zero(bytes)) {
        for (std::size_t i = 0; i < bytes.size(); i += 4) {
            const auto word = random();
            for (std::size_t j = 0; j < 4; ++j) {
                bytes[i + j] = static_cast<std::uint8_t>(word >> (8 * j));
            }
        }
    }
    return bytes;
}

}  // namespace

std::optional<TraceContext> parse_trace(std::string_view parent, std::string_view state) {
    if (!is_well_formed(parent)) return std::nullopt;
    TraceContext context;
    read_bytes(parent.substr(trace_at), context.trace);
    read_bytes(parent.substr(span_at), context.span);
    if (is_zero(context.trace) || is_zero(context.span)) return std::nullopt;
    // Of the flags one is known; the others are not passed on.
    context.sampled = (hex_value(parent[flags_at + 1]) & 1) != 0;
    if (is_state(state)) context.state = state;
    return context;
}

std::string traceparent(const TraceContext& context) {
    std::string text = "00-";
    text.reserve(parent_bytes);
    append_hex(text, context.trace);
    text.push_back('-');
    append_hex(text, context.span);
    text += context.sampled ? "-01" : "-00";
    return text;
}

std::string encode_trace(const TraceContext& context) {
    auto text = traceparent(context);
    if (!context.state.empty()) text += " " + context.state;
    return text;
}

std::optional<TraceContext> decode_trace(std::string_view text) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return parse_trace(text);
    return parse_trace(text.substr(0, space), text.substr(space + 1));
}

std::string_view trace_id_in(std::string_view text) noexcept {
    if (!is_well_formed(text.substr(0, text.find(' ')))) return {};
    return text.substr(trace_at, trace_bytes);
}

std::vector<std::pair<std::string, std::string>> trace_headers(std::string_view text) {
    const auto context = decode_trace(text);
    if (!context) return {};
    std::vector<std::pair<std::string, std::string>> headers{
        {"traceparent", traceparent(*context)}};
    if (!context->state.empty()) headers.emplace_back("tracestate", context->state);
    return headers;
}

TraceId new_trace_id() { return random_bytes<TraceId>(); }

SpanId new_span_id() { return random_bytes<SpanId>(); }

std::string to_hex(const TraceId& id) {
    std::string text;
    append_hex(text, id);
    return text;
}

std::string to_hex(const SpanId& id) {
    std::string text;
    append_hex(text, id);
    return text;
}

}  // namespace fanfare
