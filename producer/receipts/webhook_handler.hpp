#pragma once

#include "core/clock/clock.hpp"
#include "core/settings/settings.hpp"
#include "producer/http/rate.hpp"
#include "producer/http/router.hpp"
#include "producer/receipts/receiver.hpp"
#include "producer/receipts/seen.hpp"

#include <prometheus/counter.h>
#include <prometheus/registry.h>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fanfare {

/// Serves /webhooks/{account}, of which no body is read unless it is one of ours: what the
/// account's receiver reads goes to Kafka, and only what is there is answered with 200. A delivery
/// counts as seen only then, too: a provider that tries again after a 5xx is heard; one that comes
/// while it is still on its way is told to try again.
///
/// Bounds    1 MiB a webhook; 16 certificates an account, one fetched a second.
/// Threads   the server's.
class WebhookHandler {
public:
    /// True once the broker has all of them.
    using Publish = std::function<boost::asio::awaitable<bool>(std::vector<ReceiptBatch>)>;
    /// The body of a 2xx answer to a GET; nothing for any other.
    using Fetch = std::function<boost::asio::awaitable<std::optional<std::string>>(
        const AccountSettings&, std::string url)>;

    struct Parts {
        const Settings& settings;
        const References& references;
        const Clock& clock;
        std::shared_ptr<prometheus::Registry> registry;
        Publish publish;
        Fetch fetch;
    };

    explicit WebhookHandler(Parts parts);
    void add_routes(Router& router);

private:
    struct Account {
        const AccountSettings& settings;
        std::unique_ptr<Receiver> receiver;
        std::map<std::string, std::string> documents;
        SeenTokens seen;
        Rate fetches{fetches_per_second, fetches_at_once};
    };
    // What is fetched is named by whoever writes, before anybody knows who that is.
    static constexpr double fetches_per_second = 1;
    static constexpr double fetches_at_once = 10;

    using Opened = std::variant<HttpHandler, HttpReply>;

    [[nodiscard]] boost::asio::awaitable<Opened> enter(const HttpCall& call);
    [[nodiscard]] boost::asio::awaitable<HttpReply> receive(Account& account, const HttpCall& call);
    [[nodiscard]] boost::asio::awaitable<Reception> read(Account& account, const HttpCall& call);
    [[nodiscard]] boost::asio::awaitable<HttpReply> keep(Account& account,
                                                         AcceptedWebhook received);
    void expect(const std::string& name);
    void count(const Account& account, std::string_view result);

    Parts parts_;
    std::map<std::string, Account, std::less<>> accounts_;
    prometheus::Family<prometheus::Counter>* webhooks_;
    prometheus::Family<prometheus::Counter>* receipts_;
    prometheus::Family<prometheus::Counter>* foreign_;
    prometheus::Family<prometheus::Counter>* unread_;
};

}  // namespace fanfare
