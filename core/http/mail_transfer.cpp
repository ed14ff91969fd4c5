#include "core/http/mail_transfer.hpp"

#include "core/domain/this_machine.hpp"
#include "core/error/failure.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace fanfare {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t reply_bytes_max = 4096;

bool is_loopback(std::string_view url) {
    constexpr std::string_view scheme = "smtp://";
    if (!url.starts_with(scheme)) return false;
    url.remove_prefix(scheme.size());
    return is_authority_here(url.substr(0, url.find('/')));
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

}  // namespace

MailTransfer::MailTransfer(const HttpOptions& options)
    : options_{options}, easy_{make_easy(options)} {
    CURL* const easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    // Also bounds the farewell to a server that has fallen silent.
    curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT,
                     static_cast<long>((options.timeout.count() + 999) / 1000));
    curl_easy_setopt(easy, CURLOPT_MAXCONNECTS, 1L);
    curl_easy_setopt(easy, CURLOPT_SASL_IR, 1L);
    curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN");
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, this);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_reply);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
    // The only way to learn which command a reply answers. Nothing of it is kept or printed.
    curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_debug);
    curl_easy_setopt(easy, CURLOPT_DEBUGDATA, this);
}

MailTransfer::~MailTransfer() {
    abort();  // Else libcurl says QUIT and waits for the answer.
}

void MailTransfer::prepare(const HttpRequest& request, bool fresh) {
    ensure(request.mail.has_value(), "a mail has an envelope");
    const auto& mail = *request.mail;
    body_ = request.body;
    body_read_ = 0;
    step_ = MailStep::connect;
    replied_ = false;
    over_ = false;
    looks_ = mail.recipient.empty();
    opened_ = false;
    reply_ended_ = true;
    status_ = 0;
    reply_.clear();
    CURL* const easy = easy_.get();
    const bool cleartext = mail.cleartext && options_.allow_http && is_loopback(request.url);
    curl_easy_setopt(easy, CURLOPT_USE_SSL,
                     static_cast<long>(cleartext ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_USERNAME,
                     mail.username.empty() ? nullptr : mail.username.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD,
                     mail.username.empty() ? nullptr : mail.password.c_str());
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
    choose_command(mail);
}

/// A mail, or NOOP, and QUIT at once.
void MailTransfer::choose_command(const MailEnvelope& mail) {
    CURL* const easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_NOBODY, looks_ ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, looks_ ? "NOOP" : nullptr);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, looks_ ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, looks_ ? nullptr : mail.from.c_str());
    curl_slist* const list = looks_ ? nullptr : curl_slist_append(nullptr, mail.recipient.c_str());
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, list);
    recipients_.reset(list);
    if (looks_) return;
    // Without a size libcurl asks once more when all is written: that call, and none before
    // it, says that the end of the message may leave.
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(-1));
}

CURLcode MailTransfer::run(milliseconds rest) {
    curl_easy_setopt(easy_.get(), CURLOPT_TIMEOUT_MS,
                     static_cast<long>(std::max(rest, milliseconds{1}).count()));
    const auto code = curl_easy_perform(easy_.get());
    ended_well_ = code == CURLE_OK;
    return code;
}

HttpAnswer MailTransfer::perform(const HttpRequest& request) {
    curl_off_t elapsed = 0;
    prepare(request, false);
    auto code = run(options_.timeout);
    curl_easy_getinfo(easy_.get(), CURLINFO_TOTAL_TIME_T, &elapsed);
    const bool died = transport() == Transport::not_sent &&
                      (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR);
    const bool sent_away =
        transport() == Transport::answered && status_ == 421 && step_ == MailStep::sender;
    const bool was_kept = !opened_;
    if (was_kept && (died || sent_away) && !aborted_) {
        const auto spent =
            std::chrono::duration_cast<milliseconds>(std::chrono::microseconds{elapsed});
        prepare(request, true);
        code = run(options_.timeout - spent);
        curl_off_t more = 0;
        curl_easy_getinfo(easy_.get(), CURLINFO_TOTAL_TIME_T, &more);
        elapsed += more;
    }
    HttpAnswer answer;
    answer.message_id = request.mail->message_id;
    answer.transport = transport();
    if (answer.transport == Transport::answered) {
        answer.status = status_;
        answer.step = step_;
        answer.body = reply_;
    }
    answer.elapsed = std::chrono::microseconds{elapsed};
    if (code != CURLE_OK) {
        answer.fault = fmt::format("curl {}: {}", static_cast<int>(code), curl_easy_strerror(code));
    }
    return answer;
}

Transport MailTransfer::transport() const noexcept {
    const bool has_looked = looks_ && ended_well_;
    const bool is_final = step_ == MailStep::end_of_data || status_ >= 400 || has_looked;
    if (replied_ && is_final) return Transport::answered;
    // Before the last call of on_read() no end of a message was written: nobody has one.
    return step_ == MailStep::end_of_data ? Transport::in_doubt : Transport::not_sent;
}

void MailTransfer::abort() {
    aborted_ = true;
    const std::lock_guard guard{mutex_};
    for (const auto socket : sockets_) ::shutdown(socket, SHUT_RDWR);
}

void MailTransfer::note_command(std::string_view line) {
    // Lines of a login that is not over are anything.
    const bool is_of_login = step_ == MailStep::login && status_ == 334;
    if (line == "QUIT\r\n" && !is_of_login) over_ = true;
    if (over_) return;
    replied_ = false;
    if (line.starts_with("EHLO ") || line.starts_with("HELO ")) {
        step_ = MailStep::hello;
    } else if (line.starts_with("STARTTLS")) {
        step_ = MailStep::starttls;
    } else if (line.starts_with("AUTH ")) {
        step_ = MailStep::login;
    } else if (line.starts_with("MAIL FROM:")) {
        step_ = MailStep::sender;
    } else if (line.starts_with("RCPT TO:")) {
        step_ = MailStep::recipient;
    } else if (line.starts_with("DATA") && step_ == MailStep::recipient) {
        step_ = MailStep::data;
    }  // Else the next line of a login.
}

void MailTransfer::note_reply(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    const bool is_reply = line.size() >= 3 && std::all_of(line.begin(), line.begin() + 3, is_digit);
    // What is none libcurl does not take for one either; what comes after QUIT tells nothing.
    if (!is_reply || over_) return;
    if (reply_ended_) reply_.clear();
    status_ = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    reply_ended_ = line.size() == 3 || line[3] != '-';
    replied_ = reply_ended_;
    const auto text = line.substr(std::min<std::size_t>(line.size(), 4));
    if (!reply_.empty() && reply_.size() < reply_bytes_max) reply_.push_back('\n');
    reply_.append(text.substr(0, reply_bytes_max - reply_.size()));
}

std::size_t MailTransfer::on_read(char* into, std::size_t size, std::size_t count, void* self) {
    auto* const transfer = static_cast<MailTransfer*>(self);
    const auto rest = transfer->body_.substr(transfer->body_read_);
    const auto taken = std::min(rest.size(), size * count);
    std::memcpy(into, rest.data(), taken);
    transfer->body_read_ += taken;
    if (taken == 0) {
        transfer->step_ = MailStep::end_of_data;
        transfer->replied_ = false;
    }
    return taken;
}

std::size_t MailTransfer::on_reply(char* from, std::size_t size, std::size_t count, void* self) {
    static_cast<MailTransfer*>(self)->note_reply({from, size * count});
    return size * count;
}

int MailTransfer::on_debug(CURL* /*easy*/, curl_infotype kind, char* data, std::size_t size,
                           void* self) {
    if (kind == CURLINFO_HEADER_OUT) static_cast<MailTransfer*>(self)->note_command({data, size});
    return 0;
}

int MailTransfer::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<MailTransfer*>(self)->aborted_ ? 1 : 0;
}

curl_socket_t MailTransfer::on_open(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
    auto* const transfer = static_cast<MailTransfer*>(self);
    const std::lock_guard guard{transfer->mutex_};
    if (transfer->aborted_) return CURL_SOCKET_BAD;
    transfer->opened_ = true;
    const int socket =
        ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (socket < 0) return CURL_SOCKET_BAD;
    transfer->sockets_.push_back(socket);
    return socket;
}

int MailTransfer::on_close(void* self, curl_socket_t socket) {
    auto* const transfer = static_cast<MailTransfer*>(self);
    const std::lock_guard guard{transfer->mutex_};
    std::erase(transfer->sockets_, socket);
    return ::close(socket);
}

}  // namespace fanfare
