#pragma once

#include "core/ledger/progress.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::cli {

/// Recipients that need nothing more: every outcome but pending and retry.
[[nodiscard]] std::int64_t count_settled(const ledger::ChannelProgress& channel);
/// sent, delivered, opened and clicked together.
[[nodiscard]] std::int64_t count_accepted(const ledger::ChannelProgress& channel);

/// Speed of a channel out of successive samples: an exponential mean over about 5 s, so that
/// a burst moves the estimate and does not own it.
///
/// Threads   one.
class RateEstimate {
public:
    /// `at_s`: seconds on any monotonic clock.
    void sample(double at_s, std::int64_t settled);
    /// A second; nothing before two samples.
    [[nodiscard]] std::optional<double> per_second() const { return rate_; }

private:
    std::optional<std::pair<double, std::int64_t>> last_;
    std::optional<double> rate_;
};

/// Seconds until `remaining` are settled; nothing when nobody can tell.
[[nodiscard]] std::optional<double> eta_s(std::int64_t remaining, std::optional<double> per_second);

/// "[#########           ]  45%": `width` characters between the brackets. Full and 100% only
/// when really all is done.
[[nodiscard]] std::string draw_bar(std::int64_t done, std::int64_t planned, std::size_t width);

/// True for a state that no job leaves.
[[nodiscard]] bool is_over(std::string_view job_state);

/// "email  [####]  45%  450/1,000 settled · sent 440 · refused 10 · 120/s · 4.6s left".
[[nodiscard]] std::string channel_line(const ledger::ChannelProgress& channel,
                                       std::optional<double> per_second, bool over);

}  // namespace fanfare::cli
