#pragma once

#include "producer/console/live.hpp"
#include "producer/console/view.hpp"

#include <boost/json/object.hpp>

namespace fanfare::console {

/// A job of a list, as GET /v1/jobs has it. `pace`: how fast it gets on, where that is watched.
[[nodiscard]] View job_row(const boost::json::object& job, const Pace* pace);

/// How far one job is, as GET /v1/jobs/{id} has it: all in all, and by channel.
[[nodiscard]] View job_progress(const boost::json::object& job, const Pace* pace);

/// Messages with a final outcome, of all channels of a job as GET /v1/jobs/{id} has it.
[[nodiscard]] std::int64_t settled_in(const boost::json::object& job);

[[nodiscard]] bool is_over(const boost::json::object& job);

/// Whom a dry run of a replay tells of: {channel, outcome, reason, people} each.
[[nodiscard]] View chosen_lines(const boost::json::object& told);

}  // namespace fanfare::console
