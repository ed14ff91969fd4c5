#pragma once

#include "core/systems/system.hpp"
#include "core/wire/job.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace fanfare {

/// Where people of a job are turned to whom `from` cannot reach; never a channel that the job has
/// of its own, because nobody is told twice.
[[nodiscard]] std::optional<Channel> turns_to(const Job& job, const Kind& kind, Channel from);

/// All channels by which a job may tell people: its own, and where they are turned to.
[[nodiscard]] std::vector<Channel> channels_used(const Job& job, const Kind& kind);

/// Why a resolved job could tell nobody by one of these: the kind has no templates for it.
[[nodiscard]] std::optional<Rejection> check_channels(
    const Job& job, const Kind& kind, const std::function<bool(Channel)>& has_templates);

}  // namespace fanfare
