#include "producer/receipts/sendgrid.hpp"

#include "producer/receipts/bounce.hpp"
#include "producer/receipts/crypto.hpp"
#include "producer/receipts/document.hpp"

#include <boost/json/array.hpp>

#include <optional>

namespace fanfare::receipts {
namespace {

using enum ReceiptEvent;

ReceiptEvent drop_event(std::string_view reason) {
    if (reason == "Bounced Address" || reason == "Invalid") return hard_bounced;
    // Not sent: the person had complained, or left, before.
    if (reason == "Spam Reporting Address" || reason == "Unsubscribed Address") return opted_out;
    return failed;  // Of the content or of the account: says nothing of the address.
}

/// Whether a program loaded the pixel, as Apple's does for every mail, and not its reader.
bool is_opened_by_machine(const Object& event) {
    const auto* const flag = event.if_contains("sg_machine_open");
    if (flag != nullptr && flag->is_bool()) return flag->get_bool();
    const auto word = get_word(event, "sg_machine_open");
    return word == "true" || word == "1";
}

std::optional<ReceiptEvent> sendgrid_event(const Object& event) {
    const auto name = get_text(event, "event");
    if (name == "processed") return accepted;
    if (name == "delivered") return delivered;
    if (name == "open") return is_opened_by_machine(event) ? std::nullopt : std::optional{opened};
    if (name == "click") return clicked;
    if (name == "bounce") {
        const bool is_blocked = get_text(event, "type") != "bounce";
        return is_blocked ? soft_bounced : bounce_event(get_text(event, "status"));
    }
    if (name == "dropped") return drop_event(get_text(event, "reason"));
    if (name == "spamreport") return complained;
    if (name == "unsubscribe" || name == "group_unsubscribe") return unsubscribed;
    return std::nullopt;  // deferred is SendGrid's own to retry.
}

class SendGrid final : public Receiver {
public:
    SendGrid(std::string key, const References& references)
        : key_{std::move(key)}, references_{references} {}

    [[nodiscard]] Reception receive(const HttpCall& call, const Documents& /*documents*/,
                                    std::int64_t now_unix) const override {
        if (key_.empty()) return Refusal{403, "missing_key"};
        const auto encoded = call.header("x-twilio-email-event-webhook-signature");
        const auto timestamp = call.header("x-twilio-email-event-webhook-timestamp");
        if (encoded.empty() || timestamp.empty()) return Refusal{401, "unsigned"};
        const auto signature = base64_decoded(encoded);
        const auto text = std::string{timestamp} + call.body;
        if (!signature || !verify_ecdsa(key_, text, *signature)) return Refusal{403, "forged"};
        const auto signed_at = unix_seconds(timestamp);
        if (!signed_at || !is_timely(*signed_at, now_unix)) return Refusal{403, "stale"};
        const auto events = parse_elements(call.body);
        if (!events) return Refusal{400, "malformed"};
        ReceiptList list{references_, Channel::email};
        for (const auto& each : *events) {
            each.is_object() ? read(each.get_object(), list) : list.skip();
        }
        // Whoever has one ECDSA signature can write another, so the token is what it signs.
        return list.take(compute_digest(Digest::sha256, text));
    }

private:
    static void read(const Object& event, ReceiptList& list) {
        const auto what = sendgrid_event(event);
        if (!what) return;
        list.add(get_text(event, "fanfare"), *what, get_seconds(event, "timestamp"),
                 get_text(event, "email"), get_text(event, "sg_event_id"));
    }

    std::string key_;  // DER; "" where there is none, or none that is a key.
    const References& references_;
};

}  // namespace

std::unique_ptr<Receiver> make_sendgrid(const AccountSettings& account,
                                        const ReceiverContext& context) {
    auto key = base64_decoded(account_value(account, "webhook_public_key")).value_or("");
    if (!is_ec_public_key(key)) key.clear();
    return std::make_unique<SendGrid>(std::move(key), context.references);
}

}  // namespace fanfare::receipts
