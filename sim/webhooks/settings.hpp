#pragma once

#include "sim/faults/faults.hpp"
#include "sim/webhooks/event.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <unordered_map>

namespace fanfare::sim {

/// What becomes of one provider's messages, and who is told. Rates are in [0, 1].
struct WebhookSettings {
    bool on = false;      // Without a URL too: each message names its own (Twilio, Vonage).
    std::string url;      // Events are posted here, unless a message names its own.
    std::string connect;  // "https://127.0.0.1:8443": connect there, whatever the URL names.
    std::string key;      // Instead of the default; see Keys. SES: the topic's ARN.
    std::string signature_method = "sha256";  // Vonage's SMS API.
    double sns_signature_version = 1;
    bool await_confirmation = false;  // SNS: events wait until the subscription is confirmed.
    double delay_ms = 0;              // From acceptance to the first event.
    double concurrency = 8;           // Posts at once.
    double batch = 100;               // SendGrid: events a post.
    double retry_scale = 0.001;       // Of the provider's own waits: 10 minutes become 0.6 s.

    double hard_bounce_rate = 0;
    double soft_bounce_rate = 0;
    double delivered_rate = 1;  // Of those that do not bounce; of the others nothing is heard.
    double complaint_rate = 0;  // These four: of those delivered, the first that holds.
    double unsubscribed_rate = 0;
    double clicked_rate = 0;
    double opened_rate = 0;
    double deferred_rate = 0;      // Share of people with a deferral before all else.
    double duplicate_rate = 0;     // Share of events told twice.
    double reorder_rate = 0;       // Share of people whose events come last first.
    bool progress_events = false;  // Tell of acceptance too.
    /// The outcome of these addresses, before anything is drawn.
    std::unordered_map<std::string, EventKind, TransparentHash, std::equal_to<>> outcomes;

    [[nodiscard]] bool enabled() const noexcept { return on || !url.empty(); }

    /// Whether POST /control means this by a name, and not a fault.
    [[nodiscard]] static bool knows(std::string_view name) noexcept;
    /// Changes what `change` names. Returns "" or what is wrong with it (then nothing changed).
    [[nodiscard]] std::string change(const boost::json::object& change);
    /// Keys are shown as "***".
    void show(boost::json::object& shown) const;
};

}  // namespace fanfare::sim
