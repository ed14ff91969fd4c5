// Any bytes, to any receiver, give a reception; those of a stranger give no receipt. The first
// byte chooses the provider, and whether Mailgun's signature is made good so that its events
// are read too.
#include "core/error/failure.hpp"
#include "producer/receipts/crypto.hpp"
#include "producer/receipts/receiver.hpp"
#include "producer/receipts/ses_events.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace {

using namespace fanfare;

const References references{Secret{"a link key of at least 32 bytes, for fuzzing"}};

std::unique_ptr<Receiver> make(const std::string& type) {
    AccountSettings account;
    account.name = type;
    account.type = type;
    for (const auto* const name : {"webhook_signing_key", "auth_token", "signature_secret"}) {
        account.secrets[name] = Secret{"k"};
    }
    account.options["topic_arn"] = "arn:aws:sns:us-east-1:123456789012:ses-events";
    account.options["webhook_public_key"] =
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEE0NhzfOW3qUg2PXidD7w1quO0b54NNJeSbpWMv+gDKeAN7aU+ntw"
        "vNBs6YuwYf+HMfgiMbfLzwLh3+fzTvc9Vw==";
    return make_receiver(account, {"https://x.example", references});
}

HttpCall make_call(std::string body) {
    HttpCall call;
    call.method = "POST";
    call.target = call.path = "/webhooks/a";
    call.headers = {{"X-Twilio-Signature", "AAAA"},
                    {"X-Twilio-Email-Event-Webhook-Signature", "MEQ="},
                    {"X-Twilio-Email-Event-Webhook-Timestamp", "1767225600"}};
    call.body = std::move(body);
    return call;
}

/// A delivery of these bytes as Mailgun would sign it.
std::string signed_by_mailgun(const std::string& data) {
    const auto signature = hex(compute_hmac(Digest::sha256, "k", "1767225600t"));
    return R"({"signature":{"timestamp":"1767225600","token":"t","signature":")" + signature +
           R"("},"event-data":)" + data + "}";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    static const std::array receivers{make("mailgun"), make("sendgrid"), make("ses"),
                                      make("twilio"), make("vonage")};
    if (size == 0) return 0;
    std::string rest{reinterpret_cast<const char*>(bytes + 1), size - 1};
    ReceiptList list{references, Channel::email};
    receipts::read_ses_event(rest, "m", list);
    const bool good = bytes[0] >= 128;
    if (good) rest = signed_by_mailgun(rest);
    const auto& receiver = good ? receivers[0] : receivers[bytes[0] % receivers.size()];
    const Documents none = [](const std::string&) -> const std::string* { return nullptr; };
    const auto reception = receiver->receive(make_call(std::move(rest)), none, 1'767'225'600);
    const auto* const received = std::get_if<AcceptedWebhook>(&reception);
    ensure(good || received == nullptr, "nobody's webhook is not taken");
    if (received == nullptr) return 0;
    for (const auto& batch : batch_receipts("a", Channel::email, received->receipts)) {
        ensure(decode_receipts(encode_receipts(batch)).has_value(), "Kafka's readers take it");
    }
    return 0;
}
