#pragma once

#include "core/ledger/api_notifications.hpp"
#include "core/ledger/progress.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <span>

namespace fanfare::api {

/// A notification as the API shows it.
[[nodiscard]] boost::json::object shown(const ledger::NotificationDetail& detail);

/// What people became, by channel; rates are shares of those that were told.
[[nodiscard]] boost::json::array shown(std::span<const ledger::ChannelProgress> channels);

}  // namespace fanfare::api
