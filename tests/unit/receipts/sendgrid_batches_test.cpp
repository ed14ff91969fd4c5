// SendGrid tells of many in one post: what is bad in it spoils nothing else.
#include "core/handle/handle.hpp"
#include "receipts_case.hpp"
#include "sim/webhooks/keys.hpp"
#include "sim/webhooks/signing.hpp"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>

namespace fanfare::test {
namespace {

/// A batch of SendGrid's, signed with the simulator's key.
class SendGridBatches : public ReceiptsTest {
protected:
    SendGridBatches() { sim::make_key_pairs(keys); }

    Reception deliver(const std::string& body, const std::string& signature) {
        const auto settings =
            account("sendgrid", {}, {{"webhook_public_key", sim::sendgrid_public_key(keys)}});
        return receive(settings,
                       post("/", body,
                            {{"X-Twilio-Email-Event-Webhook-Signature", base64(signature)},
                             {"X-Twilio-Email-Event-Webhook-Timestamp", timestamp}}));
    }

    std::string sign(const std::string& body) const {
        return sim::sign(keys.sendgrid, "sha256", timestamp + body);
    }

    /// The events of a body that was taken, and how many could not be read.
    std::string events(const std::string& body) {
        const auto reception = deliver(body, sign(body));
        const auto* const got = std::get_if<AcceptedWebhook>(&reception);
        if (got == nullptr) return why(reception);
        std::string words;
        for (const auto& each : got->receipts) {
            words.append(to_string(each.event)).append(" ").append(each.address).append(", ");
        }
        for (const auto& batch : batch_receipts("a", Channel::email, got->receipts)) {
            EXPECT_TRUE(decode_receipts(encode_receipts(batch))) << "Kafka's readers take it";
        }
        return words + std::to_string(got->unread);
    }

    std::string timestamp = std::to_string(vector_time);
    sim::Keys keys;
};

std::string bounce_of(const std::string& address, const std::string& more = "") {
    return R"({"event":"bounce","type":"bounce","email":")" + address + "\"" + more + "}";
}

TEST_F(SendGridBatches, OneBadStringLosesNothingElse) {
    const auto good = bounce_of("a@x.example");
    const auto reason = [](const std::string& text) {
        return bounce_of("b@x.example", R"(,"reason":")" + text + "\"");
    };
    const std::string all =
        "hard_bounced a@x.example, hard_bounced b@x.example, "
        "hard_bounced a@x.example, 0";
    for (const std::string& text :
         {std::string{"caf\xE9"}, std::string{"\xFF\xFE"}, std::string{R"(\ud83d)"},
          std::string{R"(\ude00\ud83d)"}, std::string{R"(\ud83d\u0041)"}, std::string{R"(\x41 \')"},
          std::string{R"(\u12g4)"}, std::string{"tab\there"}, std::string{"nul\0here", 8},
          std::string{"half \xE2\x82"}, std::string{"line\nbreak"}}) {
        EXPECT_EQ(events("[" + good + "," + reason(text) + "," + good + "]\r\n"), all) << text;
    }
}

TEST_F(SendGridBatches, OneBadEventLosesNoOther) {
    const auto good = bounce_of("a@x.example");
    const std::string both = "hard_bounced a@x.example, hard_bounced a@x.example, 1";
    for (const std::string& bad :
         {std::string{"7"}, std::string{"null"}, std::string{"{"} + R"("event":NaN})",
          std::string{R"({"event":})"}, std::string{R"({"a":{"b":[1,}}})"}, std::string{"nonsense"},
          std::string{R"({"deep":)"} + std::string(40, '[') + std::string(40, ']') + "}"}) {
        EXPECT_EQ(events("[" + good + "," + bad + "," + good + "]"), both) << bad;
    }
    EXPECT_EQ(events("[" + good + "," + good.substr(0, 20)), "hard_bounced a@x.example, 1");
    EXPECT_EQ(events("[]"), "0");
    EXPECT_EQ(events("{}"), "malformed");
    EXPECT_EQ(events("nonsense"), "malformed");
}

TEST_F(SendGridBatches, AnAddressThatCannotBeOneIsLeftOutAndNothingElse) {
    const auto good = bounce_of("a@x.example");
    EXPECT_EQ(events("[" + bounce_of("b\xE9@x.example") + "," + good + "]"),
              "hard_bounced b\xEF\xBF\xBD@x.example, hard_bounced a@x.example, 0");
    EXPECT_EQ(events("[" + bounce_of(R"(b\u0000@x)") + "," + good + "]"),
              "hard_bounced , hard_bounced a@x.example, 0");
}

TEST_F(SendGridBatches, OpensByMachinesAreNone) {
    const auto open = [](const std::string& more) {
        return R"([{"event":"open","email":"a@x.example")" + more + "}]";
    };
    EXPECT_EQ(events(open("")), "opened a@x.example, 0");
    EXPECT_EQ(events(open(R"(,"sg_machine_open":false)")), "opened a@x.example, 0");
    EXPECT_EQ(events(open(R"(,"sg_machine_open":true)")), "0");
    EXPECT_EQ(events(open(R"(,"sg_machine_open":"true")")), "0");
}

TEST_F(SendGridBatches, WhoOptedOutIsRefusedAndNotDelivered) {
    const auto dropped = [](const std::string& reason) {
        return R"([{"event":"dropped","email":"a@x.example","reason":")" + reason + "\"}]";
    };
    EXPECT_EQ(events(dropped("Unsubscribed Address")), "opted_out a@x.example, 0");
    EXPECT_EQ(events(dropped("Bounced Address")), "hard_bounced a@x.example, 0");
    EXPECT_EQ(events(dropped("Spam Content")), "failed a@x.example, 0");
}

/// The other signature that verifies for the same bytes: (r, n - s).
std::string other_form(const std::string& der) {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const Handle<ECDSA_SIG, ECDSA_SIG_free> signature{
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()))};
    const Handle<EC_GROUP, EC_GROUP_free> group{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)};
    auto* const r = BN_dup(ECDSA_SIG_get0_r(signature.get()));
    auto* const s = BN_dup(EC_GROUP_get0_order(group.get()));
    BN_sub(s, s, ECDSA_SIG_get0_s(signature.get()));
    ECDSA_SIG_set0(signature.get(), r, s);
    unsigned char* bytes = nullptr;
    const auto size = i2d_ECDSA_SIG(signature.get(), &bytes);
    std::string other{reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
    OPENSSL_free(bytes);
    return other;
}

TEST_F(SendGridBatches, AnotherFormOfASignatureIsTheSameDelivery) {
    const auto body = "[" + bounce_of("a@x.example") + "]";
    const auto signature = sign(body);
    const auto other = other_form(signature);
    ASSERT_NE(signature, other);
    const auto first = std::get<AcceptedWebhook>(deliver(body, signature));
    const auto second = std::get<AcceptedWebhook>(deliver(body, other));
    EXPECT_EQ(first.token, second.token);
    EXPECT_NE(first.token, std::get<AcceptedWebhook>(deliver(body + " ", sign(body + " "))).token);
}

}  // namespace
}  // namespace fanfare::test
