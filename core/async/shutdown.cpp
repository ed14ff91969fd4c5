#include "core/async/shutdown.hpp"

#include "core/clock/clock.hpp"

#include <spdlog/spdlog.h>

#include <cstdlib>

namespace fanfare {

Shutdown::~Shutdown() { static_cast<void>(finish(0, false)); }

void Shutdown::begin(std::chrono::milliseconds work_max, std::function<void()> last_words) {
    const std::lock_guard guard{mutex_};
    if (end_) return;
    end_ = system_clock().steady_now() + work_max;
    last_words_ = std::move(last_words);
    thread_ = std::thread{[this] { watch(); }};
}

void Shutdown::close_within(std::chrono::milliseconds close_max) {
    const std::lock_guard guard{mutex_};
    if (!end_) return;
    end_ = system_clock().steady_now() + close_max;
    last_words_ = [] { spdlog::warn("not everything could be closed in time: it is left open"); };
    changed_.notify_all();
}

void Shutdown::set_exit_code(int code) {
    const std::lock_guard guard{mutex_};
    exit_code_ = code;
}

int Shutdown::finish(int code, bool threads_left) {
    {
        const std::lock_guard guard{mutex_};
        finished_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    if (threads_left) end_now(code);
    return code;
}

/// Holds the mutex to the end: whoever is about to go on meanwhile waits here.
void Shutdown::watch() {
    std::unique_lock lock{mutex_};
    while (!finished_ && system_clock().steady_now() < *end_) changed_.wait_until(lock, *end_);
    if (finished_) return;
    last_words_();
    end_now(exit_code_);
}

void Shutdown::end_now(int code) {
    spdlog::default_logger()->flush();
    std::_Exit(code);
}

}  // namespace fanfare
