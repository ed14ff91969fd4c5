#pragma once

#include "core/providers/context.hpp"
#include "core/settings/settings.hpp"
#include "worker/send/account_selector.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/signal_set.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace fanfare {

/// Looks at the settings file and at the files of the accounts' secrets every two seconds, and at
/// once on SIGHUP; when one changed, the accounts go on with the new secrets, limits and weights,
/// without a restart. What is wrong with a file is logged, and all stays as it was. All other
/// settings, and accounts that are new, wait for a restart.
///
/// Stop      stop(), then await run() and hear().
/// Threads   one serial executor.
/// Lifetime  selector and settings outlive it.
class SecretWatch {
public:
    SecretWatch(const Settings& settings, AccountSelector& selector, ProviderContext context,
                const boost::asio::any_io_executor& executor);

    [[nodiscard]] boost::asio::awaitable<void> run();
    /// Reads all again whenever SIGHUP comes.
    [[nodiscard]] boost::asio::awaitable<void> hear();
    void stop();

    /// Looks once; true when something was reloaded.
    bool look();

private:
    using Times = std::map<std::filesystem::path, std::filesystem::file_time_type>;
    [[nodiscard]] Times times() const;
    bool reload();
    bool take(const AccountSettings& settings, Account& account);

    std::filesystem::path file_;
    std::vector<std::filesystem::path> watched_;
    std::map<std::string, std::map<std::string, Secret>> secrets_;  // In use, by account.
    AccountSelector& selector_;
    ProviderContext context_;
    boost::asio::signal_set hang_up_;
    Times seen_;
    bool stopping_ = false;
};

}  // namespace fanfare
