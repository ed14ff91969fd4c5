#include "producer/schedule/failures.hpp"

#include "core/observe/sides.hpp"

#include <spdlog/spdlog.h>

namespace fanfare {
namespace {

/// The database went, whatever was going on there: a commit that it broke off too.
bool is_outage(const Failure& failure) {
    return failure.code == Errc::store_unavailable || failure.code == Errc::commit_in_doubt;
}

}  // namespace

void Failures::failed(const Failure& failure) {
    {
        const std::lock_guard guard{mutex_};
        if (!since_) {
            since_ = clock_.steady_now();
            is_outage_ = true;
        }
        is_outage_ = is_outage_ && is_outage(failure);
    }
    const auto times = ++times_;
    if ((times & (times - 1)) == 0) spdlog::warn("{} ({} times)", describe(failure), times);
}

void Failures::succeeded() {
    if (times_.exchange(0) == 0) return;
    const std::lock_guard guard{mutex_};
    since_.reset();
}

bool Failures::is_trouble() const {
    const std::lock_guard guard{mutex_};
    return since_ && (!is_outage_ || clock_.steady_now() - *since_ > SideWatch::grace);
}

}  // namespace fanfare
