#include "core/providers/apns/apns.hpp"

#include "core/providers/apns/es256.hpp"
#include "core/providers/apns/provider_token.hpp"
#include "core/providers/bytes.hpp"
#include "core/providers/encoding.hpp"
#include "core/providers/http2_option.hpp"
#include "core/providers/push.hpp"

#include <algorithm>
#include <array>

namespace fanfare::apns {
namespace {

constexpr std::array option_docs{
    OptionDoc{"private_key", true, true, "",
              "the .p8 file of an APNs key (PEM, P-256), as {file: PATH}"},
    OptionDoc{"key_id", false, true, "", "the key's id: 10 letters and digits"},
    OptionDoc{"team_id", false, true, "", "the developer team's id: 10 letters and digits"},
    OptionDoc{"topic", false, true, "", "the app's bundle id"},
    OptionDoc{"base_url", false, false, "https://api.push.apple.com",
              "https://api.sandbox.push.apple.com for tokens of development builds"},
    http2_option,
};

/// What compose() needs, all of it prebuilt.
struct Parts {
    std::string url;  // With the path, but for the token.
    std::string topic;
    std::unique_ptr<ProviderToken> token;
};

void append_member(std::string_view prefix, std::string_view value, std::string& out) {
    out.append(prefix);
    append_json(value, out);
    out.push_back('"');
}

/// An app at APNs: one JSON call for each device token, over HTTP/2.
///
/// Every message has a collapse id, the job's id if the content has none, so that a repeat
/// after a lost answer replaces the first instead of showing twice.
///
/// Bounds    one token a call.
/// Threads   const functions on any thread, renew() beside them.
class Apns final : public Provider {
public:
    explicit Apns(Parts parts) : parts_{std::move(parts)} {}

    [[nodiscard]] std::string_view type() const noexcept override { return apns::type; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::push; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 1; }
    [[nodiscard]] bool uses_http2() const noexcept override { return true; }

    void compose(const Batch& batch, HttpRequest& out) const override {
        ensure_composable(batch, Channel::push, 1);
        const auto& message = batch.messages.front();
        // Device tokens are hexadecimal; another vendor's must not change the path.
        out.url = parts_.url;
        append_percent_encoded(message.address, out.url);
        out.http2 = true;
        write_headers(batch, out);

        auto& body = out.body;
        thread_local std::string text;
        text.clear();
        write_text(batch.content.subject, message.values, text);
        body.assign(R"({"aps":{"alert":{"title":")");
        append_json(text, body);
        text.clear();
        write_text(batch.content.text, message.values, text);
        append_member(R"(","body":")", text, body);
        append_member(R"(},"sound":"default"},"fanfare":")", batch.reference.job, body);
        body.back() = '.';
        append_number(batch.reference.chunk, body);
        body.push_back('"');
        for (const auto& [key, value] : batch.content.data) {
            if (key == "aps" || key == "fanfare") continue;
            append_member(",\"", key, body);
            append_member(":\"", value, body);
        }
        body.push_back('}');
    }

    [[nodiscard]] bool is_too_large(const Batch& /*batch*/,
                                    const HttpRequest& composed) const override {
        return composed.body.size() > push_bytes_max;
    }

    [[nodiscard]] BatchAnswer read(const HttpAnswer& answer, std::size_t /*count*/,
                                   std::int64_t now_unix) const override {
        return read_answer(answer, now_unix);
    }

    void renew(const HttpAnswer& /*refusal*/) override { parts_.token->renew(); }

    /// A message for a token that no device can have: who we are is looked at first.
    [[nodiscard]] std::optional<HttpRequest> harmless_call() const override {
        HttpRequest request;
        request.http2 = true;
        request.url = parts_.url + "000";  // No whole bytes.
        request.headers = {"content-type: application/json", parts_.token->common_header(),
                           parts_.topic, "apns-push-type: alert", "apns-expiration: 0"};
        request.body = R"({"aps":{"alert":""}})";
        return request;
    }

private:
    [[nodiscard]] Proven read_proof(const HttpAnswer& answer) const override {
        const auto says = [&answer](std::string_view word) {
            return answer.body.find(word) != std::string::npos;
        };
        for (const auto* const topic : {"BadTopic", "TopicDisallowed", "MissingTopic"}) {
            if (says(topic)) return {Proof::unknown, topic};
        }
        if (says("ExpiredProviderToken")) return {Proof::clock, "ExpiredProviderToken"};
        if (answer.status == 400 && says(R"("BadDeviceToken")")) {
            return {Proof::well, "BadDeviceToken"};
        }
        auto proven = Provider::read_proof(answer);
        if (proven.proof == Proof::refused && says("InvalidProviderToken")) {
            proven.what = "InvalidProviderToken";
        }
        if (proven.proof == Proof::well || proven.proof == Proof::unknown) {
            proven.proof = Proof::unclear;  // Of APNs it is none.
        }
        return proven;
    }

    void write_headers(const Batch& batch, HttpRequest& out) const {
        const auto& key = batch.content.collapse_key;
        const bool expires = batch.expires_at_unix > 0;
        out.headers.resize(expires ? 7 : 6);
        out.headers[0] = "content-type: application/json";
        out.headers[1] = *parts_.token->header();
        out.headers[2] = parts_.topic;
        out.headers[3] = "apns-push-type: alert";
        out.headers[4] = "apns-priority: 10";
        std::string digest;
        write_header_line("apns-collapse-id",
                          collapse_id(key.empty() ? batch.reference.job : key, digest),
                          out.headers[5]);
        if (!expires) return;
        out.headers[6] = "apns-expiration: ";
        append_number(batch.expires_at_unix, out.headers[6]);
    }

    Parts parts_;
};

bool is_short_id(std::string_view id) noexcept {
    return id.size() == 10 && std::all_of(id.begin(), id.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
           });
}

bool is_topic(std::string_view topic) noexcept {
    return !topic.empty() && topic.size() <= 255 &&
           std::all_of(topic.begin(), topic.end(),
                       [](char c) { return (bytes::char_flags(c) & bytes::word) != 0; });
}

}  // namespace

std::span<const OptionDoc> options() { return option_docs; }

std::unique_ptr<Provider> make(OptionReader& reader, const ProviderContext& context) {
    Parts parts;
    const auto base_url = reader.url("base_url");
    const auto ignored = reader.batch_max(1);
    static_cast<void>(ignored);
    reader.require_channel(Channel::push);
    check_http2_option(reader);
    const auto key_id = reader.text("key_id");
    const auto team_id = reader.text("team_id");
    const auto topic = reader.text("topic");
    reader.require("key_id", is_short_id(key_id), "10 letters and digits");
    reader.require("team_id", is_short_id(team_id), "10 letters and digits");
    reader.require("topic", is_topic(topic), "a bundle id such as org.example.shows");
    auto key = parse_es256_key(reader.text("private_key"));
    reader.require("private_key", key != nullptr, "the PEM text of a .p8 file: a P-256 key");
    if (!reader.problems().empty()) return nullptr;

    parts.url = base_url + "/3/device/";
    parts.topic = header_line("apns-topic", topic);
    parts.token = std::make_unique<ProviderToken>(key_id, team_id, std::move(key), *context.clock);
    return std::make_unique<Apns>(std::move(parts));
}

}  // namespace fanfare::apns
