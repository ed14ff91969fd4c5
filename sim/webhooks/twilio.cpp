// Twilio: a form to the StatusCallback of the message; HMAC-SHA1 over URL and form.

#include "sim/webhooks/event.hpp"
#include "sim/webhooks/signing.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <ctime>

namespace fanfare::sim {

namespace {

struct TwilioWords {
    std::string_view status, code, text;
};

constexpr TwilioWords delivered{"delivered", {}, {}};

// By EventKind.
constexpr std::array<TwilioWords, event_kind_count> twilio_words = {
    {{"queued", {}, {}},
     {"queued", {}, {}},
     {"sent", {}, {}},
     delivered,
     delivered,
     delivered,
     {"failed", "21610", "Attempt to send to unsubscribed recipient"},
     delivered,
     {"undelivered", "30008", "Unknown error"},
     {"undelivered", "30005", "Unknown destination handset"}}};

}  // namespace

HttpRequest compose_twilio(const Event& event, const Keys& keys, const Posting& posting) {
    const auto& delivery = event.delivery;
    const auto& said = twilio_words[static_cast<std::size_t>(event.kind)];
    const auto url = posting.url.substr(0, posting.url.find('#'));  // Not signed, not sent.
    std::string done_at;
    std::vector<Field> fields{{"AccountSid", keys.twilio_sid}, {"ApiVersion", "2010-04-01"}};
    if (!said.code.empty()) fields.push_back({"ErrorCode", said.code});
    if (!said.text.empty()) fields.push_back({"ErrorMessage", said.text});
    if (!delivery.sender.empty()) fields.push_back({"From", delivery.sender});
    fields.push_back({"MessageSid", delivery.message_id});
    fields.push_back({"MessageStatus", said.status});
    for (const auto& [name, value] : delivery.data) fields.push_back({name, value});
    if (event.kind >= EventKind::delivered) {
        done_at = fmt::format("{:%y%m%d%H%M}",
                              fmt::gmtime(static_cast<std::time_t>(event.happened_ms / 1000)));
        fields.push_back({"RawDlrDoneDate", done_at});
    }
    fields.push_back({"SmsSid", delivery.message_id});
    fields.push_back({"SmsStatus", said.status});
    fields.push_back({"To", delivery.address});
    const auto signature = twilio_signature(keys.twilio_token, url, fields);
    const auto id = to_uuid(event.number, static_cast<std::uint64_t>(event.kind));
    return {
        .url = url,
        .headers = {"Content-Type: application/x-www-form-urlencoded; charset=UTF-8",
                    "User-Agent: TwilioProxy/1.1", header_line("I-Twilio-Idempotency-Token", id),
                    header_line("X-Twilio-Signature", signature)},
        .body = encode_form(fields)};
}

}  // namespace fanfare::sim
