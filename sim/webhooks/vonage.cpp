// Vonage: receipts of the SMS API as a signed form, statuses of the Messages API as JSON with a
// token that covers its hash.

#include "sim/webhooks/event.hpp"
#include "sim/webhooks/signing.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <boost/json/serialize.hpp>

#include <array>
#include <ctime>

namespace fanfare::sim {

namespace json = boost::json;

namespace {

struct SmsWords {
    std::string_view status, code;
};

constexpr SmsWords sms_delivered{"delivered", "0"};

// By EventKind.
constexpr std::array<SmsWords, event_kind_count> sms_words = {{{"accepted", "0"},
                                                               {"accepted", "0"},
                                                               {"buffered", "0"},
                                                               sms_delivered,
                                                               sms_delivered,
                                                               sms_delivered,
                                                               {"rejected", "9"},
                                                               sms_delivered,
                                                               {"failed", "1"},
                                                               {"failed", "3"}}};

struct StatusWords {
    std::string_view status;
    int code;
    std::string_view detail;
};

constexpr StatusWords submitted{"submitted", 0, {}};
constexpr StatusWords status_delivered{"delivered", 0, {}};

// By EventKind.
constexpr std::array<StatusWords, event_kind_count> status_words = {
    {submitted,
     submitted,
     submitted,
     status_delivered,
     status_delivered,
     status_delivered,
     {"rejected", 1240, "Opted out"},
     status_delivered,
     {"undeliverable", 1330, "Unknown"},
     {"undeliverable", 1190, "Absent Subscriber - Permanent"}}};

// Vonage writes numbers without the plus.
std::string_view strip_plus(std::string_view number) {
    return number.starts_with('+') ? number.substr(1) : number;
}

std::tm utc_time(const Event& event) {
    return fmt::gmtime(static_cast<std::time_t>(event.happened_ms / 1000));
}

}  // namespace

HttpRequest compose_vonage_sms(const Event& event, const Keys& keys, const Posting& posting) {
    const auto& delivery = event.delivery;
    const auto& said = sms_words[static_cast<std::size_t>(event.kind)];
    const auto done_at = fmt::format("{:%y%m%d%H%M}", utc_time(event));
    const auto told_at = fmt::format("{:%Y-%m-%d %H:%M:%S}", utc_time(event));
    const auto timestamp = fmt::format("{}", posting.now_ms / 1000);
    const auto nonce = to_uuid(event.number, posting.attempt);
    std::vector<Field> fields{{"msisdn", strip_plus(delivery.address)},
                              {"to", delivery.sender},
                              {"network-code", "23410"},
                              {"messageId", delivery.message_id},
                              {"price", "0.03330000"},
                              {"status", said.status},
                              {"scts", done_at},
                              {"err-code", said.code},
                              {"api-key", keys.vonage_api_key},
                              {"message-timestamp", told_at}};
    for (const auto& [name, value] : delivery.data) fields.push_back({name, value});
    fields.push_back({"timestamp", timestamp});
    fields.push_back({"nonce", nonce});
    const auto signature = vonage_signature(keys.vonage_method, keys.vonage_secret, fields);
    fields.push_back({"sig", signature});
    return {.url = posting.url,
            .headers = {"Content-Type: application/x-www-form-urlencoded", "User-Agent: Nexmo/1.0"},
            .body = encode_form(fields)};
}

HttpRequest compose_vonage_messages(const Event& event, const Keys& keys, const Posting& posting) {
    const auto& delivery = event.delivery;
    const auto& said = status_words[static_cast<std::size_t>(event.kind)];
    json::object told{{"message_uuid", delivery.message_id},
                      {"to", strip_plus(delivery.address)},
                      {"from", delivery.sender},
                      {"timestamp", iso_time(event.happened_ms)},
                      {"status", said.status}};
    if (said.code != 0) {
        told["error"] = json::object{
            {"type", fmt::format("https://developer.vonage.com/api-errors/messages#{}", said.code)},
            {"title", said.code},
            {"detail", said.detail},
            {"instance", to_hex(event.number, 1, 32)}};
    } else {
        told["usage"] = json::object{{"currency", "EUR"}, {"price", "0.0333"}};
    }
    told["channel"] = "sms";
    told["destination"] = json::object{{"network_code", "23410"}};
    told["sms"] = json::object{{"count_total", "1"}};
    for (const auto& [name, value] : delivery.data) told[name] = value;
    auto body = json::serialize(told);
    const json::object claims{{"iat", posting.now_ms / 1000},
                              {"jti", to_uuid(event.number, 1'000 + posting.attempt)},
                              {"iss", "Vonage"},
                              {"payload_hash", hex(digest("sha256", body))},
                              {"api_key", keys.vonage_api_key},
                              {"application_id", keys.vonage_application}};
    const auto token = hs256_token(keys.vonage_secret, json::serialize(claims));
    return {.url = posting.url,
            .headers = {"Content-Type: application/json", "User-Agent: Vonage/1.0",
                        header_line("Authorization", "Bearer " + token)},
            .body = std::move(body)};
}

}  // namespace fanfare::sim
