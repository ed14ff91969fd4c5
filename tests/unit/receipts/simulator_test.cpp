// The simulator signs and writes its webhooks by itself: both must read the documents alike.
#include "core/reference/compact.hpp"
#include "receipts_case.hpp"
#include "sim/webhooks/event.hpp"

namespace fanfare::test {
namespace {

using sim::EventKind;
using sim::Scheme;

class SimulatorTest : public ReceiptsTest {
protected:
    SimulatorTest() {
        sim::make_key_pairs(keys);
        keys.sns_url = "https://localhost:8443/sns";
    }

    AccountSettings account_of(Scheme scheme) const {
        switch (scheme) {
            case Scheme::mailgun:
                return account("mailgun", {{"webhook_signing_key", keys.mailgun_signing_key}});
            case Scheme::sendgrid:
                return account("sendgrid", {},
                               {{"webhook_public_key", sim::sendgrid_public_key(keys)}});
            case Scheme::ses: {
                auto settings = account("ses", {}, {{"topic_arn", keys.sns_topic}});
                settings.allow_http = true;
                return settings;
            }
            case Scheme::twilio:
                return account("twilio", {{"auth_token", keys.twilio_token}});
            case Scheme::vonage_sms:
            case Scheme::vonage_messages:
                break;
        }
        return account(
            "vonage", {{"signature_secret", keys.vonage_secret}},
            {{"signature_method", keys.vonage_method}, {"api_key", keys.vonage_api_key}});
    }

    /// What the provider was given, for it to give it back.
    std::vector<std::pair<std::string, std::string>> data_of(Scheme scheme) const {
        const auto whole = reference(channel_of(scheme));
        if (scheme == Scheme::mailgun) {
            const auto second = whole.find('.', whole.find('.') + 1);
            return {{"fanfare", whole.substr(0, second)}, {"person", whole.substr(second + 1)}};
        }
        if (scheme == Scheme::ses) {
            auto tag = whole;
            for (int i = 0; i < 3; ++i) tag[tag.find('.')] = '_';
            return {{"fanfare", tag}};
        }
        if (scheme == Scheme::vonage_sms) {
            return {{"client-ref", compact_reference(whole).value_or("")}};
        }
        if (scheme == Scheme::vonage_messages) return {{"client_ref", whole}};
        return {{"fanfare", whole}};
    }

    static Channel channel_of(Scheme scheme) {
        return scheme == Scheme::mailgun || scheme == Scheme::sendgrid || scheme == Scheme::ses
                   ? Channel::email
                   : Channel::sms;
    }

    Reception deliver(const sim::Event& event) {
        std::string target = "/webhooks/a";
        if (event.delivery.scheme == Scheme::twilio) target += "?ref=" + reference(Channel::sms);
        const sim::Posting posting{"https://x.example" + target, vector_time * 1'000, 7};
        const auto request = sim::compose({&event, 1}, keys, posting);
        auto call = post(request.url.substr(std::string{"https://x.example"}.size()), request.body);
        if (request.get) call.method = "GET";
        for (const auto& line : request.headers) {
            const auto colon = line.find(": ");
            call.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
        }
        const auto receiver =
            make_receiver(account_of(event.delivery.scheme), {"https://x.example", references});
        const Documents documents = [this](const std::string&) {
            return &keys.sns_certificate_pem;
        };
        return receiver->receive(call, documents, vector_time);
    }

    sim::Keys keys;
};

TEST_F(SimulatorTest, SaysWhatTheReceiverHears) {
    const std::vector<std::pair<EventKind, ReceiptEvent>> kinds{
        {EventKind::accepted, ReceiptEvent::accepted},
        {EventKind::delivered, ReceiptEvent::delivered},
        {EventKind::soft_bounced, ReceiptEvent::soft_bounced},
        {EventKind::hard_bounced, ReceiptEvent::hard_bounced},
        {EventKind::unsubscribed, ReceiptEvent::unsubscribed},
    };
    for (const auto scheme : {Scheme::mailgun, Scheme::sendgrid, Scheme::ses, Scheme::twilio,
                              Scheme::vonage_sms, Scheme::vonage_messages}) {
        for (const auto& [kind, wanted] : kinds) {
            sim::Event event;
            event.kind = kind;
            event.delivery.scheme = scheme;
            event.delivery.address =
                channel_of(scheme) == Channel::email ? "a@x.example" : "+447700900000";
            event.delivery.message_id = "m1";
            event.delivery.sender = "s";
            event.delivery.data = data_of(scheme);
            event.happened_ms = vector_time * 1'000;
            const auto got = deliver(event);
            const auto where =
                fmt::format("scheme {} kind {}", static_cast<int>(scheme), to_string(kind));
            ASSERT_TRUE(is_received(got)) << where << ": " << why(got);
            const auto& receipts = std::get<AcceptedWebhook>(got).receipts;
            ASSERT_EQ(receipts.size(), 1U) << where;
            // Who unsubscribes of SMS is not sent any.
            const bool is_refused =
                kind == EventKind::unsubscribed && channel_of(scheme) == Channel::sms;
            const auto meant = is_refused ? ReceiptEvent::opted_out : wanted;
            EXPECT_EQ(to_string(receipts[0].event), to_string(meant)) << where;
            EXPECT_EQ(receipts[0].reference, (Reference{job, channel_of(scheme), 7, 3})) << where;
            EXPECT_NE(receipts[0].address, "") << where;
        }
    }
}

}  // namespace
}  // namespace fanfare::test
