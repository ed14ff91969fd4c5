#include "core/observe/seldom.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace fanfare {

Seldom::Seldom(std::string what, const Clock& clock, std::chrono::seconds interval)
    : what_{std::move(what)}, clock_{clock}, interval_{interval} {}

bool Seldom::is_due() const { return !any_ || clock_.steady_now() - told_ >= interval_; }

void Seldom::warn(std::string_view sentence) {
    const std::lock_guard guard{mutex_};
    ++untold_;
    if (!is_due()) return;
    if (untold_ == 1) {
        spdlog::warn("{}", sentence);
    } else {
        spdlog::warn("{} ({} since this was last told)", sentence, untold_);
    }
    any_ = true;
    told_ = clock_.steady_now();
    untold_ = 0;
}

void Seldom::settle(bool at_once) {
    const std::lock_guard guard{mutex_};
    if (untold_ == 0 || !(at_once || is_due())) return;
    spdlog::warn("{} more: {}", untold_, what_);
    any_ = true;
    told_ = clock_.steady_now();
    untold_ = 0;
}

}  // namespace fanfare
