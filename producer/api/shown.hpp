#pragma once

#include "core/ledger/api_notifications.hpp"

#include <boost/json/object.hpp>

namespace fanfare::api {

/// A notification as the API shows it.
[[nodiscard]] boost::json::object shown(const ledger::NotificationDetail& detail);

}  // namespace fanfare::api
