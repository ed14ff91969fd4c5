#pragma once

#include "core/clock/clock.hpp"
#include "core/domain/trace.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fanfare {

/// One piece of work of a trace. Its attributes are ids, counts and words of ours: never an
/// address, a number, a token or anything that a person wrote.
struct Span {
    /// As OTLP counts them.
    enum class Kind : std::uint8_t { internal = 1, client = 3, producer = 4, consumer = 5 };
    using Value = std::variant<std::string, std::int64_t>;

    std::string_view name;  // A literal.
    Kind kind = Kind::internal;
    TraceId trace{};
    SpanId id{};
    SpanId parent{};  // All zero: the trace begins here.
    std::string state;
    TimePoint begin{};
    TimePoint end{};
    bool failed = false;
    std::vector<std::pair<std::string, Value>> attributes;

    void tell(std::string name_pattern, std::string value) {
        attributes.emplace_back(std::move(name_pattern), std::move(value));
    }
    void count(std::string name_pattern, std::int64_t value) {
        attributes.emplace_back(std::move(name_pattern), value);
    }
};

/// Where what comes of it belongs.
[[nodiscard]] TraceContext inside(const Span& span);

/// Who tells the spans.
struct SpanSource {
    std::string service;  // "fanfare-worker"
    std::string version;
    std::string instance;  // This one among its replicas, until it ends.
};

/// The body of an OTLP/HTTP request with these spans, in the JSON encoding.
[[nodiscard]] std::string encode_spans(const SpanSource& source, std::span<const Span> spans);

/// How many of them a collector says that it has not taken, though it took the request: of its
/// answer, any bytes.
[[nodiscard]] std::size_t count_rejected(std::string_view answer);

}  // namespace fanfare
