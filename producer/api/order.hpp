#pragma once

#include "core/rendering/templates.hpp"
#include "core/systems/system.hpp"
#include "core/wire/job_json.hpp"
#include "producer/api/clients.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace fanfare::api {

/// What the checks of a job look at.
struct Known {
    const Systems& systems;
    const Templates& templates;
};

/// A job as a backend ordered it, ready to be remembered.
struct Order {
    Job job;              // Resolved; `ttl` not settled yet.
    std::string key;      // Of the caller's own.
    std::string digest;   // Of everything that was asked for.
    std::string trace{};  // encode_trace(): that the call is of; "": of none.
};

/// Reads the body of a creation: a job without version, id and source. The key is the header's,
/// else the body's idempotency_key, else derived from the body: sent twice it is one job.
[[nodiscard]] std::variant<Order, HttpReply> read_order(const HttpCall& call, const Caller& caller,
                                                        const Known& known);

/// Where the key of an order may come from; "" where it does not.
struct OrderKeys {
    std::string header;  // Counts before the body's own.
    std::string event;   // Counts after it.
};
/// The same for a body at hand.
[[nodiscard]] std::variant<Order, HttpReply> read_order(std::string_view body,
                                                        std::string_view header_key,
                                                        const Caller& caller, const Known& known);
[[nodiscard]] std::variant<Order, HttpReply> read_order(JsonValue body, const OrderKeys& keys,
                                                        const Caller& caller, const Known& known);

/// A job that is only looked at, the member `job` of a body: its source and id mean nothing.
[[nodiscard]] std::variant<Job, HttpReply> read_draft(JsonValue body, const Caller& caller,
                                                      const Known& known);

/// Lower-case hexadecimal SHA-256.
[[nodiscard]] std::string sha256_hex(std::string_view text);

/// The refusal of a system that the caller may not touch.
[[nodiscard]] std::optional<HttpReply> denied(const Caller& caller, std::string_view system);

}  // namespace fanfare::api
