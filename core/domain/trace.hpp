#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare {

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;

/// Where something belongs, as W3C Trace Context has it: to which trace, and to what in it.
struct TraceContext {
    TraceId trace{};       // Never all zero.
    SpanId span{};         // Of whoever handed it over; never all zero.
    bool sampled = false;  // Its spans are wanted.
    std::string state;     // tracestate: what others pass on; "" for nothing.
    friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

/// Reads a traceparent: version 00 strictly, of a later one what is known of it. Nothing where it
/// is none: a bad one is as good as none. A tracestate that is none is left out.
[[nodiscard]] std::optional<TraceContext> parse_trace(std::string_view parent,
                                                      std::string_view state = {});

/// The traceparent of a context.
[[nodiscard]] std::string traceparent(const TraceContext& context);

/// A context as one text, as it travels through the ledger: "<traceparent>[ <tracestate>]".
[[nodiscard]] std::string encode_trace(const TraceContext& context);
/// And back; nothing where it is none.
[[nodiscard]] std::optional<TraceContext> decode_trace(std::string_view text);

/// The trace's id of such a text, in hexadecimal; "" where it is none. A view into it.
[[nodiscard]] std::string_view trace_id_in(std::string_view text) noexcept;

/// The headers that say it, of a Kafka record or an HTTP message; none for none.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> trace_headers(std::string_view text);

/// New ids, of the machine's own randomness: no two programs begin alike.
[[nodiscard]] TraceId new_trace_id();
[[nodiscard]] SpanId new_span_id();

/// Lower-case hexadecimal.
[[nodiscard]] std::string to_hex(const TraceId& id);
[[nodiscard]] std::string to_hex(const SpanId& id);

}  // namespace fanfare
