#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fanfare::sim {

/// What a mail server allows.
struct MailRules {
    std::string user;  // "": no login is needed.
    std::string password;
    bool offers_tls = true;
    std::size_t message_bytes_max = 30U * 1024 * 1024;
};

/// The server's side of one SMTP connection, without I/O: bytes in, replies and decisions out.
///
/// EHLO, STARTTLS, AUTH PLAIN and LOGIN, MAIL, RCPT (one), DATA, RSET, NOOP, QUIT; commands may
/// be pipelined.
///
/// Bounds    2,048 bytes a command, the rules' bytes a message.
/// Threads   one.
/// Lifetime  rules outlive it.
class Conversation {
public:
    enum class Next : std::uint8_t {
        read,       // More bytes are needed: feed().
        start_tls,  // After the reply is written; then secured().
        message,    // A message is there: decide, write the answer, then forget().
        close,      // After the reply is written.
    };

    explicit Conversation(const MailRules& rules) : rules_{rules} {}

    [[nodiscard]] static std::string_view greeting() noexcept { return "220 sim ESMTP ready\r\n"; }

    void feed(std::string_view bytes) { in_.append(bytes); }
    /// Works through what was fed; appends replies.
    [[nodiscard]] Next step(std::string& out);

    /// TLS stands: all that was said before is void.
    void secured();
    /// The transaction is over, however it ended.
    void forget();

    [[nodiscard]] const std::string& sender() const noexcept { return sender_; }
    [[nodiscard]] const std::string& recipient() const noexcept { return recipient_; }
    [[nodiscard]] const std::string& message() const noexcept { return message_; }

private:
    enum class Mode : std::uint8_t { commands, data, login, user, password };

    [[nodiscard]] bool take_line(std::string& line);
    [[nodiscard]] Next command(std::string_view line, std::string& out);
    void login(std::string_view line, std::string& out);
    void login_answer(std::string_view line, std::string& out);
    void judge_login(std::string_view user, std::string_view password, std::string& out);
    void mail(std::string_view line, std::string& out);
    void recipient(std::string_view line, std::string& out);
    [[nodiscard]] bool data_line(std::string_view line);

    const MailRules& rules_;
    Mode mode_ = Mode::commands;
    std::string in_;
    std::string sender_;
    std::string recipient_;
    std::string message_;
    std::string user_;
    bool greeted_ = false;
    bool secure_ = false;
    bool logged_in_ = false;
    bool has_sender_ = false;
};

}  // namespace fanfare::sim
