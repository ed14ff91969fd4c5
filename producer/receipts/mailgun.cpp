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
    const auto reason = get_text(event, "reason");
    if (reason == "suppress-bounce") return hard_bounced;
    // Not sent: the person had complained, or left, before.
    if (reason == "suppress-complaint" || reason == "suppress-unsubscribe") return opted_out;
    const auto& status = get_object(event, "delivery-status");
    if (reason == "bounce") return bounce_event(get_text(status, "enhanced-code"));
    const bool unknown_mailbox = reason == "generic" && get_word(status, "code") == "550" &&
                                 get_text(status, "enhanced-code").starts_with("5.1.");
    return unknown_mailbox ? hard_bounced : soft_bounced;
}

/// Whether a program looked at the message, not its reader: Mailgun names it.
bool is_by_machine(const Object& event) {
    return !get_text(get_object(event, "client-info"), "bot").empty();
}

std::optional<ReceiptEvent> mailgun_event(const Object& event) {
    const auto name = get_text(event, "event");
    if (name == "accepted") return accepted;
    if (name == "delivered") return delivered;
    if ((name == "opened" || name == "clicked") && is_by_machine(event)) return std::nullopt;
    if (name == "opened") return opened;
    if (name == "clicked") return clicked;
    if (name == "complained") return complained;
    if (name == "unsubscribed") return unsubscribed;
    if (name == "rejected") return soft_bounced;
    // A temporary failure is Mailgun's own to retry.
    if (name == "failed" && get_text(event, "severity") == "permanent") return failure_event(event);
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
        const auto& proof = get_object(root, "signature");
        const auto timestamp = get_text(proof, "timestamp");
        const std::string token{get_text(proof, "token")};
        const auto signature = get_text(proof, "signature");
        if (timestamp.empty() || token.empty() || signature.empty()) {
            return Refusal{401, "unsigned"};
        }
        const auto expected =
            hex(compute_hmac(Digest::sha256, key_, std::string{timestamp} + token));
        if (!same_secret(expected, signature)) return Refusal{403, "forged"};
        const auto signed_at = unix_seconds(timestamp);
        if (!signed_at || !is_timely(*signed_at, now_unix)) return Refusal{403, "stale"};
        ReceiptList list{references_, Channel::email};
        read(get_object(root, "event-data"), list);
        return list.take(token);
    }

private:
    static void read(const Object& event, ReceiptList& list) {
        const auto what = mailgun_event(event);
        if (!what) return;
        const auto& variables = get_object(event, "user-variables");
        std::string reference{get_text(variables, "fanfare")};
        if (const auto person = get_text(variables, "person"); !reference.empty()) {
            reference.append(".").append(person);
        }
        list.add_ours(reference, *what, get_seconds(event, "timestamp"),
                      get_text(event, "recipient"), get_text(event, "id"));
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
