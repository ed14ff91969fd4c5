#pragma once

#include "core/domain/vocabulary.hpp"

#include <string>
#include <string_view>

namespace fanfare {

/// What became of one person on one channel, and why, as a sentence for people.
///
/// `cause` is what lies behind the reason: of "all attempts are used up" the last fault, of a doubt
/// what came after it. Reason::none where nothing does.
[[nodiscard]] std::string explain(Outcome outcome, Reason reason, Reason cause);

/// Whether somebody is in the audience; `is_complete`: all of it is known.
[[nodiscard]] std::string_view explain_planned(bool is_in_it, bool is_complete) noexcept;

}  // namespace fanfare
