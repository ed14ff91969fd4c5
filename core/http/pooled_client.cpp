#include "core/clock/alarm.hpp"
#include "core/http/h1_client.hpp"
#include "core/http/h1_connection.hpp"
#include "core/http/h2_client.hpp"
#include "core/http/h2_connection.hpp"
#include "core/http/origin.hpp"
#include "core/http/pool.hpp"
#include "core/http/tls.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace fanfare {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds look_every{250};  // While something is in flight.

template <class Connection>
std::shared_ptr<HttpConnection> connect(const HttpConnection::Parts& parts) {
    return std::make_shared<Connection>(parts);
}

/// The pools of one client, by server, and the time that passes for them.
class PooledEngine final : public std::enable_shared_from_this<PooledEngine> {
public:
    PooledEngine(const asio::any_io_executor& executor, const HttpOptions& options,
                 const Clock& clock, HttpVersion version)
        : executor_{executor},
          options_{options},
          clock_{clock},
          version_{version},
          alarm_{executor} {
        if (version == HttpVersion::h1) options_.streams_max = 1;
    }

    void start(const HttpRequest& request, HttpClient::Done done) {
        auto* const pool = closed_ || request.mail ? nullptr : pool_of(request.url);
        if (pool != nullptr && write_target(request.url, pool->origin(), target_)) {
            pool->add(request, target_, std::move(done));
        } else {
            refused_.push_back(std::move(done));
            kick();
        }
        arm();
    }

    [[nodiscard]] std::size_t in_flight() const noexcept {
        std::size_t count = refused_.size();
        for (const auto& pool : pools_) count += pool->in_flight();
        return count;
    }

    void close() {
        closed_ = true;
        alarm_.cancel();
        const auto pools = std::exchange(pools_, {});
        for (const auto& pool : pools) pool->close();
        refuse();
    }

private:
    HttpPool* pool_of(const std::string& url) {
        for (const auto& pool : pools_) {
            if (is_of(url, pool->origin())) return pool.get();
        }
        auto origin = read_origin(url);
        if (!origin || (!origin->tls && !options_.allow_http)) return nullptr;
        pools_.push_back(std::make_shared<HttpPool>(
            std::move(*origin),
            HttpPool::Parts{.executor = executor_,
                            .options = options_,
                            .clock = clock_,
                            .tls = [this] { return tls_context(); },
                            .kick = [this] { kick(); },
                            .connect = version_ == HttpVersion::h1 ? connect<H1Connection>
                                                                   : connect<H2Connection>}));
        return pools_.back().get();
    }

    SSL_CTX* tls_context() {
        if (!tls_) tls_ = make_tls_context(options_.ca_file, version_);
        return tls_.get();
    }

    /// Many starts, and what many answers make room for, share one turn.
    void kick() {
        if (kicked_) return;
        kicked_ = true;
        asio::post(executor_, [weak = weak_from_this()] {
            const auto self = weak.lock();
            if (self && !self->closed_) self->turn();
        });
    }

    void turn() {
        kicked_ = false;
        refuse();
        for (std::size_t i = 0; i < pools_.size(); ++i) {  // None where a turn closes us.
            const auto pool = pools_[i];
            pool->turn();
        }
    }

    void refuse() {
        for (auto& done : std::exchange(refused_, {})) {
            HttpAnswer answer;
            answer.fault = "http: no URL that this client may send to";
            done(answer);
        }
    }

    void arm() {
        if (armed_ || closed_ || in_flight() == 0) return;
        armed_ = true;
        auto wait = std::chrono::nanoseconds{look_every};
        const auto now = clock_.steady_now();
        for (const auto& pool : pools_) {
            if (pool->in_flight() == 0) continue;
            wait = std::min<std::chrono::nanoseconds>(wait, pool->first_deadline() - now);
        }
        alarm_.call(std::max(wait, std::chrono::nanoseconds{0}), [weak = weak_from_this()] {
            const auto self = weak.lock();
            if (!self || self->closed_) return;
            self->armed_ = false;
            const auto pools = self->pools_;
            for (const auto& pool : pools) {
                if (!self->closed_) pool->check_time();
            }
            self->arm();
        });
    }

    asio::any_io_executor executor_;
    HttpOptions options_;
    const Clock& clock_;
    HttpVersion version_;
    Alarm alarm_;
    TlsContext tls_;
    std::vector<std::shared_ptr<HttpPool>> pools_;
    std::vector<HttpClient::Done> refused_;
    std::string target_;  // Of the request that starts.
    bool kicked_ = false;
    bool armed_ = false;
    bool closed_ = false;
};

/// Ties the engine, which handlers look at weakly, to one owner.
class PooledClient final : public HttpClient {
public:
    PooledClient(const asio::any_io_executor& executor, const HttpOptions& options,
                 const Clock& clock, HttpVersion version)
        : engine_{std::make_shared<PooledEngine>(executor, options, clock, version)} {}
    ~PooledClient() override { engine_->close(); }
    void start(const HttpRequest& request, Done done) override {
        engine_->start(request, std::move(done));
    }
    [[nodiscard]] std::size_t in_flight() const noexcept override { return engine_->in_flight(); }

private:
    std::shared_ptr<PooledEngine> engine_;
};

}  // namespace

std::unique_ptr<HttpClient> make_h1_client(const asio::any_io_executor& executor,
                                           const HttpOptions& options, const Clock& clock) {
    return std::make_unique<PooledClient>(executor, options, clock, HttpVersion::h1);
}

std::unique_ptr<HttpClient> make_h2_client(const asio::any_io_executor& executor,
                                           const HttpOptions& options, const Clock& clock) {
    return std::make_unique<PooledClient>(executor, options, clock, HttpVersion::h2);
}

}  // namespace fanfare
