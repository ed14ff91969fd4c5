#include "core/http/client.hpp"

#include "core/error/failure.hpp"
#include "core/http/mail_pool.hpp"
#include "core/http/transfer.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/epoll.h>

#include <array>
#include <memory>
#include <unordered_set>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;

/// libcurl's sockets live in an epoll set of their own, which Asio watches as one
/// descriptor: many ready sockets cost one wake-up, and a busy socket needs no re-arming.
class MultiClient final : public HttpClient, public std::enable_shared_from_this<MultiClient> {
public:
    MultiClient(const asio::any_io_executor& executor, const HttpOptions& options)
        : options_{options},
          sockets_{executor, open_epoll()},
          timer_{executor},
          multi_{curl_multi_init()} {
        ensure(multi_ != nullptr, "libcurl gives out multi handles");
        CURLM* const multi = multi_.get();
        curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
        curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
        curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
        curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                          static_cast<long>(options.connections_max));
        curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options.connections_max));
        curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS,
                          static_cast<long>(options.streams_max));
    }

    void begin() { watch(); }

    /// Ends every exchange and lets Asio go of the descriptor.
    void close() {
        closed_ = true;
        timer_.cancel();
        sockets_.cancel();
        std::vector<Transfer*> open{running_.begin(), running_.end()};
        for (Transfer* const transfer : open) complete(transfer, CURLE_ABORTED_BY_CALLBACK);
    }

    void start(const HttpRequest& request, Done done) override {
        std::unique_ptr<Transfer> transfer;
        if (idle_.empty()) {
            transfer = std::make_unique<Transfer>(options_);
        } else {
            transfer = std::move(idle_.back());
            idle_.pop_back();
        }
        transfer->prepare(request, std::move(done));
        Transfer* const raw = transfer.release();  // Owned by running_ until complete().
        running_.insert(raw);
        const auto code = curl_multi_add_handle(multi_.get(), raw->easy());
        ensure(code == CURLM_OK, "libcurl takes a prepared handle");
        kick();
    }

    [[nodiscard]] std::size_t in_flight() const noexcept override { return running_.size(); }

private:
    static int open_epoll() {
        const int descriptor = epoll_create1(EPOLL_CLOEXEC);
        ensure(descriptor >= 0, "an epoll set can be opened");
        return descriptor;
    }

    static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void* known) {
        auto* const client = static_cast<MultiClient*>(self);
        const int set = client->sockets_.native_handle();
        if (what == CURL_POLL_REMOVE) {
            epoll_ctl(set, EPOLL_CTL_DEL, socket, nullptr);
            curl_multi_assign(client->multi_.get(), socket, nullptr);
            return 0;
        }
        epoll_event event{};
        event.data.fd = socket;
        if (what != CURL_POLL_OUT) event.events |= EPOLLIN;
        if (what != CURL_POLL_IN) event.events |= EPOLLOUT;
        epoll_ctl(set, known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event);
        if (known == nullptr) curl_multi_assign(client->multi_.get(), socket, client);
        return 0;
    }

    static int on_timer(CURLM*, long wait_ms, void* self) {
        auto* const client = static_cast<MultiClient*>(self);
        if (wait_ms < 0) {
            client->timer_.cancel();
        } else if (wait_ms == 0) {
            client->kick();
        } else {
            client->arm(std::chrono::milliseconds{wait_ms});
        }
        return 0;
    }

    void arm(std::chrono::milliseconds wait) {
        timer_.expires_after(wait);
        timer_.async_wait([weak = weak_from_this()](boost::system::error_code fault) {
            const auto self = weak.lock();
            if (!fault && self && !self->closed_) self->drive(CURL_SOCKET_TIMEOUT, 0);
        });
    }

    /// Soon, but not from inside a callback of libcurl or of start(): many starts in a row
    /// share one turn.
    void kick() {
        if (kicked_) return;
        kicked_ = true;
        asio::post(timer_.get_executor(), [weak = weak_from_this()] {
            const auto self = weak.lock();
            if (!self || self->closed_) return;
            self->kicked_ = false;
            self->drive(CURL_SOCKET_TIMEOUT, 0);
        });
    }

    void watch() {
        sockets_.async_wait(asio::posix::stream_descriptor::wait_read,
                            [weak = weak_from_this()](boost::system::error_code fault) {
                                const auto self = weak.lock();
                                if (fault || !self || self->closed_) return;
                                self->drive_ready();
                                self->watch();
                            });
    }

    void drive_ready() {
        std::array<epoll_event, 64> events{};
        const int count =
            epoll_wait(sockets_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
        int running = 0;
        for (int i = 0; i < count; ++i) {
            const auto& event = events[static_cast<std::size_t>(i)];
            int flags = 0;
            if ((event.events & EPOLLIN) != 0) flags |= CURL_CSELECT_IN;
            if ((event.events & EPOLLOUT) != 0) flags |= CURL_CSELECT_OUT;
            if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) flags |= CURL_CSELECT_ERR;
            curl_multi_socket_action(multi_.get(), event.data.fd, flags, &running);
        }
        collect();
    }

    void drive(curl_socket_t socket, int flags) {
        int running = 0;
        curl_multi_socket_action(multi_.get(), socket, flags, &running);
        collect();
    }

    void collect() {
        int left = 0;
        while (CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            const CURLcode code = message->data.result;
            Transfer* transfer = nullptr;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
            complete(transfer, code);
            if (closed_) return;
        }
    }

    void complete(Transfer* raw, CURLcode code) {
        running_.erase(raw);
        std::unique_ptr<Transfer> transfer{raw};
        curl_multi_remove_handle(multi_.get(), raw->easy());
        const auto answer = transfer->finish(code);
        auto done = transfer->take_done();
        // One that failed is not used again: where libcurl 8.14 could not send a body once more, it
        // keeps wanting to, and every later exchange on that handle fails.
        if (!closed_ && code == CURLE_OK) idle_.push_back(std::move(transfer));
        done(answer);
    }

    HttpOptions options_;
    // Destroyed in reverse: idle handles first, then the multi handle (which closes its
    // sockets and tells on_socket and on_timer), then the epoll set and the timer.
    asio::posix::stream_descriptor sockets_;
    asio::steady_timer timer_;
    CurlMulti multi_;
    std::unordered_set<Transfer*> running_;
    std::vector<std::unique_ptr<Transfer>> idle_;
    bool kicked_ = false;
    bool closed_ = false;
};

/// Ties the shared client, which Asio's handlers look at weakly, to one owner; mails go to
/// threads of their own.
class OwnedClient final : public HttpClient {
public:
    OwnedClient(const asio::any_io_executor& executor, const HttpOptions& options)
        : client_{std::make_shared<MultiClient>(executor, options)}, mails_{executor, options} {
        client_->begin();
    }
    ~OwnedClient() override {
        mails_.close();
        client_->close();
    }
    void start(const HttpRequest& request, Done done) override {
        if (request.mail) return mails_.start(request, std::move(done));
        client_->start(request, std::move(done));
    }
    [[nodiscard]] std::size_t in_flight() const noexcept override {
        return client_->in_flight() + mails_.in_flight();
    }

private:
    std::shared_ptr<MultiClient> client_;
    MailPool mails_;
};

}  // namespace

std::unique_ptr<HttpClient> HttpClient::create(asio::any_io_executor executor,
                                               const HttpOptions& options) {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    ensure(ready == CURLE_OK, "libcurl initialises");
    return std::make_unique<OwnedClient>(executor, options);
}

asio::awaitable<HttpAnswer> HttpClient::send(const HttpRequest& request) {
    auto begin = [this, &request](auto handler) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        start(request, [shared](const HttpAnswer& answer) { std::move (*shared)(answer); });
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(HttpAnswer)>(
        begin, asio::use_awaitable);
}

}  // namespace fanfare
