#include "core/providers/twilio/twilio.hpp"

#include "core/audience/address.hpp"
#include "core/providers/bytes.hpp"
#include "core/providers/encoding.hpp"
#include "core/providers/http1_option.hpp"

#include <algorithm>
#include <array>

namespace fanfare::twilio {
namespace {

constexpr std::array option_docs{
    OptionDoc{"account_sid", false, true, "", "AC and 32 hexadecimal digits"},
    OptionDoc{"auth_token", true, false, "", "the account's token; or use api_key_sid instead"},
    OptionDoc{"api_key_sid", false, false, "", "SK and 32 hexadecimal digits, with api_key_secret"},
    OptionDoc{"api_key_secret", true, false, "", "the secret of api_key_sid"},
    OptionDoc{"from", false, false, "",
              "sender: +number, short code, or up to 11 letters and digits; "
              "this or messaging_service_sid"},
    OptionDoc{"messaging_service_sid", false, false, "",
              "MG and 32 hexadecimal digits; this or from"},
    OptionDoc{"base_url", false, false, "https://api.twilio.com", "a regional host if need be"},
    OptionDoc{"segments_max", false, false, "10", "longer texts are not sent; each segment costs"},
    OptionDoc{"webhook_auth_token", true, false, "",
              "the account's primary token, for receipts; needed with api_key_sid only"},
    http1_option,
};

constexpr std::int64_t validity_min = 6;  // Twilio calls 5 seconds and less unwise.
constexpr std::int64_t validity_max = 36'000;

/// What compose() needs, all of it prebuilt.
struct Parts {
    std::string url;
    std::array<std::string, 2> headers;
    std::string sender;    // "&From=...&MessagingServiceSid=..."
    std::string callback;  // "&StatusCallback=...%3Fref%3D", or "".
    std::size_t segments_max = 10;
    const Clock* clock = nullptr;
};

/// An account at Twilio: one form-encoded call for each recipient.
///
/// Bounds    one recipient a call.
/// Threads   const functions on any thread; nothing changes after construction.
class Twilio final : public Provider {
public:
    explicit Twilio(Parts parts) : parts_{std::move(parts)} {}

    [[nodiscard]] std::string_view type() const noexcept override { return twilio::type; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::sms; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 1; }
    [[nodiscard]] RateUnit rate_unit() const noexcept override { return RateUnit::segments; }
    [[nodiscard]] std::size_t segments_max() const noexcept override { return parts_.segments_max; }

    void compose(const Batch& batch, HttpRequest& out) const override {
        ensure_composable(batch, Channel::sms, 1);
        const auto& message = batch.messages.front();
        thread_local std::string text;
        text.clear();
        write_sms(batch.content.text, message.values, text);

        out.url = parts_.url;
        out.http2 = false;
        out.headers.assign(parts_.headers.begin(), parts_.headers.end());
        auto& body = out.body;
        body.assign("To=");
        append_percent_encoded(message.address, body);
        body.append(parts_.sender).append("&Body=");
        append_percent_encoded(text, body);
        if (!parts_.callback.empty()) append_callback(batch.reference, message.ref, body);
        if (batch.expires_at_unix > 0) append_validity(batch.expires_at_unix, body);
    }

    [[nodiscard]] BatchAnswer read(const HttpAnswer& answer, std::size_t /*count*/,
                                   std::int64_t now_unix) const override {
        return read_answer(answer, now_unix);
    }

    /// One of the messages of before.
    [[nodiscard]] std::optional<HttpRequest> harmless_call() const override {
        return get_request(parts_.url + "?PageSize=1", {parts_.headers[0]});
    }

private:
    void append_callback(const SendReference& reference, std::string_view ref,
                         std::string& body) const {
        body.append(parts_.callback);
        // Encoded twice: once as a value of the callback's query, once as a form field.
        thread_local std::string value;
        value.clear();
        append_percent_encoded(reference.job, value);
        value.push_back('.');
        append_number(reference.chunk, value);
        value.push_back('.');
        append_percent_encoded(ref, value);
        append_percent_encoded(value, body);
    }

    /// Without it Twilio would keep a message in its queue for up to ten hours.
    void append_validity(std::int64_t expires_at_unix, std::string& body) const {
        const auto now = std::chrono::floor<std::chrono::seconds>(parts_.clock->now());
        const auto left = expires_at_unix - now.time_since_epoch().count();
        if (left >= validity_max) return;
        body.append("&ValidityPeriod=");
        append_number(std::max(left, validity_min), body);
    }

    Parts parts_;
};

/// Two letters and 32 hexadecimal digits.
bool is_sid(std::string_view text, std::string_view prefix) noexcept {
    return text.size() == 34 && text.starts_with(prefix) &&
           std::all_of(text.begin() + 2, text.end(),
                       [](char c) { return (bytes::char_flags(c) & bytes::hex) != 0; });
}

/// A number, a short code, or a name of up to 11 letters, digits and blanks.
bool is_sender(std::string_view from) noexcept {
    const auto is_name_byte = [](char c) {
        return c == ' ' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
               (c >= 'a' && c <= 'z');
    };
    return address_is_sendable(Channel::sms, from) ||
           (from.size() <= 11 && std::all_of(from.begin(), from.end(), is_name_byte));
}

void append_field(std::string_view name, const std::string& value, std::string& out) {
    if (value.empty()) return;
    out.append("&").append(name).append("=");
    append_percent_encoded(value, out);
}

/// "Authorization: ..." of the token or of the API key; a problem unless it is exactly one.
std::string authorization(OptionReader& reader) {
    const bool by_token = reader.has("auth_token");
    const bool by_key = reader.has("api_key_sid") || reader.has("api_key_secret");
    if (by_token && by_key) {
        reader.refuse("auth_token", "either auth_token, or api_key_sid and api_key_secret");
    } else if (!by_token && !by_key) {
        reader.refuse("auth_token", "auth_token, or api_key_sid and api_key_secret");
    } else if (by_key && !reader.has("api_key_secret")) {
        reader.refuse("api_key_secret", "the secret of api_key_sid");
    } else if (by_key && !is_sid(reader.text("api_key_sid"), "SK")) {
        reader.refuse("api_key_sid", "SK and 32 hexadecimal digits");
    }
    return by_token
               ? basic_authorization(reader.text("account_sid"), reader.text("auth_token"))
               : basic_authorization(reader.text("api_key_sid"), reader.text("api_key_secret"));
}

}  // namespace

std::span<const OptionDoc> options() { return option_docs; }

std::unique_ptr<Provider> make(OptionReader& reader, const ProviderContext& context) {
    Parts parts;
    const auto base_url = reader.url("base_url");
    const auto account_sid = reader.text("account_sid");
    const auto from = reader.text("from");
    const auto service = reader.text("messaging_service_sid");
    const auto ignored = reader.batch_max(1);
    static_cast<void>(ignored);
    parts.segments_max = reader.whole("segments_max", 1, 10);
    reader.require_channel(Channel::sms);
    check_http1_option(reader);
    reader.require("account_sid", is_sid(account_sid, "AC"), "AC and 32 hexadecimal digits");
    reader.require("messaging_service_sid", is_sid(service, "MG"), "MG and 32 hexadecimal digits");
    reader.require("from", is_sender(from),
                   "+number, a short code, or up to 11 letters, digits and blanks");
    if (from.empty() && service.empty()) {
        reader.refuse("from", "from or messaging_service_sid");
    }
    parts.headers = {authorization(reader), "Content-Type: application/x-www-form-urlencoded"};
    if (!reader.problems().empty()) return nullptr;

    parts.url = base_url + "/2010-04-01/Accounts/" + account_sid + "/Messages.json";
    parts.clock = context.clock;
    append_field("From", from, parts.sender);
    append_field("MessagingServiceSid", service, parts.sender);
    if (!context.callback_url.empty()) {
        std::string callback = context.callback_url;
        while (callback.ends_with('/')) callback.pop_back();
        append_field("StatusCallback",
                     callback + "/webhooks/" + reader.account().name + "?ref=", parts.callback);
    }
    return std::make_unique<Twilio>(std::move(parts));
}

}  // namespace fanfare::twilio
