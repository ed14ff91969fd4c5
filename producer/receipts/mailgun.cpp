#include "producer/receipts/mailgun.hpp"

#include "producer/receipts/bounce.hpp"
#include "producer/receipts/crypto.hpp"
#include "producer/receipts/document.hpp"

#include <optional>

namespace fanfare::receipts {
namespace {

using enum ReceiptEvent;

constexpr int do_not_retry = 406;  // Mailgun's own word for it.

ReceiptEvent failure_event(const Object& event) {
    const auto reason = text_of(event, "reason");
    if (reason == "suppress-bounce") return hard_bounced;
    // Not sent: the person had complained, or left, before.
    if (reason == "suppress-complaint" || reason == "suppress-unsubscribe") return opted_out;
    const auto& status = object_of(event, "delivery-status");
    if (reason == "bounce") return bounce_event(text_of(status, "enhanced-code"));
    const bool unknown_mailbox = reason == "generic" && word_of(status, "code") == "550" &&
                                 text_of(status, "enhanced-code").starts_with("5.1.");
    return unknown_mailbox ? hard_bounced : soft_bounced;
}

/// Whether a program looked at the message, not its reader: Mailgun names it.
bool is_by_machine(const Object& event) {
    return !text_of(object_of(event, "client-info"), "bot").empty();
}

std::optional<ReceiptEvent> mailgun_event(const Object& event) {
    const auto name = text_of(event, "event");
    if (name == "accepted") return accepted;
    if (name == "delivered") return delivered;
    if ((name == "opened" || name == "clicked") && is_by_machine(event)) return std::nullopt;
    if (name == "opened") return opened;
    if (name == "clicked") return clicked;
    if (name == "complained") return complained;
    if (name == "unsubscribed") return unsubscribed;
    if (name == "rejected") return soft_bounced;
    // A temporary failure is Mailgun's own to retry.
    if (name == "failed" && text_of(event, "severity") == "permanent") return failure_event(event);
    return std::nullopt;
}

class Mailgun final : public Receiver {
public:
    Mailgun(std::string key, const References& references)
        : key_{std::move(key)}, references_{references} {}

    [[nodiscard]] Reception receive(const HttpCall& call, const Documents& /*documents*/,
                                    std::int64_t now_unix) const override {
        if (key_.empty()) return Refusal{403, "missing_key"};
        const auto document = parse_document(call.body);
        if (!document || !document->is_object()) return Refusal{do_not_retry, "malformed"};
        const auto& root = document->get_object();
        const auto& proof = object_of(root, "signature");
        const auto timestamp = text_of(proof, "timestamp");
        const std::string token{text_of(proof, "token")};
        const auto signature = text_of(proof, "signature");
        if (timestamp.empty() || token.empty() || signature.empty()) {
            return Refusal{401, "unsigned"};
        }
        const auto expected = hex(hmac_of(Digest::sha256, key_, std::string{timestamp} + token));
        if (!same_secret(expected, signature)) return Refusal{403, "forged"};
        const auto signed_at = unix_seconds(timestamp);
        if (!signed_at || !is_timely(*signed_at, now_unix)) return Refusal{403, "stale"};
        ReceiptList list{references_, Channel::email};
        read(object_of(root, "event-data"), list);
        return list.take(token);
    }

private:
    static void read(const Object& event, ReceiptList& list) {
        const auto what = mailgun_event(event);
        if (!what) return;
        const auto& variables = object_of(event, "user-variables");
        std::string reference{text_of(variables, "fanfare")};
        if (const auto person = text_of(variables, "person"); !reference.empty()) {
            reference.append(".").append(person);
        }
        list.add_ours(reference, *what, seconds_of(event, "timestamp"), text_of(event, "recipient"),
                      text_of(event, "id"));
    }

    std::string key_;
    const References& references_;
};

}  // namespace

std::unique_ptr<Receiver> make_mailgun(const AccountSettings& account,
                                       const ReceiverContext& context) {
    return std::make_unique<Mailgun>(account_value(account, "webhook_signing_key"),
                                     context.references);
}

}  // namespace fanfare::receipts
