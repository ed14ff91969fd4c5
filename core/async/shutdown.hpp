#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace fanfare {

/// Sees to it that a program that was asked to end does end, whatever is away: what cannot be
/// finished in time is left as it is, and the process ends without its destructors.
///
///     begin(drain_max, last words); ... the work ...; close_within(close_max); ... closing ...
///     return finish(code, is_something_left);
///
/// Threads   one of its own from begin() on; all calls from any.
/// Lifetime  longer than anything that may be waited for.
class Shutdown {
public:
    Shutdown() = default;
    ~Shutdown();
    Shutdown(const Shutdown&) = delete;
    Shutdown& operator=(const Shutdown&) = delete;

    /// The work has so long to end; then `last_words` are called, and the process ends. Once.
    void begin(std::chrono::milliseconds work_max, std::function<void()> last_words);

    /// The work is done: to close what is open there is so long.
    void close_within(std::chrono::milliseconds close_max);

    /// What the process says with its exit when it is ended here.
    void set_exit_code(int code);

    /// `code`, for main() to return; does not come back when threads of ours are left behind,
    /// which must not meet the end of main().
    [[nodiscard]] int finish(int code, bool threads_left);

private:
    void watch();
    [[noreturn]] static void end_now(int code);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<std::chrono::steady_clock::time_point> end_;
    std::function<void()> last_words_;
    int exit_code_ = 0;
    bool finished_ = false;
    std::thread thread_;
};

}  // namespace fanfare
