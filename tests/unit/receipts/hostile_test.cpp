// No bytes make a receiver throw, and none that nobody signed make a receipt.
#include "receipts_case.hpp"

#include <random>

namespace fanfare::test {
namespace {

std::vector<AccountSettings> all_accounts() {
    return {account("mailgun", {{"webhook_signing_key", "k"}}),
            account("sendgrid", {},
                    {{"webhook_public_key",
                      text(vector("sendgrid_event_webhook"), "public_key_b64_spki_der")}}),
            account("ses", {}, {{"topic_arn", vector_topic}}),
            account("twilio", {{"auth_token", "k"}}),
            account("vonage", {{"signature_secret", "s"}})};
}

TEST_F(ReceiptsTest, HostileBodiesAreRefused) {
    std::vector<std::string> bodies{"",
                                    "{",
                                    "[]",
                                    "{}",
                                    "null",
                                    "[[[[",
                                    std::string(100'000, '['),
                                    std::string(1'000'000, 'a'),
                                    std::string("\0\xff\xfe", 3),
                                    "a=%zz",
                                    "%",
                                    "&&&=",
                                    R"({"signature":[]})",
                                    R"({"signature":{"timestamp":1,"token":2,"signature":3}})",
                                    R"({"Type":7,"TopicArn":{}})",
                                    "sig=",
                                    "sig=1&sig=2&timestamp=99999999999999999999",
                                    R"({"sig":"00","timestamp":-1})"};
    for (const auto* const file :
         {"sns_notification_v1.json", "sendgrid_payload.bin", "vonage_status_body.json"}) {
        const auto whole = vector_file(file);
        for (std::size_t cut = 0; cut < whole.size(); cut += 7)
            bodies.push_back(whole.substr(0, cut));
    }
    for (const auto& settings : all_accounts()) {
        for (const auto& body : bodies) {
            for (const auto* const value :
                 {"", "x", "Bearer ", "Bearer ..", "Bearer a.b.c", "====", "MEQ="}) {
                const auto call =
                    post("/w?ref=%00&bodySHA256=" + std::string(value).substr(0, 1), body,
                         {{"Authorization", value},
                          {"X-Twilio-Signature", value},
                          {"X-Twilio-Email-Event-Webhook-Signature", value},
                          {"X-Twilio-Email-Event-Webhook-Timestamp", "1767225600"},
                          {"Content-Type", "application/json"}});
                EXPECT_FALSE(is_received(receive(settings, call)))
                    << settings.type << ": " << body.substr(0, 60);
            }
        }
    }
}

TEST_F(ReceiptsTest, SignedNonsenseMakesNoReceiptAndNoFault) {
    std::mt19937 random{7};
    const std::string alphabet = "{}[]\",:0eE.-nulltrufas\\u00 \xc3\x28";
    const auto settings = account("mailgun", {{"webhook_signing_key", "k"}});
    for (int round = 0; round < 20'000; ++round) {
        std::string data;
        const auto length = random() % 40;
        for (unsigned i = 0; i < length; ++i) data.push_back(alphabet[random() % alphabet.size()]);
        EXPECT_NE(event(receive(settings, mailgun_call("k", data))), "delivered");
    }
}

TEST_F(ReceiptsTest, ThousandsOfEventsAreOneDelivery) {
    ReceiptList list{references, Channel::email};
    for (int i = 0; i < 5'000; ++i) list.add(reference(), ReceiptEvent::delivered, i, "a@x", "e");
    auto received = list.take("t");
    const auto batches = batch_receipts("mailgun", Channel::email, received.receipts);
    EXPECT_EQ(batches.size(), 5U);
    for (const auto& batch : batches) EXPECT_TRUE(decode_receipts(encode_receipts(batch)));
}

TEST_F(ReceiptsTest, WhatKafkasReadersRefuseIsLeftOut) {
    ReceiptList list{references, Channel::sms};
    list.add("", ReceiptEvent::delivered, -5, std::string(400, 'a'), "\xff");
    list.add("", ReceiptEvent::delivered, 1, "a\nb", std::string(300, 'x'));
    auto received = list.take("");
    for (const auto& receipt : received.receipts) {
        EXPECT_EQ(receipt.address, "");
        EXPECT_EQ(receipt.event_id, "");
        EXPECT_GE(receipt.at_unix, 0);
    }
    for (const auto& batch : batch_receipts("a", Channel::sms, received.receipts)) {
        EXPECT_TRUE(decode_receipts(encode_receipts(batch)));
    }
}

}  // namespace
}  // namespace fanfare::test
