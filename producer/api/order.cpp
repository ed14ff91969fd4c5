#include "producer/api/order.hpp"

#include "core/crypto/digest.hpp"
#include "core/orders/order_rules.hpp"
#include "core/settings/text_rules.hpp"
#include "core/wire/trace_context.hpp"
#include "producer/api/owners.hpp"
#include "producer/api/reply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fanfare::api {
namespace {

constexpr std::array<std::string_view, 3> own_fields{"version", "id", "source"};
constexpr std::string_view placeholder = "00000000-0000-0000-0000-000000000000";

/// What a body of a creation orders, and what of that it did not say itself.
struct Ordered {
    Job job;
    std::vector<std::string> filled_in;  // Parameters.
};

/// `within`: where it stands in the body that was sent; "": it is the body.
std::variant<Ordered, HttpReply> read_job(JsonValue root, const Caller& caller, const Known& known,
                                          std::string_view within = {}) {
    if (!root.is_object()) {
        return refusal(422, "wrong_type",
                       fmt::format("{}: send one object", within.empty() ? "the message" : within));
    }
    for (const auto field : own_fields) {
        if (std::find(root.keys.begin(), root.keys.end(), field) == root.keys.end()) continue;
        return refusal(
            422, "unknown_field",
            fmt::format("{}/{}: is not for the caller to say; remove it", within, field));
    }
    // Any job has an id.
    root.keys.emplace_back("id");
    root.items.push_back({JsonValue::Shape::string, std::string{placeholder}, {}, {}});
    auto decoded = read_job(root);
    if (const auto* const rejection = std::get_if<Rejection>(&decoded)) {
        return refusal(*rejection, within);
    }
    auto& job = std::get<Job>(decoded);
    if (auto denial = denied(caller, job.system)) return std::move(*denial);
    const auto said = job.params;
    if (auto denial = keep_to_owner(job, caller, known.systems)) return std::move(*denial);
    if (const auto rejection = settle_order(job, known.systems, known.templates)) {
        return refusal(*rejection, within);
    }
    Ordered ordered;
    for (const auto& [name, value] : job.params) {
        if (!said.contains(name)) ordered.filled_in.push_back(name);
    }
    ordered.job = std::move(job);
    return ordered;
}

}  // namespace

std::string sha256_hex(std::string_view text) { return hex(compute_digest(Digest::sha256, text)); }

std::optional<HttpReply> denied(const Caller& caller, std::string_view system) {
    if (caller.may(system)) return std::nullopt;
    return refusal(403, "system_denied", "This client may not touch this system.");
}

std::variant<Job, HttpReply> read_draft(JsonValue body, const Caller& caller, const Known& known) {
    auto ordered = read_job(std::move(body), caller, known, "/job");
    if (auto* const reply = std::get_if<HttpReply>(&ordered)) return std::move(*reply);
    return std::move(std::get<Ordered>(ordered).job);
}

std::variant<Order, HttpReply> read_order(JsonValue body, const OrderKeys& keys,
                                          const Caller& caller, const Known& known) {
    auto read = read_job(std::move(body), caller, known);
    if (auto* const reply = std::get_if<HttpReply>(&read)) return std::move(*reply);
    auto& ordered = std::get<Ordered>(read);
    Order order{.job = std::move(ordered.job), .key = {}, .digest = {}};
    auto& job = order.job;
    const std::string own_key = job.idempotency_key == placeholder ? "" : job.idempotency_key;
    job.source = caller.owner;
    job.id.clear();
    job.idempotency_key.clear();
    // Of what was said: the same body is the same order, whatever is filled in today.
    auto as_said = job;
    for (const auto& name : ordered.filled_in) as_said.params.erase(name);
    order.digest = sha256_hex(encode_job(as_said));
    for (const auto& key : {keys.header, own_key, keys.event, "derived/" + order.digest}) {
        if (order.key.empty()) order.key = key;
    }
    if (order.key.size() > key_bytes_max) {
        return refusal(422, "invalid_value", "/idempotency_key: is longer than 128 bytes");
    }
    job.idempotency_key = key_of_source("api", caller.owner, order.key);
    job.id = derived_id(job.idempotency_key);
    return order;
}

std::variant<Order, HttpReply> read_order(std::string_view body, std::string_view header_key,
                                          const Caller& caller, const Known& known) {
    auto parsed = parse_json(body);
    if (const auto* const rejection = std::get_if<Rejection>(&parsed)) return refusal(*rejection);
    return read_order(std::move(std::get<JsonValue>(parsed)), {std::string{header_key}, ""}, caller,
                      known);
}

std::variant<Order, HttpReply> read_order(const HttpCall& call, const Caller& caller,
                                          const Known& known) {
    const auto key = read_idempotency_key(call);
    if (const auto* const reply = std::get_if<HttpReply>(&key)) return *reply;
    auto read = read_order(call.body, std::get<std::string>(key), caller, known);
    if (auto* const order = std::get_if<Order>(&read)) order->trace = read_trace(call.headers);
    return read;
}

}  // namespace fanfare::api
