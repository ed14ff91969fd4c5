#pragma once

#include "core/clock/clock.hpp"
#include "core/http/client.hpp"
#include "core/observe/seldom.hpp"
#include "core/settings/settings.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace fanfare {

/// Fetches what a webhook needs to be judged: small documents over https, with the account's
/// own certificates to trust. Which URLs may be fetched is the receiver's to say.
///
/// Bounds    two connections an account, 5 s and 1 MiB a document.
/// Threads   `executor`, which must be serial.
class Fetcher {
public:
    Fetcher(boost::asio::any_io_executor executor, const Clock& clock)
        : executor_{std::move(executor)}, warning_{"documents for webhooks not fetched", clock} {}

    /// The body of a 2xx answer; nothing for any other.
    [[nodiscard]] boost::asio::awaitable<std::optional<std::string>> get(
        const AccountSettings& account, std::string url);

private:
    boost::asio::any_io_executor executor_;
    std::map<std::string, std::unique_ptr<HttpClient>> clients_;
    Seldom warning_;
};

}  // namespace fanfare
