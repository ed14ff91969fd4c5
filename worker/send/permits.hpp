#pragma once

#include <cstddef>

namespace fanfare {

/// Counts requests in flight: at most so many at once, fewer while the provider says that it
/// is too many (halved then, and one more for every round that went well).
///
/// Threads   one serial executor.
class Permits {
public:
    explicit Permits(std::size_t max) : max_{max}, limit_{max} {}

    [[nodiscard]] std::size_t free() const noexcept {
        return taken_ < limit_ ? limit_ - taken_ : 0;
    }
    void take(std::size_t count) { taken_ += count; }
    void give_back();
    void shrink();
    /// Another bound; what is out beyond it comes back by and by.
    void set_max(std::size_t max);
    [[nodiscard]] std::size_t limit() const noexcept { return limit_; }

private:
    std::size_t max_;
    std::size_t limit_;
    std::size_t taken_ = 0;
    std::size_t good_ = 0;    // Given back since the limit last changed ...
    std::size_t ignore_ = 0;  // ... and requests from before the last change that are still out.
};

}  // namespace fanfare
