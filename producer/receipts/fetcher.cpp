#include "producer/receipts/fetcher.hpp"

#include <fmt/format.h>

namespace fanfare {

boost::asio::awaitable<std::optional<std::string>> Fetcher::get(const AccountSettings& account,
                                                                std::string url) {
    auto& client = clients_[account.name];
    if (!client) {
        HttpOptions options;
        options.timeout = std::chrono::seconds{5};
        options.connections_max = 2;
        options.ca_file = account.ca_file;
        client = HttpClient::create(executor_, options);
    }
    HttpRequest request;
    request.url = std::move(url);
    request.get = true;
    auto answer = co_await client->send(request);
    if (answer.transport == Transport::answered && answer.status >= 200 && answer.status < 300) {
        co_return std::move(answer.body);
    }
    warning_.warn(
        fmt::format("account {}: a document for a webhook could not be fetched: status {} {}",
                    account.name, answer.status, answer.fault));
    co_return std::nullopt;
}

}  // namespace fanfare
