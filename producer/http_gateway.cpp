#include "producer/http_gateway.hpp"

#include "core/ledger/opt_outs.hpp"
#include "core/postgres/pool.hpp"
#include "core/reference/reference.hpp"
#include "producer/api/api_server.hpp"
#include "producer/console/console.hpp"
#include "producer/http/server.hpp"
#include "producer/publishing/record_publisher.hpp"
#include "producer/receipts/fetcher.hpp"
#include "producer/receipts/webhook_handler.hpp"
#include "producer/unsubscribe/lookup.hpp"
#include "producer/unsubscribe/unsubscribe_handler.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>

namespace fanfare {
namespace {

namespace asio = boost::asio;

constexpr std::size_t connections = 2;
constexpr postgres::Limits limits{.statement_timeout = std::chrono::seconds{5}};

class WiredHttpGateway final : public HttpGateway {
public:
    WiredHttpGateway(const Settings& settings, const Systems& systems, const Clock& clock,
                     std::shared_ptr<prometheus::Registry> registry, kafka::TopicKeeper* keeper,
                     std::function<void()> hurry, Tracer* tracer)
        : settings_{settings},
          systems_{systems},
          clock_{clock},
          registry_{std::move(registry)},
          keeper_{keeper},
          hurry_{std::move(hurry)},
          tracer_{tracer},
          references_{settings_.link_key},
          ledger_{settings_.database.url, limits, connections} {}

    ~WiredHttpGateway() override { stop(); }

    Result<void> open() {
        auto server = WebServer::open(settings_.producer.http, clock_, registry_);
        if (!server) return server.error();
        server_ = std::move(server.value());
        auto publisher = RecordPublisher::open(settings_.kafka, server_->executor(), keeper_);
        if (!publisher) return publisher.error();
        publisher_ = std::move(publisher.value());
        fetcher_ = std::make_unique<Fetcher>(server_->executor(), clock_);
        receipts_ = std::make_unique<WebhookHandler>(
            WebhookHandler::Parts{settings_, references_, clock_, registry_,
                                  [this](std::vector<ReceiptBatch> batches) {
                                      return publish_receipts(std::move(batches));
                                  },
                                  [this](const AccountSettings& account, std::string url) {
                                      return fetcher_->get(account, std::move(url));
                                  }});
        unsubscribes_ = std::make_unique<UnsubscribeHandler>(UnsubscribeHandler::Parts{
            references_, clock_, settings_.producer.http.unsubscribes_per_second, registry_,
            [this](Reference reference, std::string mark) {
                return store(std::move(reference), std::move(mark));
            }});
        if (!references_.has_key()) {
            spdlog::warn("no link_key: receipts name no send, and no unsubscribe link works");
        }
        return open_api();
    }

    void start() override {
        Router router;
        receipts_->add_routes(router);
        unsubscribes_->add_routes(router);
        if (api_) api_->add_routes(router);
        if (console_) console_->add_routes(router);
        server_->start(std::move(router));
    }

    void stop() override {
        if (!server_) return;
        if (api_) asio::post(server_->executor(), [this] { api_->close(); });
        if (console_) asio::post(server_->executor(), [this] { console_->close(); });
        server_->stop();
    }

    std::vector<postgres::NamedPool> pools() const override {
        auto all = api_ ? api_->pools() : std::vector<postgres::NamedPool>{};
        all.push_back({"webhooks", "", &ledger_});
        return all;
    }

private:
    Result<void> open_api() {
        if (settings_.producer.clients.empty()) return {};
        auto server = api::ApiServer::open(
            settings_, systems_, clock_, *registry_,
            [this](std::string job, std::string body, std::string trace) {
                return publish_job(std::move(job), std::move(body), std::move(trace));
            },
            hurry_, tracer_);
        if (!server) return server.error();
        api_ = std::move(server.value());
        if (!settings_.producer.http.console) return {};
        Router inner;
        api_->add_inner_routes(inner);
        console_ = console::Console::open(
            {settings_, systems_, clock_, api_->clients(), std::move(inner)});
        return {};
    }

    asio::awaitable<bool> publish_receipts(std::vector<ReceiptBatch> batches) {
        std::vector<RecordPublisher::Record> records;
        for (const auto& batch : batches) {
            records.push_back({receipt_key(batch), encode_receipts(batch), {}});
        }
        auto topic = topics_.receipts;
        const auto stored = co_await publisher_->publish(std::move(topic), std::move(records));
        co_return stored.has_value();
    }

    asio::awaitable<Result<void>> publish_job(std::string job, std::string body,
                                              std::string trace) {
        std::vector<RecordPublisher::Record> records;
        records.push_back({std::move(job), std::move(body), trace_headers(trace)});
        auto topic = topics_.jobs;
        co_return co_await publisher_->publish(std::move(topic), std::move(records));
    }

    asio::awaitable<Result<bool>> store(Reference reference, std::string mark) {
        auto work = [reference = std::move(reference),
                     mark = std::move(mark)](postgres::Connection& connection) {
            return ledger::opt_out(connection, reference, mark);
        };
        // Every idle connection may have died with a restart, and mail clients may not try again:
        // a fresh connection gets its chance. Storing twice is storing once.
        for (std::size_t left = connections;; --left) {
            std::string doing{"store an opt-out"};
            auto stored = co_await ledger_.run(std::move(doing), work);
            if (!stored && is_retryable(stored.error().code) && left > 0) continue;
            if (!stored) co_return stored.error();
            if (!stored.value()) co_return false;
            auto left_list = std::move(*stored.value());
            if (!left_list.recipient.empty()) co_await keep_addresses(std::move(left_list));
            co_return true;
        }
    }

    /// Of somebody whose unsubscribe is stored. What fails here, or is of a system that is not
    /// configured here, the workers do later.
    asio::awaitable<void> keep_addresses(ledger::LeftList left) {
        if (!systems_.contains(left.system)) co_return;
        std::string system = left.system;
        std::vector<AddressLookup::Sought> people{{left.channel, left.recipient}};
        auto found = co_await lookup_.find(std::move(system), std::move(people));
        if (!found) {
            spdlog::warn("{}; a worker does it later", describe(found.error()));
            co_return;
        }
        const ledger::LeftWith with{std::move(left), std::move(found.value().front())};
        auto keep = [&with](postgres::Connection& connection) {
            ledger::keep_addresses(connection, {&with, 1});
        };
        std::string doing{"keep the addresses of who left"};
        const auto kept = co_await ledger_.run(std::move(doing), keep);
        if (!kept) spdlog::warn("{}; a worker does it later", describe(kept.error()));
    }

    const Settings& settings_;
    const Systems& systems_;
    const Clock& clock_;
    std::shared_ptr<prometheus::Registry> registry_;
    kafka::TopicKeeper* keeper_;
    std::function<void()> hurry_;
    Tracer* tracer_;
    References references_;
    // Destroyed in reverse: the handlers, then what posts to the server's executor, then that.
    std::unique_ptr<WebServer> server_;
    AddressLookup lookup_{settings_, systems_, clock_};
    postgres::Pool ledger_;
    const kafka::Topics topics_ = kafka::list_topics(settings_.kafka);
    std::unique_ptr<RecordPublisher> publisher_;
    std::unique_ptr<Fetcher> fetcher_;
    std::unique_ptr<WebhookHandler> receipts_;
    std::unique_ptr<UnsubscribeHandler> unsubscribes_;
    std::unique_ptr<api::ApiServer> api_;
    std::unique_ptr<console::Console> console_;
};

}  // namespace

Result<std::unique_ptr<HttpGateway>> HttpGateway::open(
    const Settings& settings, const Systems& systems, const Clock& clock,
    std::shared_ptr<prometheus::Registry> registry, kafka::TopicKeeper* keeper,
    std::function<void()> hurry, Tracer* tracer) {
    auto gateway = std::make_unique<WiredHttpGateway>(settings, systems, clock, std::move(registry),
                                                      keeper, std::move(hurry), tracer);
    if (auto done = gateway->open(); !done) return done.error();
    return std::unique_ptr<HttpGateway>{std::move(gateway)};
}

}  // namespace fanfare
