#include "core/providers/fcm/fcm.hpp"

#include "core/providers/bytes.hpp"
#include "core/providers/encoding.hpp"
#include "core/providers/fcm/service_account.hpp"
#include "core/providers/http2_option.hpp"
#include "core/providers/push.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>

namespace fanfare::fcm {
namespace {

constexpr std::array option_docs{
    OptionDoc{"service_account", true, true, "",
              "the service account's JSON key file, as {file: PATH}; with an RSA private_key"},
    OptionDoc{"project_id", false, false, "", "default: the one of the service account"},
    OptionDoc{"channel_id", false, false, "", "Android notification channel"},
    OptionDoc{"link", false, false, "", "https URL that a click on a web notification opens"},
    OptionDoc{"base_url", false, false, "https://fcm.googleapis.com", "only for tests"},
    OptionDoc{"token_uri", false, false, "",
              "where to fetch access tokens; default: the one of the service account"},
    http2_option,
};

constexpr std::int64_t ttl_max = 2'419'200;  // Four weeks, by FCM's rules.

/// What compose() needs, all of it prebuilt.
struct Parts {
    std::string url;
    std::string token_url;
    std::string channel_id;  // ,"channel_id":"..." or "".
    std::string web_link;    // ,"fcm_options":{"link":"..."} or "".
    ServiceAccount account;
    const Clock* clock = nullptr;
};

void append_quoted(std::string_view prefix, std::string_view value, std::string& out) {
    out.append(prefix);
    append_json(value, out);
    out.push_back('"');
}

/// FCM refuses the whole call for one of these; `fanfare` is ours.
bool is_reserved(std::string_view key) noexcept {
    return key == "from" || key == "message_type" || key == "fanfare" ||
           key.starts_with("google.") || key.starts_with("gcm.notification.");
}

void append_data(const Batch& batch, std::string& out) {
    append_quoted(R"(,"data":{"fanfare":")", batch.reference.job, out);
    out.back() = '.';
    append_number(batch.reference.chunk, out);
    out.push_back('"');
    for (const auto& [key, value] : batch.content.data) {
        if (is_reserved(key)) continue;
        append_quoted(",\"", key, out);
        append_quoted(":\"", value, out);
    }
    out.push_back('}');
}

/// What FCM counts: names and values of the data and of the notification.
std::size_t payload_bytes(const Batch& batch, std::size_t notification) {
    constexpr std::string_view own_name{"fanfare"};
    std::string own = batch.reference.job + ".";
    append_number(batch.reference.chunk, own);
    std::size_t bytes = notification + own_name.size() + own.size();
    for (const auto& [key, value] : batch.content.data) {
        if (!is_reserved(key)) bytes += key.size() + value.size();
    }
    return bytes;
}

/// A project at Firebase Cloud Messaging: one JSON call for each token, over HTTP/2.
///
/// Every message has a tag and a collapse id, the job's id if the content has none, so
/// that a repeat after a lost answer replaces the first instead of showing twice.
///
/// Bounds    one token a call.
/// Threads   const functions on any thread, set_credential() beside them.
class Fcm final : public Provider {
public:
    explicit Fcm(Parts parts) : parts_{std::move(parts)} { set_credential(""); }

    [[nodiscard]] std::string_view type() const noexcept override { return fcm::type; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::push; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 1; }
    [[nodiscard]] bool uses_http2() const noexcept override { return true; }

    void compose(const Batch& batch, HttpRequest& out) const override {
        ensure_composable(batch, Channel::push, 1);
        const auto& message = batch.messages.front();
        out.url = parts_.url;
        out.http2 = true;
        out.headers.resize(2);
        out.headers[0] = "Content-Type: application/json";
        out.headers[1] = *authorization();

        auto& body = out.body;
        body.assign(R"({"message":{"token":")");
        body.append(message.address);
        thread_local std::string text;
        text.clear();
        write_text(batch.content.subject, message.values, text);
        append_quoted(R"(","notification":{"title":")", text, body);
        text.clear();
        write_text(batch.content.text, message.values, text);
        append_quoted(R"(,"body":")", text, body);
        body.push_back('}');
        append_data(batch, body);
        append_platforms(batch, body);
        body.append("}}");
    }

    [[nodiscard]] bool is_too_large(const Batch& batch,
                                    const HttpRequest& composed) const override {
        // The whole request holds more than what is counted.
        if (composed.body.size() <= push_bytes_max) return false;
        constexpr std::string_view names{"titlebody"};
        std::string text;
        write_text(batch.content.subject, batch.messages.front().values, text);
        write_text(batch.content.text, batch.messages.front().values, text);
        return payload_bytes(batch, names.size() + text.size()) > push_bytes_max;
    }

    [[nodiscard]] BatchAnswer read(const HttpAnswer& answer, std::size_t /*count*/,
                                   std::int64_t now_unix) const override {
        return read_answer(answer, now_unix);
    }

    [[nodiscard]] std::optional<CredentialExchange> credential_exchange(
        std::int64_t now_unix) const override {
        CredentialExchange exchange;
        exchange.request.url = parts_.token_url;
        exchange.request.headers = {"Content-Type: application/x-www-form-urlencoded"};
        exchange.request.body =
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" +
            sign_assertion(parts_.account, now_unix);
        return exchange;
    }

    [[nodiscard]] Result<Credential> read_credential(const HttpAnswer& answer) const override {
        return read_token_answer(answer);
    }

    void set_credential(std::string value) override {
        auto line =
            std::make_shared<const std::string>(header_line("Authorization", "Bearer " + value));
        const std::lock_guard lock{authorization_mutex_};
        authorization_.swap(line);
    }

private:
    [[nodiscard]] std::shared_ptr<const std::string> authorization() const {
        const std::lock_guard lock{authorization_mutex_};
        return authorization_;
    }

    void append_platforms(const Batch& batch, std::string& out) const {
        const auto& key = batch.content.collapse_key;
        std::string digest;
        const auto collapse = collapse_id(key.empty() ? batch.reference.job : key, digest);
        const auto now =
            std::chrono::floor<std::chrono::seconds>(parts_.clock->now()).time_since_epoch();
        const auto expires = batch.expires_at_unix;
        const auto ttl = std::clamp<std::int64_t>(expires - now.count(), 0, ttl_max);

        out.append(R"(,"android":{"priority":"HIGH")");
        // At most four keys at a time are kept for a device, so never one for each job.
        if (!key.empty()) append_quoted(R"(,"collapse_key":")", collapse, out);
        if (expires > 0) {
            out.append(R"(,"ttl":")");
            append_number(ttl, out);
            out.append("s\"");
        }
        append_quoted(R"(,"notification":{"tag":")", collapse, out);
        out.append(parts_.channel_id).append("}}");

        append_quoted(R"(,"apns":{"headers":{"apns-priority":"10","apns-collapse-id":")", collapse,
                      out);
        if (expires > 0) {
            out.append(R"(,"apns-expiration":")");
            append_number(expires, out);
            out.push_back('"');
        }
        out.append("}}");

        out.append(R"(,"webpush":{"headers":{"Urgency":"high")");
        if (expires > 0) {
            out.append(R"(,"TTL":")");
            append_number(ttl, out);
            out.push_back('"');
        }
        out.push_back('}');
        out.append(parts_.web_link).push_back('}');
    }

    Parts parts_;
    mutable std::mutex authorization_mutex_;
    std::shared_ptr<const std::string> authorization_;  // The whole header line.
};

bool is_project_id(std::string_view id) noexcept {
    return !id.empty() && id.size() <= 100 && std::all_of(id.begin(), id.end(), [](char c) {
        return (bytes::char_flags(c) & bytes::word) != 0 || c == ':';
    });
}

void read_account(OptionReader& reader, Parts& parts) {
    auto account = parse_service_account(reader.text("service_account"));
    if (!account) {
        if (reader.has("service_account")) {
            reader.refuse("service_account",
                          "a service account's JSON key file with client_email and an RSA "
                          "private_key");
        }
        return;
    }
    parts.account = *std::move(account);
    parts.token_url = parts.account.token_uri;
    if (reader.has("token_uri")) {
        parts.token_url = reader.url("token_uri");
    } else if (!is_api_url(parts.token_url, reader.account().allow_http)) {
        reader.refuse("service_account", "an https token_uri in the key file");
    }
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
    read_account(reader, parts);
    auto project_id = reader.text("project_id");
    if (project_id.empty()) project_id = parts.account.project_id;
    // Nothing is known of it while the key file is unreadable, which is a problem already.
    const bool is_known = parts.account.private_key != nullptr || reader.has("project_id");
    if (is_known && !is_project_id(project_id)) {
        reader.refuse("project_id", "a project id such as my-project-1, here or in the key file");
    }
    const auto link = reader.text("link");
    reader.require("link", link.starts_with("https://"), "an https:// URL");
    if (!reader.problems().empty()) return nullptr;

    parts.clock = context.clock;
    parts.url = base_url + "/v1/projects/" + project_id + "/messages:send";
    const auto channel_id = reader.text("channel_id");
    if (!channel_id.empty()) append_quoted(R"(,"channel_id":")", channel_id, parts.channel_id);
    if (!link.empty()) {
        append_quoted(R"(,"fcm_options":{"link":")", link, parts.web_link);
        parts.web_link.push_back('}');
    }
    return std::make_unique<Fcm>(std::move(parts));
}

}  // namespace fanfare::fcm
