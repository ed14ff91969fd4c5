#pragma once

#include "core/http/client.hpp"
#include "core/http/transfer.hpp"

#include <curl/curl.h>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// Mails over one reusable easy handle and its kept connection.
///
/// A handle of its own kind: it speaks SMTP only, as Transfer speaks HTTP only, so nothing of
/// one is left in the other.
///
/// Without a recipient nothing is handed over: it connects, secures the connection, logs in, says
/// NOOP and QUIT. The answer's step is then the last that was taken: login, where there was one.
///
/// A message is handed over once: only a kept connection that died, or was closed by its
/// server (421), before any of the body left is replaced, once.
///
/// Threads   perform() on one thread at a time; abort() on any.
class MailTransfer {
public:
    explicit MailTransfer(const HttpOptions& options);
    ~MailTransfer();
    MailTransfer(const MailTransfer&) = delete;
    MailTransfer& operator=(const MailTransfer&) = delete;

    /// Blocks until the mail's fate is known; the timeout of the options at most.
    [[nodiscard]] HttpAnswer perform(const HttpRequest& request);

    /// Ends what runs, and whatever is begun later.
    void abort();

private:
    static std::size_t on_read(char* into, std::size_t size, std::size_t count, void* self);
    static std::size_t on_reply(char* from, std::size_t size, std::size_t count, void* self);
    static int on_debug(CURL* easy, curl_infotype kind, char* data, std::size_t size, void* self);
    static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
    static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);
    static int on_close(void* self, curl_socket_t socket);

    void prepare(const HttpRequest& request, bool fresh);
    void choose_command(const MailEnvelope& mail);
    [[nodiscard]] CURLcode run(std::chrono::milliseconds rest);
    [[nodiscard]] Transport transport() const noexcept;
    void note_command(std::string_view line);
    void note_reply(std::string_view line);

    HttpOptions options_;
    std::mutex mutex_;  // Of sockets_.
    std::vector<curl_socket_t> sockets_;
    std::atomic<bool> aborted_ = false;
    CurlList recipients_;
    std::string_view body_;  // Of the request.
    std::size_t body_read_ = 0;
    MailStep step_ = MailStep::connect;  // Of the last command that was sent.
    bool replied_ = false;               // It has been answered, in full.
    bool reply_ended_ = true;
    bool opened_ = false;  // A connection was begun, not kept.
    bool over_ = false;    // libcurl has said QUIT.
    bool looks_ = false;   // Nothing is handed over.
    bool ended_well_ = false;
    int status_ = 0;
    std::string reply_;
    CurlEasy easy_;  // Goes first: closing its connection calls on_close.
};

}  // namespace fanfare
