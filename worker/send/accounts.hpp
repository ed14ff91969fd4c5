#pragma once

#include "core/error/failure.hpp"
#include "core/providers/context.hpp"
#include "core/settings/settings.hpp"
#include "worker/send/account.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <vector>

namespace fanfare {

/// What all accounts share.
struct AccountDevices {
    RateBucket& bucket;
    const Clock& clock;
    WorkerProbe& probe;
};

/// Every account of the settings with its provider; fails with what to change.
[[nodiscard]] Result<std::vector<std::unique_ptr<Account>>> open_accounts(
    const Settings& settings, const ProviderContext& context,
    const boost::asio::any_io_executor& executor, const AccountDevices& devices);

}  // namespace fanfare
