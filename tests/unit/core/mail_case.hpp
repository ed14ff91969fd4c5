#pragma once

#include "tests/support/mail_server.hpp"
#include "tests/unit/core/http_case.hpp"

#include <mutex>
#include <string>
#include <vector>

namespace fanfare::test {

inline constexpr auto text = "Subject: x\r\n\r\nhello\r\n";

/// The replies of a server that takes everything; a test spoils some.
struct Manners {
    std::string greeting = "220 mail.example.org ready";
    std::string hello = "250-mail.example.org\r\n250 AUTH PLAIN LOGIN";
    std::string login = "235 2.7.0 ok";
    std::string sender = "250 2.1.0 ok";
    std::string recipient = "250 2.1.5 ok";
    std::string data = "354 go ahead";
    std::string end = "250 2.0.0 Ok: queued as 4ABC";
};

/// Messages as the server's threads took them and as the test looks at them.
class Messages {
public:
    void add(std::string message) {
        const std::lock_guard guard{mutex_};
        all_.push_back(std::move(message));
    }
    [[nodiscard]] std::vector<std::string> all() const {
        const std::lock_guard guard{mutex_};
        return all_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> all_;
};

/// Reads commands until QUIT, the end, or a reply of Manners that begins with '!': then the
/// connection is closed in its place.
inline void serve(MailLine& line, const Manners& manners, Messages* messages = nullptr) {
    const auto say = [&line](const std::string& reply) {
        if (reply == "!fin") line.close();
        if (reply == "!rst") line.reset();
        if (reply.starts_with('!')) return false;
        line.say(reply);
        return true;
    };
    if (!say(manners.greeting)) return;
    while (const auto command = line.read()) {
        const auto is = [&](std::string_view word) { return command->starts_with(word); };
        if (is("DATA")) {
            if (!say(manners.data)) return;
            if (!manners.data.starts_with("354")) continue;
            const auto message = line.read_message();
            if (!message) return;
            if (messages != nullptr) messages->add(*message);
            if (!say(manners.end)) return;
        } else if (is("QUIT")) {
            line.say("221 bye");
            line.close();
        } else if (!say(is("EHLO")   ? manners.hello
                        : is("AUTH") ? manners.login
                        : is("MAIL") ? manners.sender
                        : is("RCPT") ? manners.recipient
                                     : "250 ok")) {
            return;
        }
    }
}

class MailTest : public HttpTest {
protected:
    static HttpRequest mail(const MailServer& server, std::string body = text) {
        HttpRequest request{server.url(), {}, std::move(body)};
        request.mail = {.from = "shows@example.org",
                        .recipient = "ann@example.com",
                        .username = "user",
                        .password = "pass",
                        .message_id = "m-1@example.org",
                        .cleartext = true};
        return request;
    }
    HttpAnswer post(const MailServer& server, std::string body = text) {
        return HttpTest::send(mail(server, std::move(body)));
    }
};

}  // namespace fanfare::test
