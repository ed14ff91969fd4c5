#include "core/clock/alarm.hpp"

#include <utility>

namespace fanfare {

void Alarm::call(std::chrono::nanoseconds duration, std::function<void()> then) {
    timer_.expires_after(duration);
    timer_.async_wait([then = std::move(then)](boost::system::error_code fault) {
        if (!fault) then();
    });
}

}  // namespace fanfare
