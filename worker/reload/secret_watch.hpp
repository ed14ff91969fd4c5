#pragma once

#include "core/settings/settings.hpp"
#include "worker/providers/context.hpp"
#include "worker/send/roster.hpp"

#include <boost/asio/awaitable.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace fanfare {

/// Looks at the files of the accounts' secrets every two seconds; when one changed, its accounts
/// go on with the new secrets, without a restart. What is wrong with a new secret is logged, and
/// the old one stays.
///
/// Stop      stop(), then await run().
/// Threads   one serial executor.
/// Lifetime  roster and settings outlive it.
class SecretWatch {
public:
    SecretWatch(const Settings& settings, Roster& roster, ProviderContext context);

    [[nodiscard]] boost::asio::awaitable<void> run();
    void stop() { stopping_ = true; }

    /// Looks once; true when something was reloaded.
    bool look();

private:
    using Times = std::map<std::filesystem::path, std::filesystem::file_time_type>;
    [[nodiscard]] Times times() const;
    bool reload();

    std::filesystem::path file_;
    std::vector<std::filesystem::path> watched_;
    std::map<std::string, std::map<std::string, Secret>> secrets_;  // In use, by account.
    Roster& roster_;
    ProviderContext context_;
    Times seen_;
    bool stopping_ = false;
};

}  // namespace fanfare
