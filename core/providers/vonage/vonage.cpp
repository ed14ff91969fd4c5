#include "core/providers/vonage/vonage.hpp"

#include "core/providers/bytes.hpp"
#include "core/providers/encoding.hpp"
#include "core/providers/http1_option.hpp"
#include "core/providers/vonage/app_token.hpp"
#include "core/providers/vonage/signature.hpp"
#include "core/reference/compact.hpp"
#include "core/rendering/segments.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace fanfare::vonage {
namespace {

constexpr std::array option_docs{
    OptionDoc{"api_key", false, true, "", "the account's key"},
    OptionDoc{"api_secret", true, false, "",
              "the account's secret; or sign instead, or name an application"},
    OptionDoc{"signature_secret", true, false, "",
              "checks receipts; with signature_method it also signs what is sent"},
    OptionDoc{"signature_method", false, false, "",
              "md5hash, md5, sha1, sha256 or sha512, as set for the account; api sms only"},
    OptionDoc{"application_id", false, false, "", "an application's uuid; api messages only"},
    OptionDoc{"private_key", true, false, "", "the application's RSA key (PEM), {file: PATH}"},
    OptionDoc{"from", false, true, "",
              "sender: number with or without +, or up to 11 letters and digits"},
    OptionDoc{"api", false, false, "sms", "sms, or messages (JSON, texts up to 1,000 characters)"},
    OptionDoc{"base_url", false, false, "",
              "default: https://rest.nexmo.com for sms, https://api.nexmo.com for messages"},
    OptionDoc{"segments_max", false, false, "10", "longer texts are not sent; each segment costs"},
    http1_option,
};

constexpr std::int64_t ttl_min_s = 20;
constexpr std::int64_t ttl_max_s = 604'800;
constexpr std::size_t callback_max = 100;

/// What compose() needs, all of it prebuilt.
struct Parts {
    std::string url;
    std::string balance_url;
    std::string authorization;  // A whole header line, or "".
    std::string api_key;
    std::string api_secret;  // "" for who signs, or is an application.
    std::string signature_secret;
    std::optional<SignatureMethod> method;
    std::string from;      // Without '+'.
    std::string callback;  // "" for none.
    std::size_t segments_max = 10;
    const Clock* clock = nullptr;
    std::unique_ptr<AppToken> app_token;
};

std::int64_t unix_now(const Clock& clock) {
    return std::chrono::floor<std::chrono::seconds>(clock.now()).time_since_epoch().count();
}

/// "<job>.<chunk>.<position>.<tag>"
void append_reference(const Batch& batch, std::string_view ref, std::string& out) {
    out.append(batch.reference.job).append(".");
    append_number(batch.reference.chunk, out);
    out.append(".").append(ref);
}

/// `text` as the receiver of append_percent_encoded() has it: what a signature is over.
void append_mended(std::string_view text, std::string& out) {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const auto flags = bytes::char_flags(*at);
        if ((flags & bytes::multibyte) != 0) {
            at = bytes::append_sequence(at, end, out);
            continue;
        }
        const bool is_kept = (flags & bytes::control) == 0 || *at == '\n' || *at == '\t';
        out.push_back(is_kept ? *at : ' ');
        ++at;
    }
}

/// What both APIs have in common.
///
/// Bounds    one recipient a call.
/// Threads   const functions on any thread; nothing but the application's token changes.
class Vonage : public Provider {
public:
    explicit Vonage(Parts parts) : parts_{std::move(parts)} {}

    [[nodiscard]] std::string_view type() const noexcept override { return vonage::type; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::sms; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 1; }
    [[nodiscard]] std::size_t segments_max() const noexcept override { return parts_.segments_max; }

    void compose(const Batch& batch, HttpRequest& out) const override {
        ensure_composable(batch, Channel::sms, 1);
        const auto& message = batch.messages.front();
        thread_local std::string written;
        thread_local std::string text;
        written.clear();
        text.clear();
        write_sms(batch.content.text, message.values, written);
        append_mended(written, text);
        out.url = parts_.url;
        out.http2 = false;
        write(batch, text, message.address.substr(1), out);
    }

    /// The account's balance. Whoever signs requests, or is an application, may not ask for it.
    [[nodiscard]] std::optional<HttpRequest> harmless_call() const override {
        if (parts_.api_secret.empty()) return std::nullopt;
        return get_request(parts_.balance_url,
                           {basic_authorization(parts_.api_key, parts_.api_secret)});
    }

protected:
    virtual void write(const Batch& batch, std::string_view text, std::string_view to,
                       HttpRequest& out) const = 0;

    [[nodiscard]] const Parts& parts() const noexcept { return parts_; }

    /// Seconds for Vonage to try; 0 for its own default.
    [[nodiscard]] std::int64_t ttl(const Batch& batch) const {
        if (batch.expires_at_unix <= 0) return 0;
        const auto left = batch.expires_at_unix - unix_now(*parts_.clock);
        return std::clamp(left, ttl_min_s, ttl_max_s);
    }

private:
    Parts parts_;
};

/// The SMS API: a form, and an answer of 200 whatever happened.
class SmsApi final : public Vonage {
public:
    using Vonage::Vonage;

    [[nodiscard]] BatchAnswer read(const HttpAnswer& answer, std::size_t /*count*/,
                                   std::int64_t now_unix) const override {
        return read_sms_answer(answer, now_unix);
    }

private:
    void write(const Batch& batch, std::string_view text, std::string_view to,
               HttpRequest& out) const override {
        const auto& its = parts();
        out.headers.resize(1);
        out.headers[0] = "Content-Type: application/x-www-form-urlencoded";
        thread_local std::string reference;
        write_client_reference(batch, reference);
        const auto now = std::to_string(unix_now(*its.clock));
        const auto ttl_ms = std::to_string(ttl(batch) * 1000);
        // By name, as the signature wants them.
        thread_local std::vector<Parameter> fields;
        fields.clear();
        fields.emplace_back("api_key", its.api_key);
        if (!its.method) fields.emplace_back("api_secret", its.api_secret);
        if (!its.callback.empty()) fields.emplace_back("callback", its.callback);
        fields.emplace_back("client-ref", reference);
        fields.emplace_back("from", its.from);
        fields.emplace_back("text", text);
        if (its.method) fields.emplace_back("timestamp", now);
        fields.emplace_back("to", to);
        if (ttl_ms != "0") fields.emplace_back("ttl", ttl_ms);
        if (count_segments(text).unicode) fields.emplace_back("type", "unicode");

        auto& body = out.body;
        body.clear();
        for (const auto& [name, value] : fields) append_field(name, value, body);
        if (its.method) {
            append_field("sig", sign_parameters(fields, its.signature_secret, *its.method), body);
        }
    }

    /// At most 40 characters come back in receipts; without a tag, the job at least.
    static void write_client_reference(const Batch& batch, std::string& out) {
        thread_local std::string whole;
        whole.clear();
        out.clear();
        append_reference(batch, batch.messages.front().ref, whole);
        if (!append_compact_reference(whole, out)) out.append(batch.reference.job, 0, 40);
    }

    static void append_field(std::string_view name, std::string_view value, std::string& body) {
        if (!body.empty()) body.push_back('&');
        body.append(name).append("=");
        append_percent_encoded(value, body);
    }
};

/// The Messages API: JSON with proper HTTP statuses.
class MessagesApi final : public Vonage {
public:
    using Vonage::Vonage;

    [[nodiscard]] BatchAnswer read(const HttpAnswer& answer, std::size_t /*count*/,
                                   std::int64_t now_unix) const override {
        return read_messages_answer(answer, now_unix);
    }

private:
    void write(const Batch& batch, std::string_view text, std::string_view to,
               HttpRequest& out) const override {
        const auto& its = parts();
        out.headers.resize(2);
        out.headers[0] = "Content-Type: application/json";
        out.headers[1] = its.app_token ? *its.app_token->header() : its.authorization;
        thread_local std::string reference;
        reference.clear();
        append_reference(batch, batch.messages.front().ref, reference);

        auto& body = out.body;
        body.assign(R"({"message_type":"text","channel":"sms")");
        append_member(",\"from\":\"", its.from, body);
        append_member(",\"to\":\"", to, body);
        append_member(",\"text\":\"", text, body);
        append_member(",\"client_ref\":\"", reference, body);
        if (const auto seconds = ttl(batch); seconds > 0) {
            body.append(",\"ttl\":");
            append_number(seconds, body);
        }
        if (!its.callback.empty()) {
            append_member(",\"webhook_url\":\"", its.callback, body);
            body.append(R"(,"webhook_version":"v1")");
        }
        body.append(R"(,"sms":{"encoding_type":")");
        body.append(count_segments(text).unicode ? "unicode" : "text").append("\"}}");
    }

    static void append_member(std::string_view prefix, std::string_view value, std::string& out) {
        out.append(prefix);
        append_json(value, out);
        out.push_back('"');
    }
};

/// A number of 3 to 15 digits, or a name of up to 11 letters, digits and blanks.
bool is_sender(std::string_view from) noexcept {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto is_name_byte = [&is_digit](char c) {
        return c == ' ' || is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    };
    const auto digits = from.starts_with('+') ? from.substr(1) : from;
    const bool is_number = digits.size() >= 3 && digits.size() <= 15 &&
                           std::all_of(digits.begin(), digits.end(), is_digit);
    return is_number || (from.size() <= 11 && std::all_of(from.begin(), from.end(), is_name_byte));
}

bool is_word(std::string_view text) noexcept {
    return text.size() <= 100 && std::all_of(text.begin(), text.end(), [](char c) {
               return (bytes::char_flags(c) & bytes::word) != 0;
           });
}

void read_sms_access(OptionReader& reader, Parts& parts) {
    const auto word = reader.text("signature_method");
    parts.method = parse_signature_method(word);
    if (!word.empty() && !parts.method) {
        reader.refuse("signature_method", "md5hash, md5, sha1, sha256 or sha512");
    }
    if (!word.empty() && !reader.has("signature_secret")) {
        reader.refuse("signature_secret", "the secret that signature_method signs with");
    }
    if (word.empty() && !reader.has("api_secret")) {
        reader.refuse("api_secret", "api_secret, or signature_method and signature_secret");
    }
    for (const auto* const name : {"application_id", "private_key"}) {
        if (reader.has(name)) reader.refuse(name, "nothing, or api: messages");
    }
}

void read_messages_access(OptionReader& reader, const ProviderContext& context, Parts& parts) {
    const bool by_application = reader.has("application_id") || reader.has("private_key");
    if (reader.has("signature_method")) reader.refuse("signature_method", "nothing, or api: sms");
    if (!by_application) {
        if (!reader.has("api_secret")) {
            reader.refuse("api_secret", "api_secret, or application_id and private_key");
        }
        parts.authorization = basic_authorization(parts.api_key, reader.text("api_secret"));
        return;
    }
    auto key = parse_private_key(reader.text("private_key"), "RSA");
    if (!key) reader.refuse("private_key", "the application's RSA key in PEM form");
    const auto id = reader.text("application_id");
    if (id.empty() || !is_word(id)) reader.refuse("application_id", "the application's uuid");
    if (key) parts.app_token = std::make_unique<AppToken>(id, std::move(key), *context.clock);
}

}  // namespace

std::span<const OptionDoc> options() { return option_docs; }

std::unique_ptr<Provider> make(OptionReader& reader, const ProviderContext& context) {
    Parts parts;
    const auto api = reader.text("api");
    const bool is_messages = api == "messages";
    reader.require("api", is_messages || api == "sms", "sms or messages");
    std::string rest_url = "https://rest.nexmo.com";
    std::string base_url = is_messages ? "https://api.nexmo.com" : rest_url;
    if (reader.has("base_url")) rest_url = base_url = reader.url("base_url");
    const auto ignored = reader.batch_max(1);
    static_cast<void>(ignored);
    parts.segments_max = reader.whole("segments_max", 1, 10);
    reader.require_channel(Channel::sms);
    check_http1_option(reader);
    parts.api_key = reader.text("api_key");
    reader.require("api_key", is_word(parts.api_key), "letters and digits");
    parts.from = reader.text("from");
    reader.require("from", is_sender(parts.from),
                   "a number, or up to 11 letters, digits and blanks");
    if (is_messages) {
        read_messages_access(reader, context, parts);
    } else {
        read_sms_access(reader, parts);
    }
    if (!reader.problems().empty()) return nullptr;

    parts.clock = context.clock;
    parts.api_secret = reader.text("api_secret");
    parts.signature_secret = reader.text("signature_secret");
    if (parts.from.starts_with('+')) parts.from.erase(0, 1);
    if (!context.callback_url.empty()) {
        std::string callback = context.callback_url;
        while (callback.ends_with('/')) callback.pop_back();
        callback.append("/webhooks/").append(reader.account().name);
        // A longer one would have every text refused; the account's own setting is used then.
        if (is_messages || callback.size() <= callback_max) parts.callback = std::move(callback);
    }
    parts.balance_url = rest_url + "/account/get-balance";
    parts.url = base_url + (is_messages ? "/v1/messages" : "/sms/json");
    if (is_messages) return std::make_unique<MessagesApi>(std::move(parts));
    return std::make_unique<SmsApi>(std::move(parts));
}

}  // namespace fanfare::vonage
