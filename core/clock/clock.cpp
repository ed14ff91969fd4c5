#include "core/clock/clock.hpp"

namespace fanfare {
namespace {

class SystemClock final : public Clock {
public:
    [[nodiscard]] TimePoint now() const noexcept override {
        return std::chrono::time_point_cast<std::chrono::microseconds>(
            std::chrono::system_clock::now());
    }
    [[nodiscard]] SteadyTime steady_now() const noexcept override {
        return std::chrono::steady_clock::now();
    }
};

}  // namespace

const Clock& system_clock() noexcept {
    static const SystemClock clock;
    return clock;
}

}  // namespace fanfare
