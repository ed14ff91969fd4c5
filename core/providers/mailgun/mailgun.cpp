#include "core/providers/mailgun/mailgun.hpp"

#include "core/audience/address.hpp"
#include "core/crypto/digest.hpp"
#include "core/error/failure.hpp"
#include "core/providers/encoding.hpp"
#include "core/providers/http1_option.hpp"
#include "core/providers/mailgun/recipient_variables.hpp"
#include "core/providers/unsubscribe.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace fanfare::mailgun {
namespace {

constexpr std::array option_docs{
    OptionDoc{"api_key", true, true, "", "account API key, or the domain's sending key"},
    OptionDoc{"domain", false, true, "", "the sending domain, as registered with Mailgun"},
    OptionDoc{"from", false, true, "", "sender: name@domain or Name <name@domain>"},
    OptionDoc{"base_url", false, false, "https://api.mailgun.net",
              "https://api.eu.mailgun.net for domains in the EU region"},
    OptionDoc{"tag", false, false, "", "a further o:tag beside the kind; ASCII, at most 128 bytes"},
    OptionDoc{"webhook_signing_key", true, false, "", "HTTP webhook signing key, for receipts"},
    OptionDoc{"tracking", false, false, "",
              "o:tracking: yes, no, true, false or htmlonly; default: as set for the domain"},
    http1_option,
};

constexpr std::size_t tag_bytes_max = 128;

/// What compose() needs, all of it prebuilt.
struct Parts {
    std::string url;
    std::string queues_url;  // Of the sending domain; sends nothing.
    std::array<std::string, 2> headers;
    std::string boundary;
    std::string head;  // The parts that are the same for every call of the account.
    std::string to;    // All of a `to` part that is before the address.
    std::size_t batch_max = recipients_max;
    const Clock* clock = nullptr;
};

/// Unknown to anyone who lacks the account's key, yet the same for the same account:
/// requests stay comparable. It could not end a part even if it were known, because no
/// part holds a CR (see append_literal_special).
std::string make_boundary(const std::string& api_key, const std::string& domain) {
    const auto digest =
        compute_hmac(Digest::sha256, api_key, "fanfare multipart boundary " + domain);
    return "fanfare" + hex(std::string_view{digest}.substr(0, 16));
}

void begin_part(std::string_view boundary, std::string_view name, std::string& out) {
    out.append("--").append(boundary).append("\r\nContent-Disposition: form-data; name=\"");
    out.append(name).append("\"\r\n\r\n");
}

void append_tag(std::string_view tag, std::string& out) {
    for (const char c : tag.substr(0, tag_bytes_max))
        out.push_back(c > ' ' && c < '\x7f' ? c : '-');
}

/// "5m" to "24h": how long Mailgun may try, so that nobody reads it too late.
void append_lifetime(std::int64_t seconds, std::string& out) {
    const auto minutes = std::clamp<std::int64_t>(seconds / 60, 5, 24 * 60);
    append_number(minutes / 60, out);
    out.push_back('h');
    append_number(minutes % 60, out);
    out.push_back('m');
}

void ensure_distinct([[maybe_unused]] std::span<const Message> messages) {
#ifndef NDEBUG
    // Mailgun would drop the second message silently; the planner makes addresses distinct.
    std::vector<std::string_view> addresses;
    addresses.reserve(messages.size());
    for (const auto& message : messages) addresses.push_back(message.address);
    std::sort(addresses.begin(), addresses.end());
    const auto repeated = std::adjacent_find(addresses.begin(), addresses.end());
    ensure(repeated == addresses.end(), "the addresses of a batch are distinct");
#endif
}

/// An account at Mailgun: one multipart call for up to 1,000 recipients, each of whom
/// gets an own message because `recipient-variables` is always there, with an entry for
/// every address. Without it all of them would see all addresses.
///
/// Bounds    recipients_max recipients a call.
/// Threads   const functions on any thread; nothing changes after construction.
class Mailgun final : public Provider {
public:
    explicit Mailgun(Parts parts) : parts_{std::move(parts)} {}

    [[nodiscard]] std::string_view type() const noexcept override { return mailgun::type; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::email; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return parts_.batch_max; }
    [[nodiscard]] RateUnit rate_unit() const noexcept override { return RateUnit::recipients; }

    void compose(const Batch& batch, HttpRequest& out) const override {
        ensure_composable(batch, Channel::email, recipients_max);
        ensure_distinct(batch.messages);
        out.url = parts_.url;
        out.http2 = false;
        out.headers.assign(parts_.headers.begin(), parts_.headers.end());
        auto& body = out.body;
        body.assign(parts_.head);
        for (const auto& message : batch.messages) {
            body.append(parts_.to);
            body.append(message.address);
            body.append("\r\n");
        }
        RecipientVariables variables{batch.content};
        append_content(batch.content, variables, body);
        append_unsubscribe(batch, variables, body);
        append_options(batch, body);
        begin_part(parts_.boundary, "recipient-variables", body);
        variables.append_table(batch.messages, body);
        body.append("\r\n--").append(parts_.boundary).append("--\r\n");
    }

    [[nodiscard]] BatchAnswer read(const HttpAnswer& answer, std::size_t count,
                                   std::int64_t now_unix) const override {
        return read_answer(answer, count, now_unix);
    }

    [[nodiscard]] std::optional<HttpRequest> harmless_call() const override {
        return get_request(parts_.queues_url, {parts_.headers[0]});
    }

private:
    void append_content(const Content& content, RecipientVariables& variables,
                        std::string& body) const {
        const auto append = [&](std::string_view name, const Text& text, Place place) {
            begin_part(parts_.boundary, name, body);
            variables.append_text(text, place, body);
            body.append("\r\n");
        };
        append("subject", content.subject, Place::subject);
        if (!content.text.empty() || content.html.empty()) {
            append("text", content.text, Place::text);
        }
        if (!content.html.empty()) append("html", content.html, Place::html);
    }

    static void append_link(const Batch& batch, const UnsubscribeLinks& links,
                            RecipientVariables& variables, std::string& body) {
        body.push_back('<');
        if (const auto variable = links.variable()) {
            variables.append_slot(
                {.variable = static_cast<std::uint16_t>(*variable), .escape = Escape::none}, body);
        } else {
            append_line(batch.reference.unsubscribe_prefix, body);
            body.append("%recipient.id%");
            // All have one, or none has.
            if (!batch.messages[0].seal.empty()) {
                body.append(seal_lead);
                variables.append_seal(body);
            }
        }
        body.push_back('>');
    }

    void append_unsubscribe(const Batch& batch, RecipientVariables& variables,
                            std::string& body) const {
        UnsubscribeLinks links{batch.content, batch.reference};
        if (!links.all(batch.messages)) return;
        begin_part(parts_.boundary, "h:List-Unsubscribe", body);
        append_link(batch, links, variables, body);
        body.append("\r\n");
        begin_part(parts_.boundary, "h:List-Unsubscribe-Post", body);
        body.append(one_click).append("\r\n");
    }

    void append_options(const Batch& batch, std::string& body) const {
        begin_part(parts_.boundary, "v:fanfare", body);
        append_line(batch.reference.job, body);
        body.push_back('.');
        append_number(batch.reference.chunk, body);
        body.append("\r\n");
        // Each receipt then names its recipient by place and tag; nobody sees another's.
        begin_part(parts_.boundary, "v:person", body);
        body.append("%recipient.id%\r\n");
        if (!batch.reference.kind.empty()) {
            begin_part(parts_.boundary, "o:tag", body);
            append_tag(batch.reference.kind, body);
            body.append("\r\n");
        }
        if (batch.expires_at_unix <= 0) return;
        const auto now = std::chrono::floor<std::chrono::seconds>(parts_.clock->now());
        begin_part(parts_.boundary, "o:deliver-within", body);
        append_lifetime(batch.expires_at_unix - now.time_since_epoch().count(), body);
        body.append("\r\n");
    }

    Parts parts_;
};

bool is_tag(std::string_view tag) noexcept {
    return tag.size() <= tag_bytes_max &&
           std::all_of(tag.begin(), tag.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_tracking(std::string_view word) noexcept {
    constexpr std::array<std::string_view, 5> words{"yes", "no", "true", "false", "htmlonly"};
    return std::find(words.begin(), words.end(), word) != words.end();
}

void append_fixed(Parts& parts, std::string_view name, const std::string& value) {
    if (value.empty()) return;
    begin_part(parts.boundary, name, parts.head);
    append_line(value, parts.head);
    parts.head.append("\r\n");
}

}  // namespace

std::span<const OptionDoc> options() { return option_docs; }

std::unique_ptr<Provider> make(OptionReader& reader, const ProviderContext& context) {
    Parts parts;
    const auto base_url = reader.url("base_url");
    const auto domain = reader.text("domain");
    const auto from = reader.text("from");
    const auto tag = reader.text("tag");
    const auto tracking = reader.text("tracking");
    const auto api_key = reader.text("api_key");
    parts.batch_max = reader.batch_max(recipients_max);
    parts.clock = context.clock;
    reader.require_channel(Channel::email);
    check_http1_option(reader);
    reader.require("domain", is_host_name(domain), "a host name such as mg.example.org");
    reader.require("from", parse_mailbox(from).has_value(), "name@domain or Name <name@domain>");
    reader.require("tag", is_tag(tag), "at most 128 visible ASCII characters");
    reader.require("tracking", is_tracking(tracking), "yes, no, true, false or htmlonly");
    if (!reader.problems().empty()) return nullptr;

    parts.url = base_url + "/v3/" + domain + "/messages";
    parts.queues_url = base_url + "/v3/domains/" + domain + "/sending_queues";
    parts.boundary = make_boundary(api_key, domain);
    parts.headers = {basic_authorization("api", api_key),
                     "Content-Type: multipart/form-data; boundary=" + parts.boundary};
    append_fixed(parts, "from", from);
    append_fixed(parts, "o:tag", tag);
    append_fixed(parts, "o:tracking", tracking);
    begin_part(parts.boundary, "to", parts.to);
    return std::make_unique<Mailgun>(std::move(parts));
}

}  // namespace fanfare::mailgun
