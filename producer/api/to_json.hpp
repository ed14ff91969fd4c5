#pragma once

#include "core/estimate/audience_estimate.hpp"
#include "core/ledger/api_notifications.hpp"
#include "core/ledger/progress.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <span>

namespace fanfare::api {

/// JSON that the ledger wrote; null for what is none.
[[nodiscard]] boost::json::value parsed(const std::string& text);

/// A notification as the API shows it.
[[nodiscard]] boost::json::object to_json(const ledger::NotificationDetail& detail);

/// What people became, by channel; rates are shares of those that were told.
[[nodiscard]] boost::json::array to_json(std::span<const ledger::ChannelProgress> channels);

/// What became of one person on one channel, and why.
[[nodiscard]] boost::json::object to_json(const ledger::ChannelFate& fate);

/// What sending on one channel would come to, `moments` times over.
[[nodiscard]] boost::json::object to_json(const ChannelEstimate& found, Channel channel,
                                          std::int64_t moments, const Terms& terms);

}  // namespace fanfare::api
