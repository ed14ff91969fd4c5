#include "cli/progress.hpp"

#include "cli/output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fanfare::cli {
namespace {

constexpr double smoothing_s = 5;
constexpr std::size_t bar_width = 24;

}  // namespace

std::int64_t count_settled(const ledger::ChannelProgress& channel) {
    std::int64_t settled = 0;
    for (std::size_t i = 0; i < outcome_count; ++i) {
        if (is_final(static_cast<Outcome>(i))) settled += channel.outcomes[i];
    }
    return settled;
}

std::int64_t count_accepted(const ledger::ChannelProgress& channel) {
    std::int64_t accepted = 0;
    for (const auto outcome :
         {Outcome::sent, Outcome::delivered, Outcome::opened, Outcome::clicked}) {
        accepted += channel.outcomes[static_cast<std::size_t>(outcome)];
    }
    return accepted;
}

void RateEstimate::sample(double at_s, std::int64_t settled) {
    if (last_ && at_s > last_->first) {
        const double elapsed = at_s - last_->first;
        const double now =
            static_cast<double>(std::max<std::int64_t>(0, settled - last_->second)) / elapsed;
        const double weight = 1 - std::exp(-elapsed / smoothing_s);
        rate_ = rate_ ? *rate_ + weight * (now - *rate_) : now;
    }
    if (!last_ || at_s > last_->first) last_ = {at_s, settled};
}

std::optional<double> eta_s(std::int64_t remaining, std::optional<double> per_second) {
    if (remaining <= 0) return 0.0;
    if (!per_second || *per_second <= 0.01) return std::nullopt;
    return static_cast<double>(remaining) / *per_second;
}

std::string draw_bar(std::int64_t done, std::int64_t planned, std::size_t width) {
    const auto share =
        planned <= 0
            ? 0.0
            : std::clamp(static_cast<double>(done) / static_cast<double>(planned), 0.0, 1.0);
    // Rounded down: nearly done is not done.
    const auto filled = static_cast<std::size_t>(share * static_cast<double>(width));
    return fmt::format("[{}{}] {:3}%", std::string(filled, '#'), std::string(width - filled, ' '),
                       static_cast<int>(share * 100));
}

bool is_over(std::string_view job_state) {
    return job_state == "done" || job_state == "cancelled" || job_state == "failed";
}

std::string channel_line(const ledger::ChannelProgress& channel, std::optional<double> per_second,
                         bool over) {
    const auto settled = count_settled(channel);
    auto line = fmt::format("{:<5} {} {}/{} settled", channel.channel,
                            draw_bar(settled, channel.planned, bar_width), grouped(settled),
                            grouped(channel.planned));
    for (std::size_t i = 1; i < outcome_count; ++i) {  // All but pending.
        if (channel.outcomes[i] == 0) continue;
        line += fmt::format(" | {} {}", to_string(static_cast<Outcome>(i)),
                            grouped(channel.outcomes[i]));
    }
    if (over) return line;
    if (channel.waits_s) {  // What was sent says nothing of who waits for a moment.
        return line + fmt::format(" | all others wait, the first for {}",
                                  format_duration(*channel.waits_s));
    }
    if (per_second) line += fmt::format(" | {}/s", grouped(std::llround(*per_second)));
    const auto left = eta_s(channel.planned - settled, per_second);
    if (left && *left > 0) line += fmt::format(" | {} left", format_duration(*left));
    return line;
}

}  // namespace fanfare::cli
