#include "core/providers/smtp/smtp.hpp"

#include "core/audience/address.hpp"
#include "core/providers/encoding.hpp"
#include "core/providers/smtp/mime.hpp"
#include "core/providers/unsubscribe.hpp"

#include <arpa/inet.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>

namespace fanfare::smtp {
namespace {

constexpr std::array option_docs{
    OptionDoc{"host", false, true, "", "the mail server: a host name or an IP address"},
    OptionDoc{"from", false, true, "", "sender: name@domain or Name <name@domain>"},
    OptionDoc{"port", false, false, "587", "465 where `tls` is implicit"},
    OptionDoc{"tls", false, false, "starttls",
              "starttls, implicit, or none (with allow_http and a loopback host only)"},
    OptionDoc{"username", false, false, "", "with `password`; neither: no login"},
    OptionDoc{"password", true, false, "", "for AUTH PLAIN or LOGIN"},
    OptionDoc{"hello_name", false, false, "",
              "the host name in EHLO; default: the domain of `from`"},
};

/// What compose() needs, all of it prebuilt.
struct Parts {
    std::string url;
    MailEnvelope envelope;  // Without the recipient.
    std::string display;
    std::string domain;  // Of the sender.
    std::string hello;   // What EHLO says.
    const Clock* clock = nullptr;
};

bool is_ip(const std::string& host) {
    std::array<unsigned char, 16> bytes{};
    if (host.starts_with('[') && host.ends_with(']')) {
        return ::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), bytes.data()) == 1;
    }
    return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1;
}

bool is_loopback(std::string_view host) {
    return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

/// "<job>.<chunk>.<position>.<tag>@<domain>": bounces and repeats name the send.
void write_message_id(const Parts& parts, const Batch& batch, std::string& id) {
    id.clear();
    fmt::format_to(std::back_inserter(id), "{}.{}.{}", batch.reference.job, batch.reference.chunk,
                   batch.messages[0].ref);
    for (auto& c : id) {
        const bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                              (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
        if (!is_plain) c = '-';
    }
    id.append("@").append(parts.domain);
}

void append_date(const Clock& clock, std::string& out) {
    const auto now = std::chrono::floor<std::chrono::seconds>(clock.now());
    fmt::format_to(std::back_inserter(out), "Date: {:%a, %d %b %Y %H:%M:%S} +0000\r\n",
                   fmt::gmtime(now.time_since_epoch().count()));
}

/// An account at a mail server: one transaction for each recipient, so that every answer is
/// about one person, and connections are kept.
///
/// Threads   const functions on any thread; nothing changes after construction.
class Smtp final : public Provider {
public:
    explicit Smtp(Parts parts) : parts_{std::move(parts)} {}

    [[nodiscard]] std::string_view type() const noexcept override { return smtp::type; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::email; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 1; }
    [[nodiscard]] RateUnit rate_unit() const noexcept override { return RateUnit::recipients; }
    [[nodiscard]] bool uses_smtp() const noexcept override { return true; }

    void compose(const Batch& batch, HttpRequest& out) const override {
        ensure_composable(batch, Channel::email, 1);
        const auto& message = batch.messages[0];
        out.url = parts_.url;
        out.headers.clear();
        out.http2 = false;
        out.get = false;
        out.mail = parts_.envelope;
        out.mail->recipient = message.address;
        write_message_id(parts_, batch, out.mail->message_id);
        out.body.clear();
        append_head(batch, out.mail->message_id, out.body);
        append_content(batch.content, message, out.body);
    }

    [[nodiscard]] BatchAnswer read(const HttpAnswer& answer, std::size_t /*count*/,
                                   std::int64_t /*now_unix*/) const override {
        return read_answer(answer, {parts_.envelope.from, parts_.envelope.username, parts_.hello});
    }

    /// A login, and no mail.
    [[nodiscard]] std::optional<HttpRequest> harmless_call() const override {
        HttpRequest request;
        request.url = parts_.url;
        request.mail = parts_.envelope;
        return request;
    }

private:
    [[nodiscard]] Proven read_proof(const HttpAnswer& answer) const override {
        const bool logs_in = !parts_.envelope.username.empty();
        const auto code = std::to_string(answer.status);
        if (answer.status / 100 == 2) {
            const bool has_logged_in = answer.step == MailStep::login;
            if (logs_in && !has_logged_in) return {Proof::refused, "no AUTH PLAIN or LOGIN"};
            return {Proof::well, code};
        }
        const bool is_final = answer.status / 100 == 5;
        return {answer.step == MailStep::login && is_final ? Proof::refused : Proof::unclear, code};
    }

    /// The order is that of most mail programs; each header stands once, as DKIM wants.
    void append_head(const Batch& batch, const std::string& id, std::string& out) const {
        const auto& message = batch.messages[0];
        thread_local std::string subject;
        subject.clear();
        write_text(batch.content.subject, message.values, subject);
        out.append("Message-ID: <").append(id).append(">\r\n");
        append_date(*parts_.clock, out);
        mime::append_mailbox_header("From", parts_.display, parts_.envelope.from, out);
        mime::append_token_header("To", message.address, out);
        mime::append_text_header("Subject", subject, out);
        UnsubscribeLinks links{batch.content, batch.reference};
        if (const auto link = links.any() ? links.of(message) : std::string_view{}; !link.empty()) {
            out.append("List-Unsubscribe: <").append(link).append(">\r\n");
            out.append("List-Unsubscribe-Post: ").append(one_click).append("\r\n");
        }
        out.append("Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
    }

    static void append_content(const Content& content, const Message& message, std::string& out) {
        thread_local std::string text, html;
        text.clear();
        html.clear();
        write_text(content.text, message.values, text);
        write_text(content.html, message.values, html);
        if (content.html.empty()) {
            mime::append_entity("text/plain", text, out);
        } else if (content.text.empty()) {
            mime::append_entity("text/html", html, out);
        } else {
            mime::append_alternative(text, html, out);
        }
    }

    Parts parts_;
};

}  // namespace

std::span<const OptionDoc> options() { return option_docs; }

std::unique_ptr<Provider> make(OptionReader& reader, const ProviderContext& context) {
    const auto host = reader.text("host");
    const auto from = reader.text("from");
    const auto tls = reader.text("tls");
    const auto mailbox = parse_mailbox(from);
    const auto username = reader.text("username");
    const auto password = reader.text("password");
    const auto is_cleartext = tls == "none";
    auto port = reader.whole("port", 1, 65'535);
    if (tls == "implicit" && !reader.account().options.contains("port")) port = 465;
    auto hello = reader.text("hello_name");
    reader.require_channel(Channel::email);
    reader.require("host", is_host_name(host) || is_loopback(host) || is_ip(host),
                   "a host name such as mail.example.org, or an IP address");
    reader.require("from", mailbox.has_value(), "name@domain or Name <name@domain>");
    reader.require("tls", tls == "starttls" || tls == "implicit" || is_cleartext,
                   "starttls, implicit or none");
    reader.require("tls", !is_cleartext || (reader.account().allow_http && is_loopback(host)),
                   "TLS; none only with allow_http and a loopback host");
    reader.require("hello_name", is_host_name(hello), "a host name such as sender.example.org");
    if (username.empty() != password.empty()) {
        reader.refuse(username.empty() ? "username" : "password", "both, or neither");
    }
    const auto has_line_break = [](std::string_view text) {
        return text.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos;
    };
    reader.require("username", !has_line_break(username), "one line");
    reader.require("password", !has_line_break(password), "one line");
    reader.batch_max(1);
    if (!reader.problems().empty()) return nullptr;

    Parts parts;
    parts.display = mailbox->name;
    parts.domain = mailbox->address.substr(mailbox->address.find('@') + 1);
    parts.clock = context.clock;
    parts.envelope.from = mailbox->address;
    parts.envelope.username = username;
    parts.envelope.password = password;
    parts.envelope.cleartext = is_cleartext;
    if (hello.empty()) hello = parts.domain;
    parts.hello = hello;
    parts.url =
        fmt::format("{}://{}:{}/{}", tls == "implicit" ? "smtps" : "smtp", host, port, hello);
    return std::make_unique<Smtp>(std::move(parts));
}

}  // namespace fanfare::smtp
