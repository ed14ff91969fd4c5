// SendGrid: an array of events that ends in CRLF; ECDSA over the timestamp and the raw body.

#include "sim/http/text.hpp"
#include "sim/webhooks/event.hpp"
#include "sim/webhooks/signing.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <array>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

// By EventKind.
constexpr std::array<std::string_view, event_kind_count> names = {
    "processed", "processed",   "deferred",   "delivered", "open",
    "click",     "unsubscribe", "spamreport", "bounce",    "bounce"};

void add_sendgrid_details(EventKind kind, json::object& told) {
    if (kind == EventKind::deferred) {
        told["response"] = "451 4.3.0 try again later";
        told["attempt"] = "1";
    } else if (kind == EventKind::delivered) {
        told["response"] = "250 OK";
        told["ip"] = "192.0.2.1";
        told["tls"] = 1;
    } else if (kind == EventKind::soft_bounced) {
        told["type"] = "blocked";
        told["reason"] = "452 4.2.2 mailbox full";
        told["status"] = "4.2.2";
        told["bounce_classification"] = "Mailbox Unavailable";
    } else if (kind == EventKind::hard_bounced) {
        told["type"] = "bounce";
        told["reason"] = "550 5.1.1 user unknown";
        told["status"] = "5.1.1";
        told["bounce_classification"] = "Invalid Address";
    } else if (kind == EventKind::opened || kind == EventKind::clicked) {
        told["useragent"] = "Sim/1";
        told["ip"] = "192.0.2.7";
        if (kind == EventKind::clicked) told["url"] = "https://example.com/show";
    }
}

json::object event_fields(const Event& event) {
    const auto& delivery = event.delivery;
    const auto id = to_hex(event.number, static_cast<std::uint64_t>(event.kind), 16);
    json::object told{{"email", delivery.address},
                      {"timestamp", event.happened_ms / 1000},
                      {"smtp-id", fmt::format("<{}@ismtpd.sim.sendgrid.net>", delivery.message_id)},
                      {"event", names[static_cast<std::size_t>(event.kind)]},
                      {"sg_event_id", base64url(id)},
                      {"sg_message_id", delivery.message_id + ".recvd-sim-1"}};
    add_sendgrid_details(event.kind, told);
    for (const auto& [name, value] : delivery.data) told[name] = value;  // Flattened.
    return told;
}

}  // namespace

HttpRequest compose_sendgrid(std::span<const Event> events, const Keys& keys,
                             const Posting& posting) {
    json::array array;
    for (const auto& event : events) array.push_back(event_fields(event));
    auto body = json::serialize(array) + "\r\n";
    const auto timestamp = fmt::format("{}", posting.now_ms / 1000);
    const auto signature = base64(sign(keys.sendgrid, "sha256", timestamp + body));
    return {.url = posting.url,
            .headers = {"Content-Type: application/json", "User-Agent: SendGrid Event API",
                        header_line("X-Twilio-Email-Event-Webhook-Signature", signature),
                        header_line("X-Twilio-Email-Event-Webhook-Timestamp", timestamp)},
            .body = std::move(body)};
}

}  // namespace fanfare::sim
