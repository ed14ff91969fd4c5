// Mailgun: JSON with a signature of its timestamp and token. The body itself is not covered.

#include "sim/webhooks/event.hpp"
#include "sim/webhooks/signing.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <array>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

struct MailgunWords {
    std::string_view event, severity, reason;
};

// By EventKind.
constexpr std::array<MailgunWords, event_kind_count> mailgun_words = {
    {{"accepted", {}, {}},
     {"accepted", {}, {}},
     {"failed", "temporary", "generic"},
     {"delivered", {}, {}},
     {"opened", {}, {}},
     {"clicked", {}, {}},
     {"unsubscribed", {}, {}},
     {"complained", {}, {}},
     {"failed", "permanent", "old"},
     {"failed", "permanent", "bounce"}}};

json::object delivery_status(EventKind kind) {
    const auto status = [](int code, std::string_view enhanced, std::string_view message) {
        return json::object{{"code", code},           {"message", message},
                            {"description", ""},      {"enhanced-code", enhanced},
                            {"attempt-no", 1},        {"mx-host", "mx.example.com"},
                            {"session-seconds", 0.1}, {"tls", true}};
    };
    if (kind == EventKind::deferred) {
        auto temporary = status(451, "4.3.0", "try again later");
        temporary["retry-seconds"] = 600;
        return temporary;
    }
    if (kind == EventKind::soft_bounced) return status(452, "4.2.2", "mailbox full");
    if (kind == EventKind::hard_bounced) return status(550, "5.1.1", "no such user");
    return status(250, "", "OK");
}

json::object event_data(const Event& event) {
    const auto& delivery = event.delivery;
    const auto& said = mailgun_words[static_cast<std::size_t>(event.kind)];
    json::object data{
        {"event", said.event},
        {"id", base64url(to_hex(event.number, static_cast<std::uint64_t>(event.kind), 16))},
        {"timestamp", static_cast<double>(event.happened_ms) / 1000},
        {"log-level", said.severity.empty()          ? "info"
                      : said.severity == "temporary" ? "warn"
                                                     : "error"},
        {"recipient", delivery.address},
        {"recipient-domain", delivery.address.substr(delivery.address.find('@') + 1)}};
    if (!said.severity.empty()) {
        data["severity"] = said.severity;
        data["reason"] = said.reason;
    }
    if (!said.severity.empty() || event.kind == EventKind::delivered) {
        data["delivery-status"] = delivery_status(event.kind);
    }
    if (event.kind == EventKind::opened || event.kind == EventKind::clicked) {
        data["ip"] = "192.0.2.7";
        data["client-info"] = json::object{{"client-type", "browser"}, {"user-agent", "Sim/1"}};
    }
    if (event.kind == EventKind::clicked) data["url"] = "https://example.com/show";
    data["message"] = json::object{{"headers",
                                    {{"message-id", delivery.message_id},
                                     {"to", delivery.address},
                                     {"from", delivery.sender},
                                     {"subject", ""}}},
                                   {"attachments", json::array{}},
                                   {"size", 1'000}};
    data["tags"] = json::array{};
    json::object variables;
    for (const auto& [name, value] : delivery.data) variables[name] = value;
    data["user-variables"] = std::move(variables);
    data["flags"] = json::object{{"is-routed", false},
                                 {"is-authenticated", true},
                                 {"is-system-test", false},
                                 {"is-test-mode", false},
                                 {"is-delayed-bounce", false}};
    return data;
}

}  // namespace

HttpRequest compose_mailgun(const Event& event, const Keys& keys, const Posting& posting) {
    const auto timestamp = fmt::format("{}", posting.now_ms / 1000);
    const auto token = to_hex(event.number, posting.attempt, 50);
    const auto signature = hex(hmac("sha256", keys.mailgun_signing_key, timestamp + token));
    const json::object body{
        {"signature", {{"timestamp", timestamp}, {"token", token}, {"signature", signature}}},
        {"event-data", event_data(event)}};
    return {.url = posting.url,
            .headers = {"Content-Type: application/json", "User-Agent: mailgun/treq"},
            .body = json::serialize(body)};
}

}  // namespace fanfare::sim
