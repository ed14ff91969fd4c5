#pragma once

#include "producer/receipts/crypto.hpp"
#include "producer/receipts/receiver.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::test {

/// The moment of all vectors: 2026-01-01T00:00:00Z.
inline constexpr std::int64_t vector_time = 1'767'225'600;
inline const std::string certificate_url =
    "https://sns.us-east-1.amazonaws.com/"
    "SimpleNotificationService-0000000000000000000000000000test.pem";
inline const std::string vector_topic = "arn:aws:sns:us-east-1:123456789012:ses-events";

inline std::string vector_file(const std::string& name) {
    std::ifstream stream{FANFARE_SOURCE_DIR "/tests/fixtures/vectors/" + name, std::ios::binary};
    EXPECT_TRUE(stream) << name;
    return {std::istreambuf_iterator<char>{stream}, {}};
}

inline const boost::json::object& vector(const char* name) {
    static const auto all = boost::json::parse(vector_file("vectors.json"));
    return all.at(name).as_object();
}

inline std::string text(const boost::json::object& object, const char* key) {
    return std::string{object.at(key).as_string().c_str()};
}

inline AccountSettings account(const std::string& type,
                               const std::map<std::string, std::string>& secrets,
                               const std::map<std::string, std::string>& options = {}) {
    AccountSettings settings;
    settings.name = type;
    settings.type = type;
    settings.channel = type == "twilio" || type == "vonage" ? Channel::sms : Channel::email;
    settings.options = options;
    for (const auto& [name, value] : secrets) settings.secrets[name] = Secret{value};
    return settings;
}

inline HttpCall post(std::string target, std::string body,
                     std::vector<std::pair<std::string, std::string>> headers = {}) {
    HttpCall call;
    call.method = "POST";
    call.path = target.substr(0, target.find('?'));
    if (call.path.size() < target.size()) call.query = target.substr(call.path.size() + 1);
    call.target = std::move(target);
    call.body = std::move(body);
    call.headers = std::move(headers);
    return call;
}

/// What a receiver says, with the vectors' certificate at hand.
class ReceiptsTest : public ::testing::Test {
protected:
    Reception receive(const AccountSettings& settings, const HttpCall& call,
                      std::int64_t now = vector_time,
                      const std::string& base = "https://x.example") {
        const auto receiver = make_receiver(settings, {base, references});
        const Documents documents = [this](const std::string& url) -> const std::string* {
            return url == certificate_url ? &certificate : nullptr;
        };
        return receiver->receive(call, documents, now);
    }

    std::string reference(Channel channel = Channel::email) const {
        std::vector<std::string> refs;
        references.write_refs(job, channel, 7, 4, refs);
        return job + ".7." + refs[3];
    }

    /// Mailgun's variables with a reference of ours: `"user-variables":{...}`.
    std::string mailgun_variables(Channel channel = Channel::email) const {
        const auto whole = reference(channel);
        const auto second = whole.find('.', whole.find('.') + 1);
        return fmt::format(R"("user-variables":{{"fanfare":"{}","person":"{}"}})",
                           whole.substr(0, second), whole.substr(second + 1));
    }

    std::string job = "0b5a8c2e-1111-4222-8333-444455556666";
    References references{Secret{"a link key of at least 32 bytes, for tests"}};
    std::string certificate = vector_file("test-only-sns-cert.pem");
};

inline bool is_received(const Reception& reception) {
    return std::holds_alternative<AcceptedWebhook>(reception);
}
inline std::string why(const Reception& reception) {
    const auto* const refusal = std::get_if<Refusal>(&reception);
    if (refusal != nullptr) return std::string{refusal->why};
    return is_received(reception) ? "received" : "wanted";
}
/// The one event that was received; "" for none.
inline std::string event(const Reception& reception) {
    const auto* const received = std::get_if<AcceptedWebhook>(&reception);
    if (received == nullptr) return why(reception);
    if (received->receipts.empty()) return "";
    return std::string{to_string(received->receipts.front().event)};
}

/// Each copy of `bytes` with one bit changed.
template <class Use>
void with_each_bit_changed(const std::string& bytes, Use use) {
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        auto copy = bytes;
        copy[bit / 8] = static_cast<char>(copy[bit / 8] ^ (1 << (bit % 8)));
        use(copy, bit / 8);
    }
}

/// A Mailgun delivery of this event, signed at `at`.
inline HttpCall mailgun_call(const std::string& key, const std::string& event_data,
                             std::int64_t at = vector_time, const std::string& token = "t1") {
    const auto timestamp = std::to_string(at);
    const auto signature = hex(compute_hmac(Digest::sha256, key, timestamp + token));
    return post("/webhooks/mailgun",
                fmt::format(R"({{"signature":{{"timestamp":"{}","token":"{}","signature":"{}"}},)"
                            R"("event-data":{}}})",
                            timestamp, token, signature, event_data));
}

}  // namespace fanfare::test
