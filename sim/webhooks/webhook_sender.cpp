#include "sim/webhooks/webhook_sender.hpp"

#include "core/http/client.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

namespace fanfare::sim {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds timeout{15};
constexpr std::uint32_t connections_max = 1'000;

HttpOptions http_options(const std::filesystem::path& ca_file) {
    HttpOptions options;
    options.timeout = timeout;
    options.connections_max = connections_max;
    options.ca_file = ca_file;
    options.allow_http = true;
    return options;
}

}  // namespace

HttpRequest addressed(const WebhookRequest& webhook) {
    auto request = webhook.events.empty() ? compose_sns_subscription(webhook.subscription_token,
                                                                     *webhook.keys, webhook.posting)
                                          : compose(webhook.events, *webhook.keys, webhook.posting);
    if (webhook.connect.empty()) return request;
    const auto scheme_end = request.url.find("://");
    if (scheme_end == std::string::npos) return request;
    const auto host = scheme_end + 3;
    const auto path = std::min(request.url.find_first_of("/?", host), request.url.size());
    request.headers.push_back(header_line("Host", request.url.substr(host, path - host)));
    auto there = webhook.connect;
    while (there.ends_with('/')) there.pop_back();
    request.url = there + request.url.substr(path);
    return request;
}

class WebhookSender::Round {
public:
    Round(WebhookQueue& webhook_queue, const Clock& clock, const std::filesystem::path& ca_file)
        : webhook_queue_{webhook_queue},
          clock_{clock},
          client_{HttpClient::create(context_.get_executor(), http_options(ca_file))} {
        webhook_queue_.on_work([this] { poke(); });
        thread_ = std::jthread{[this] { context_.run(); }};
        poke();
    }

    ~Round() {
        webhook_queue_.on_work({});
        asio::post(context_, [this] {
            timer_.cancel();
            stopping_ = true;
            client_.reset();  // Ends what is in flight.
            guard_.reset();
        });
        thread_.join();
    }
    Round(const Round&) = delete;
    Round& operator=(const Round&) = delete;

private:
    // Many pokes share one turn.
    void poke() {
        if (poked_.exchange(true)) return;
        asio::post(context_, [this] {
            poked_ = false;
            pump();
        });
    }

    void pump() {
        if (stopping_) return;
        while (const auto webhook = webhook_queue_.next(clock_)) send(*webhook);
        const auto due = webhook_queue_.next_due();
        if (!due) return;
        timer_.expires_at(*due);
        timer_.async_wait([this](boost::system::error_code error) {
            if (!error) pump();
        });
    }

    void send(const WebhookRequest& webhook) {
        const auto request = std::make_shared<const HttpRequest>(addressed(webhook));
        client_->start(*request, [this, request, id = webhook.id](const HttpAnswer& answer) {
            if (stopping_) return;
            const Reply reply{
                .connected = answer.transport != Transport::not_sent,
                .status = answer.transport == Transport::answered ? answer.status : 0};
            webhook_queue_.done(id, reply, clock_);
            poke();
        });
    }

    WebhookQueue& webhook_queue_;
    const Clock& clock_;
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> guard_{context_.get_executor()};
    asio::steady_timer timer_{context_};
    std::unique_ptr<HttpClient> client_;
    std::atomic<bool> poked_ = false;
    bool stopping_ = false;  // On the thread.
    std::jthread thread_;
};

WebhookSender::WebhookSender(WebhookQueue& webhook_queue, const Clock& clock,
                             const std::filesystem::path& ca_file)
    : round_{std::make_unique<Round>(webhook_queue, clock, ca_file)} {}

WebhookSender::~WebhookSender() = default;

}  // namespace fanfare::sim
