#include "sim/providers/smtp/smtp.hpp"

#include "sim/providers/smtp/message.hpp"

#include <fmt/format.h>

namespace fanfare::sim {

namespace {

namespace json = boost::json;

void say(Answer& answer, int status, std::string_view text) {
    answer.status = status;
    answer.body = fmt::format("{} {}\r\n", status, text);
}

/// "<job>.<chunk>.<position>.<tag>" of the Message-ID; "" where it has no such form.
std::string_view find_reference(std::string_view message_id) {
    if (!message_id.starts_with('<')) return {};
    message_id.remove_prefix(1);
    return message_id.substr(0, message_id.find('@'));
}

class Smtp final : public SimulatedProvider {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "smtp"; }
    [[nodiscard]] bool owns(std::string_view path) const noexcept override {
        return path == smtp_path;
    }

    void check(const Request& request, const CheckContext& context,
               Checked& checked) const override {
        auto& answer = checked.answer;
        if (request.method != "SMTP") return say(answer, 503, "5.5.1 Mail comes over SMTP");
        std::string fault;
        const auto mail = read_mail(request.body, fault);
        if (!fault.empty()) return say(answer, 554, "5.6.0 " + fault);
        const auto recipient = request.header("rcpt-to");
        const auto to = mail.header("to");
        if (to != recipient && !to.ends_with(fmt::format("<{}>", recipient))) {
            return say(answer, 554, "5.6.0 to is not the recipient");
        }
        const auto message_id = mail.header("message-id");
        checked.arena.reserve(message_id.size());
        checked.reference = checked.keep(find_reference(message_id));
        checked.recipients.push_back(recipient);
        checked.kind = Checked::Kind::message;
        say(answer, 250, fmt::format("2.0.0 Ok: queued as {:X}", 0x10000000 + context.number));
    }

    void refuse(const Trouble& trouble, Answer& answer) const override {
        switch (trouble.kind) {
            case Trouble::Kind::refuse:
                return trouble.code.empty()
                           ? say(answer, 550, "5.1.1 Recipient address rejected: User unknown")
                           : say(answer, 550, fmt::format("{} Refused", trouble.code));
            case Trouble::Kind::throttle:
                return say(answer, 450, "4.7.1 Error: too much mail from 127.0.0.1");
            case Trouble::Kind::concurrency:
                return say(answer, 421, "4.7.0 Error: too many connections from 127.0.0.1");
            case Trouble::Kind::error:
                return say(answer, 451, "4.3.0 Error: queue file write error");
        }
    }

    [[nodiscard]] std::optional<json::object> render(const Request& request,
                                                     std::string_view address) const override {
        if (request.header("rcpt-to") != address) return std::nullopt;
        std::string fault;
        const auto mail = read_mail(request.body, fault);
        json::object shown;
        shown["text"] = mail.text;
        shown["html"] = mail.html;
        shown["subject"] = mail.header("subject");
        shown["from"] = mail.header("from");
        auto& headers = shown["headers"].emplace_object();
        for (const auto& [name, value] : mail.headers) headers[name] = value;
        return shown;
    }
};

}  // namespace

std::unique_ptr<SimulatedProvider> make_smtp() { return std::make_unique<Smtp>(); }

}  // namespace fanfare::sim
