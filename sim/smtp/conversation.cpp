#include "sim/smtp/conversation.hpp"

#include "sim/http/message.hpp"
#include "sim/http/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace fanfare::sim {

namespace {

constexpr std::size_t command_bytes_max = 2048;
constexpr std::string_view not_now = "503 5.5.1 Error: bad sequence of commands\r\n";

bool begins(std::string_view line, std::string_view word) {
    return line.size() >= word.size() && equal_ignoring_case(line.substr(0, word.size()), word);
}

std::optional<std::string> decode(std::string_view text) {
    std::string url;
    for (const char c : text) {
        if (c != '=') url.push_back(c == '+' ? '-' : c == '/' ? '_' : c);
    }
    return decode_base64url(url);
}

/// The address in "<...>", which must stand at the beginning; parameters may follow.
std::optional<std::string> path_in(std::string_view text) {
    text = trimmed(text);
    const auto end = text.find('>');
    if (!text.starts_with('<') || end == text.npos) return std::nullopt;
    const auto rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ' ') return std::nullopt;
    return std::string{text.substr(1, end - 1)};
}

bool is_address(std::string_view address) {
    const auto at = address.find('@');
    return at != address.npos && at > 0 && at + 1 < address.size() && is_ascii(address) &&
           address.find_first_of(" <>,;\"") == address.npos &&
           address.find('@', at + 1) == address.npos;
}

}  // namespace

bool Conversation::take_line(std::string& line) {
    const auto end = in_.find("\r\n");
    if (end == std::string::npos) return false;
    line.assign(in_, 0, end);
    in_.erase(0, end + 2);
    return true;
}

Conversation::Next Conversation::step(std::string& out) {
    std::string line;
    while (true) {
        if (mode_ == Mode::data) {
            // In one pass: a message may have many thousand lines.
            std::size_t at = 0;
            bool is_whole = false;
            for (auto end = in_.find("\r\n"); end != std::string::npos && !is_whole;
                 end = in_.find("\r\n", at)) {
                is_whole = data_line(std::string_view{in_}.substr(at, end - at));
                at = end + 2;
            }
            in_.erase(0, at);
            if (!is_whole) {
                if (message_.size() + in_.size() <= rules_.message_bytes_max) return Next::read;
                out.append("552 5.3.4 Message too big\r\n");
                return Next::close;
            }
            mode_ = Mode::commands;
            return Next::message;
        }
        if (!take_line(line)) {
            if (in_.size() <= command_bytes_max) return Next::read;
            out.append("500 5.5.2 Line too long\r\n");
            return Next::close;
        }
        if (mode_ != Mode::commands) {
            login_answer(line, out);
            continue;
        }
        const auto next = command(line, out);
        if (next != Next::read) return next;
    }
}

bool Conversation::data_line(std::string_view line) {
    if (line == ".") return true;
    if (line.starts_with('.')) line.remove_prefix(1);
    message_.append(line).append("\r\n");
    return false;
}

Conversation::Next Conversation::command(std::string_view line, std::string& out) {
    if (begins(line, "QUIT")) {
        out.append("221 2.0.0 Bye\r\n");
        return Next::close;
    }
    if (begins(line, "EHLO ") || begins(line, "HELO ")) {
        forget();
        greeted_ = true;
        if (begins(line, "HELO ")) {
            out.append("250 sim\r\n");
            return Next::read;
        }
        out.append("250-sim\r\n250-PIPELINING\r\n");
        out.append(fmt::format("250-SIZE {}\r\n", rules_.message_bytes_max));
        if (rules_.offers_tls && !secure_) out.append("250-STARTTLS\r\n");
        if (!rules_.user.empty()) out.append("250-AUTH PLAIN LOGIN\r\n");
        out.append("250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n");
    } else if (begins(line, "NOOP")) {
        out.append("250 2.0.0 Ok\r\n");
    } else if (begins(line, "RSET")) {
        forget();
        out.append("250 2.0.0 Ok\r\n");
    } else if (!greeted_) {
        out.append("503 5.5.1 Error: send EHLO first\r\n");
    } else if (begins(line, "STARTTLS")) {
        if (secure_ || !rules_.offers_tls) {
            out.append(not_now);
        } else {
            out.append("220 2.0.0 Ready to start TLS\r\n");
            return Next::start_tls;
        }
    } else if (begins(line, "AUTH ")) {
        login(line.substr(5), out);
    } else if (begins(line, "MAIL FROM:")) {
        mail(line.substr(10), out);
    } else if (begins(line, "RCPT TO:")) {
        recipient(line.substr(8), out);
    } else if (equal_ignoring_case(line, "DATA")) {
        if (recipient_.empty()) {
            out.append("554 5.5.1 Error: no valid recipients\r\n");
        } else {
            out.append("354 End data with <CR><LF>.<CR><LF>\r\n");
            mode_ = Mode::data;
        }
    } else {
        out.append("502 5.5.2 Error: command not recognized\r\n");
    }
    return Next::read;
}

void Conversation::login(std::string_view line, std::string& out) {
    if (rules_.user.empty() || logged_in_ || has_sender_) {
        out.append(not_now);
    } else if (begins(line, "PLAIN")) {
        mode_ = Mode::login;
        if (const auto initial = trimmed(line.substr(5)); !initial.empty()) {
            login_answer(initial, out);
        } else {
            out.append("334 \r\n");
        }
    } else if (begins(line, "LOGIN")) {
        mode_ = Mode::user;
        if (const auto initial = trimmed(line.substr(5)); !initial.empty()) {
            login_answer(initial, out);
        } else {
            out.append("334 VXNlcm5hbWU6\r\n");
        }
    } else {
        out.append("504 5.5.4 Unrecognized authentication type\r\n");
    }
}

void Conversation::login_answer(std::string_view line, std::string& out) {
    const auto decoded = decode(line);
    const auto mode = mode_;
    mode_ = Mode::commands;
    if (!decoded) {
        out.append("501 5.5.2 Cannot decode\r\n");
    } else if (mode == Mode::user) {
        user_ = *decoded;
        mode_ = Mode::password;
        out.append("334 UGFzc3dvcmQ6\r\n");
    } else if (mode == Mode::password) {
        judge_login(user_, *decoded, out);
    } else {
        // [authorization] NUL user NUL password
        const std::string_view all{*decoded};
        const auto first = all.find('\0');
        const auto second = first == all.npos ? first : all.find('\0', first + 1);
        if (second == all.npos) {
            out.append("501 5.5.2 Cannot decode\r\n");
        } else {
            judge_login(all.substr(first + 1, second - first - 1), all.substr(second + 1), out);
        }
    }
}

void Conversation::judge_login(std::string_view user, std::string_view password, std::string& out) {
    logged_in_ = user == rules_.user && password == rules_.password;
    out.append(logged_in_ ? "235 2.7.0 Authentication successful\r\n"
                          : "535 5.7.8 Error: authentication failed\r\n");
}

void Conversation::mail(std::string_view line, std::string& out) {
    const auto path = path_in(line);
    if (!rules_.user.empty() && !logged_in_) {
        out.append("530 5.7.0 Authentication required\r\n");
    } else if (has_sender_) {
        out.append(not_now);
    } else if (!path || !is_address(*path)) {
        out.append("501 5.1.7 Bad sender address syntax\r\n");
    } else {
        sender_ = *path;
        has_sender_ = true;
        out.append("250 2.1.0 Ok\r\n");
    }
}

void Conversation::recipient(std::string_view line, std::string& out) {
    const auto path = path_in(line);
    if (!has_sender_) {
        out.append(not_now);
    } else if (!recipient_.empty()) {
        out.append("452 4.5.3 Error: too many recipients\r\n");
    } else if (!path || !is_address(*path)) {
        out.append("501 5.1.3 Bad recipient address syntax\r\n");
    } else {
        recipient_ = *path;
        out.append("250 2.1.5 Ok\r\n");
    }
}

void Conversation::secured() {
    in_.clear();
    forget();
    greeted_ = false;
    logged_in_ = false;
    secure_ = true;
}

void Conversation::forget() {
    sender_.clear();
    recipient_.clear();
    message_.clear();
    has_sender_ = false;
    mode_ = Mode::commands;
}

}  // namespace fanfare::sim
