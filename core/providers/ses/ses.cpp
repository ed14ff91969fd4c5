#include "core/providers/ses/ses.hpp"

#include "core/audience/address.hpp"
#include "core/crypto/digest.hpp"
#include "core/providers/bytes.hpp"
#include "core/providers/encoding.hpp"
#include "core/providers/http1_option.hpp"
#include "core/providers/ses/bulk_template.hpp"
#include "core/providers/ses/sigv4.hpp"
#include "core/providers/unsubscribe.hpp"
#include "core/providers/wait_hint.hpp"

#include <algorithm>
#include <array>
#include <atomic>

namespace fanfare::ses {
namespace {

constexpr std::array option_docs{
    OptionDoc{"access_key_id", false, true, "", "access key of an IAM user that may send"},
    OptionDoc{"secret_access_key", true, true, "", "the secret of access_key_id"},
    OptionDoc{"session_token", true, false, "", "of temporary credentials"},
    OptionDoc{"region", false, true, "", "AWS region, such as eu-west-1"},
    OptionDoc{"from", false, true, "", "sender: name@domain or Name <name@domain>"},
    OptionDoc{"configuration_set", false, false, "", "publishes events; needed for receipts"},
    OptionDoc{"base_url", false, false, "", "default: https://email.<region>.amazonaws.com"},
    OptionDoc{"topic_arn", false, false, "", "SNS topic of the events, for receipts"},
    http1_option,
};

constexpr std::string_view content_type = "application/json";
constexpr std::size_t tag_bytes_max = 256;
constexpr std::int64_t clock_offset_max = 24 * 3600;
constexpr std::int64_t skew_max = 5 * 60;  // Signatures are refused beyond it.

/// What compose() needs, all of it prebuilt.
struct Parts {
    std::string url;
    std::string account_url;
    std::string host;
    std::string path;
    std::string sender;  // The address only.
    std::string head;    // {"FromEmailAddress":...,"ConfigurationSetName":...
    std::size_t batch_max = recipients_max;
    const Clock* clock = nullptr;
};

bool is_tag_byte(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c == '-';
}

void append_tag(std::string_view text, std::string& out) {
    for (const char c : text.substr(0, tag_bytes_max)) out.push_back(is_tag_byte(c) ? c : '-');
}

/// An account at Amazon SES: one SendBulkEmail for up to 50 recipients, each an entry with
/// one address and with the data that the inline template of the call is filled with.
///
/// Bounds    recipients_max recipients a call.
/// Threads   const functions on any thread; renew() beside them.
class Ses final : public Provider {
public:
    Ses(Parts parts, AwsCredentials credentials, std::string region)
        : parts_{std::move(parts)}, signer_{std::move(credentials), std::move(region), "ses"} {}

    [[nodiscard]] std::string_view type() const noexcept override { return ses::type; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::email; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return parts_.batch_max; }
    [[nodiscard]] RateUnit rate_unit() const noexcept override { return RateUnit::recipients; }

    void compose(const Batch& batch, HttpRequest& out) const override {
        ensure_composable(batch, Channel::email, recipients_max);
        out.url = parts_.url;
        out.http2 = false;
        auto& body = out.body;
        body.assign(parts_.head);
        BulkTemplate texts{batch.content};
        append_content(batch.content, texts, body);
        if (!batch.reference.kind.empty()) {
            body.append(R"(,"DefaultEmailTags":[{"Name":"kind","Value":")");
            append_tag(batch.reference.kind, body);
            body.append(R"("}])");
        }
        append_entries(batch, texts, body);
        out.headers.clear();
        out.headers.push_back(header_line("Content-Type", content_type));
        sign({.path = parts_.path, .content_type = content_type, .body = out.body}, out);
    }

    [[nodiscard]] BatchAnswer read(const HttpAnswer& answer, std::size_t count,
                                   std::int64_t now_unix) const override {
        return read_answer(answer, count, parts_.sender, now_unix);
    }

    /// The account's quota.
    [[nodiscard]] std::optional<HttpRequest> harmless_call() const override {
        auto request = get_request(parts_.account_url, {});
        const auto path = parts_.account_url.find('/', parts_.account_url.find("://") + 3);
        sign({.path = std::string_view{parts_.account_url}.substr(path), .method = "GET"}, request);
        return request;
    }

    /// Signatures are refused where clocks differ by five minutes: from now on we go by theirs.
    void renew(const HttpAnswer& refusal) override {
        const auto theirs = parse_date(refusal.date);
        if (!theirs) return;
        const auto offset = *theirs - own_time();
        if (offset > clock_offset_max || offset < -clock_offset_max) return;
        clock_offset_.store(offset, std::memory_order_relaxed);
    }

private:
    static void append_content(const Content& content, BulkTemplate& texts, std::string& body) {
        const auto append = [&](std::string_view before, const Text& text, Place place) {
            body.append(before);
            const auto begin = body.size();
            texts.append_text(text, place, body);
            if (body.size() == begin) body.push_back(' ');  // SES takes no empty part.
            body.push_back('"');
        };
        body.append(R"(,"DefaultContent":{"Template":{"TemplateContent":{)");
        append(R"("Subject":")", content.subject, Place::subject);
        if (!content.text.empty() || content.html.empty()) {
            append(R"(,"Text":")", content.text, Place::body);
        }
        if (!content.html.empty()) append(R"(,"Html":")", content.html, Place::body);
        body.append(R"(},"TemplateData":")");
        texts.append_shared_data(body);
        body.append(R"("}})");
    }

    static void append_entries(const Batch& batch, const BulkTemplate& texts, std::string& body) {
        UnsubscribeLinks links{batch.content, batch.reference};
        std::string reference = batch.reference.job + ".";
        append_number(batch.reference.chunk, reference);
        reference.push_back('.');
        const auto lead_size = reference.size();
        body.append(R"(,"BulkEmailEntries":[)");
        bool is_first = true;
        for (const auto& message : batch.messages) {
            if (!is_first) body.push_back(',');
            is_first = false;
            // A sendable address needs no escape.
            body.append(R"({"Destination":{"ToAddresses":[")").append(message.address);
            body.append(R"("]},"ReplacementEmailContent":{"ReplacementTemplate":)");
            body.append(R"({"ReplacementTemplateData":")");
            texts.append_data(message, body);
            body.append(R"("}},"ReplacementTags":[{"Name":"fanfare","Value":")");
            reference.resize(lead_size);
            append_tag_of_reference(reference.append(message.ref), body);
            body.append(R"("}])");
            if (const auto link = links.of(message); !link.empty()) {
                body.append(R"(,"ReplacementHeaders":[{"Name":"List-Unsubscribe","Value":"<)");
                append_json_line(link, body);
                body.append(R"(>"},{"Name":"List-Unsubscribe-Post","Value":")");
                body.append(one_click).append(R"("}])");
            }
            body.push_back('}');
        }
        body.append("]}");
    }

    /// Adds the headers of a signature; `request` lacks host and date.
    void sign(RequestToSign request, HttpRequest& out) const {
        const auto date = amz_date(own_time() + clock_offset_.load(std::memory_order_relaxed));
        request.host = parts_.host;
        request.date = date;
        out.headers.push_back(header_line("X-Amz-Date", date));
        if (const auto& token = signer_.session_token(); !token.empty()) {
            out.headers.push_back(header_line("X-Amz-Security-Token", token));
        }
        out.headers.push_back(header_line("Authorization", signer_.authorization(request)));
    }

    [[nodiscard]] Proven read_proof(const HttpAnswer& answer) const override {
        auto proven = Provider::read_proof(answer);
        if (proven.proof == Proof::well) return proven;
        std::string type = answer.error_type.substr(0, answer.error_type.find(':'));
        if (type.empty()) return proven;
        if (type.starts_with("AccessDenied")) return {Proof::may_not, std::move(type)};
        if (type == "RequestExpired") return {Proof::clock, std::move(type)};
        const bool is_signed_wrong =
            type == "SignatureDoesNotMatch" || type == "InvalidSignatureException";
        if (is_signed_wrong || type == "IncompleteSignature") proven.proof = Proof::refused;
        // One word for a wrong key and for a wrong clock: theirs tells which.
        const auto theirs = is_signed_wrong ? parse_date(answer.date) : std::nullopt;
        if (theirs && std::abs(*theirs - own_time()) > skew_max) proven.proof = Proof::clock;
        proven.what = std::move(type);
        return proven;
    }

    [[nodiscard]] std::int64_t own_time() const {
        const auto now = std::chrono::floor<std::chrono::seconds>(parts_.clock->now());
        return now.time_since_epoch().count();
    }

    Parts parts_;
    Signer signer_;
    std::atomic<std::int64_t> clock_offset_{0};  // Theirs minus ours, in seconds.
};

bool is_region(std::string_view region) noexcept {
    return std::all_of(region.begin(), region.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

bool is_visible(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

/// "Name <name@domain>"; a name beyond ASCII as encoded words (RFC 2047), as SES asks.
std::string choose_sender(const Mailbox& mailbox, const std::string& from) {
    constexpr std::size_t word_bytes_max = 45;  // 75 characters once encoded.
    auto name = mailbox.name;
    const bool is_ascii = std::all_of(name.begin(), name.end(),
                                      [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (is_ascii) return from;
    std::string sender;
    while (!name.empty()) {
        auto word = bytes::cut(name, word_bytes_max);
        if (word.empty()) word = name.substr(0, word_bytes_max);  // No UTF-8.
        sender.append("=?UTF-8?B?").append(base64(word)).append("?= ");
        name.remove_prefix(word.size());
    }
    return sender.append("<").append(mailbox.address).append(">");
}

/// Cuts "https://host[:port]/prefix" as libcurl does for the Host header, which is signed: the
/// scheme's own port is left out.
void take_url(const std::string& base_url, Parts& parts) {
    parts.url = base_url + "/v2/email/outbound-bulk-emails";
    parts.account_url = base_url + "/v2/email/account";
    const auto host = parts.url.find("://") + 3;
    const auto path = parts.url.find('/', host);
    parts.host = parts.url.substr(host, path - host);
    parts.path = parts.url.substr(path);
    const std::string_view own_port = base_url.starts_with("https:") ? ":443" : ":80";
    if (parts.host.ends_with(own_port)) parts.host.erase(parts.host.size() - own_port.size());
}

}  // namespace

std::span<const OptionDoc> options() { return option_docs; }

void append_tag_of_reference(std::string_view reference, std::string& out) {
    int dots = 0;
    for (const char c : reference.substr(0, tag_bytes_max)) {
        const bool is_separator = c == '.' && ++dots <= 3;
        out.push_back(is_separator ? '_' : (is_tag_byte(c) ? c : '-'));
    }
}

std::unique_ptr<Provider> make(OptionReader& reader, const ProviderContext& context) {
    Parts parts;
    const auto region = reader.text("region");
    const auto from = reader.text("from");
    const auto set = reader.text("configuration_set");
    AwsCredentials credentials{reader.text("access_key_id"),
                               Secret{reader.text("secret_access_key")},
                               reader.text("session_token")};
    const auto base_url = reader.has("base_url") ? reader.url("base_url")
                                                 : "https://email." + region + ".amazonaws.com";
    parts.batch_max = reader.batch_max(recipients_max);
    parts.clock = context.clock;
    reader.require_channel(Channel::email);
    check_http1_option(reader);
    reader.require("region", is_region(region), "an AWS region such as eu-west-1");
    const auto mailbox = parse_mailbox(from);
    reader.require("from", mailbox.has_value(), "name@domain or Name <name@domain>");
    reader.require("access_key_id", is_visible(credentials.access_key_id), "visible ASCII");
    reader.require("session_token", is_visible(credentials.session_token), "visible ASCII");
    reader.require("configuration_set",
                   set.size() <= 64 && std::all_of(set.begin(), set.end(), is_tag_byte),
                   "at most 64 letters, digits, '_' and '-'");
    if (!reader.problems().empty()) return nullptr;

    take_url(base_url, parts);
    parts.sender = mailbox->address;
    parts.head = R"({"FromEmailAddress":")";
    append_json_line(choose_sender(*mailbox, from), parts.head);
    parts.head.push_back('"');
    if (!set.empty()) parts.head.append(R"(,"ConfigurationSetName":")").append(set).append("\"");
    return std::make_unique<Ses>(std::move(parts), std::move(credentials), region);
}

}  // namespace fanfare::ses
