#include "core/providers/sendgrid/sendgrid.hpp"

#include "core/audience/address.hpp"
#include "core/crypto/digest.hpp"
#include "core/providers/encoding.hpp"
#include "core/providers/http1_option.hpp"
#include "core/providers/sendgrid/substitutions.hpp"
#include "core/providers/unsubscribe.hpp"

#include <algorithm>
#include <array>

namespace fanfare::sendgrid {
namespace {

constexpr std::array option_docs{
    OptionDoc{"api_key", true, true, "", "API key (SG....) that may send mail"},
    OptionDoc{"from", false, true, "", "sender: name@domain or Name <name@domain>"},
    OptionDoc{"base_url", false, false, "https://api.sendgrid.com",
              "https://api.eu.sendgrid.com for subusers in the EU region"},
    OptionDoc{"on_behalf_of", false, false, "", "user name of the subuser to send as"},
    OptionDoc{"ip_pool_name", false, false, "", "pool of IP addresses, 2 to 64 characters"},
    OptionDoc{"webhook_public_key", false, false, "",
              "verification key of the signed event webhook, for receipts"},
    http1_option,
};

constexpr std::size_t category_bytes_max = 255;
constexpr std::string_view content_type = "Content-Type: application/json";

/// What compose() needs, all of it prebuilt.
struct Parts {
    std::string url;
    std::string scopes_url;  // What the key may do.
    std::vector<std::string> headers;
    std::string mark;  // Of the tags; see Substitutions.
    std::string head;  // {"from":...,"ip_pool_name":...
    std::size_t batch_max = recipients_max;
};

/// Unknown to anyone who lacks the account's key, yet the same for the same account:
/// requests stay comparable.
std::string make_mark(const std::string& api_key) {
    constexpr std::string_view purpose = "fanfare substitution tags";
    const auto digest = compute_hmac(Digest::sha256, api_key, purpose);
    return "f" + hex(std::string_view{digest}.substr(0, 10));
}

void append_category(std::string_view kind, std::string& out) {
    for (const char c : kind.substr(0, category_bytes_max)) {
        const bool is_plain = c > ' ' && c < '\x7f' && c != '"' && c != '\\';
        out.push_back(is_plain ? c : '-');
    }
}

/// An account at SendGrid: one call for up to 1,000 recipients. Each has a personalization
/// of their own, an envelope with one `to`: those in one `to` would see each other.
///
/// Bounds    recipients_max recipients a call.
/// Threads   const functions on any thread; nothing changes after construction.
class SendGrid final : public Provider {
public:
    explicit SendGrid(Parts parts) : parts_{std::move(parts)} {}

    [[nodiscard]] std::string_view type() const noexcept override { return sendgrid::type; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::email; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return parts_.batch_max; }

    void compose(const Batch& batch, HttpRequest& out) const override {
        ensure_composable(batch, Channel::email, recipients_max);
        out.url = parts_.url;
        out.http2 = false;
        out.headers.assign(parts_.headers.begin(), parts_.headers.end());
        auto& body = out.body;
        body.assign(parts_.head);
        Substitutions substitutions{batch.content, parts_.mark};
        append_content(batch.content, substitutions, body);
        if (!batch.reference.kind.empty()) {
            body.append(R"(,"categories":[")");
            append_category(batch.reference.kind, body);
            body.append(R"("])");
        }
        UnsubscribeLinks links{batch.content, batch.reference};
        // Else SendGrid may write a List-Unsubscribe of its own.
        if (links.any()) {
            body.append(R"(,"tracking_settings":{"subscription_tracking":{"enable":false}})");
        }
        append_people(batch, substitutions, links, body);
    }

    [[nodiscard]] BatchAnswer read(const HttpAnswer& answer, std::size_t count,
                                   std::int64_t now_unix) const override {
        return read_answer(answer, count, now_unix);
    }

    [[nodiscard]] std::optional<HttpRequest> harmless_call() const override {
        auto headers = parts_.headers;
        std::erase(headers, content_type);
        return get_request(parts_.scopes_url, std::move(headers));
    }

private:
    [[nodiscard]] Proven read_proof(const HttpAnswer& answer) const override {
        auto proven = Provider::read_proof(answer);
        const bool may_send = answer.body.find(R"("mail.send")") != std::string::npos;
        if (proven.proof != Proof::well || may_send) return proven;
        return {Proof::may_not, "no scope mail.send"};
    }

    /// SendGrid takes no empty text.
    static void append_content(const Content& content, Substitutions& substitutions,
                               std::string& body) {
        const auto append = [&](std::string_view before, const Text& text, Place place) {
            body.append(before);
            const auto begin = body.size();
            substitutions.append_text(text, place, body);
            if (body.size() == begin) body.push_back(' ');
            body.push_back('"');
        };
        append(R"(,"subject":")", content.subject, Place::subject);
        body.append(R"(,"content":[)");
        const bool has_text = !content.text.empty() || content.html.empty();
        if (has_text) {
            append(R"({"type":"text/plain","value":")", content.text, Place::body);
            body.push_back('}');
        }
        if (!content.html.empty()) {
            if (has_text) body.push_back(',');
            append(R"({"type":"text/html","value":")", content.html, Place::body);
            body.push_back('}');
        }
        body.push_back(']');
    }

    static void append_people(const Batch& batch, const Substitutions& substitutions,
                              UnsubscribeLinks& links, std::string& body) {
        std::string reference = R"(,"custom_args":{"fanfare":")";
        append_json_line(batch.reference.job, reference);
        reference.push_back('.');
        append_number(batch.reference.chunk, reference);
        reference.push_back('.');

        body.append(R"(,"personalizations":[)");
        bool is_first = true;
        for (const auto& message : batch.messages) {
            if (!is_first) body.push_back(',');
            is_first = false;
            // A sendable address needs no escape.
            body.append(R"({"to":[{"email":")").append(message.address).append(R"("}])");
            body.append(reference);
            append_json_line(message.ref, body);
            body.append(R"("},"substitutions":)");
            substitutions.append_values(message, body);
            if (const auto link = links.of(message); !link.empty()) {
                body.append(R"(,"headers":{"List-Unsubscribe":"<)");
                append_json_line(link, body);
                body.append(R"(>","List-Unsubscribe-Post":")").append(one_click).append("\"}");
            }
            body.push_back('}');
        }
        body.append("]}");
    }

    Parts parts_;
};

}  // namespace

std::span<const OptionDoc> options() { return option_docs; }

std::unique_ptr<Provider> make(OptionReader& reader, const ProviderContext& /*context*/) {
    Parts parts;
    const auto base_url = reader.url("base_url");
    const auto from = reader.text("from");
    const auto pool = reader.text("ip_pool_name");
    const auto subuser = reader.text("on_behalf_of");
    const auto api_key = reader.text("api_key");
    parts.batch_max = reader.batch_max(recipients_max);
    reader.require_channel(Channel::email);
    check_http1_option(reader);
    const auto mailbox = parse_mailbox(from);
    reader.require("from", mailbox.has_value(), "name@domain or Name <name@domain>");
    reader.require("ip_pool_name", pool.size() >= 2 && pool.size() <= 64, "2 to 64 characters");
    if (!reader.problems().empty()) return nullptr;

    parts.url = base_url + "/v3/mail/send";
    parts.scopes_url = base_url + "/v3/scopes";
    parts.mark = make_mark(api_key);
    parts.headers = {header_line("Authorization", "Bearer " + api_key), std::string{content_type},
                     "Accept: application/json"};
    if (!subuser.empty()) parts.headers.push_back(header_line("on-behalf-of", subuser));
    auto& head = parts.head;
    head.append(R"({"from":{"email":")").append(mailbox->address).push_back('"');
    if (!mailbox->name.empty()) {
        head.append(R"(,"name":")");
        append_json_line(mailbox->name, head);
        head.push_back('"');
    }
    head.push_back('}');
    if (!pool.empty()) {
        head.append(R"(,"ip_pool_name":")");
        append_json_line(pool, head);
        head.push_back('"');
    }
    return std::make_unique<SendGrid>(std::move(parts));
}

}  // namespace fanfare::sendgrid
