#pragma once

#include <cstddef>

namespace fanfare {

/// Counts requests in flight: at most so many at once, fewer while the provider says that it
/// is too many (halved then, and one more for every round that went well).
///
/// A permit is taken before a request is marked in the ledger, and the request begins after that.
/// Where answers come quickly the wait for the ledger would be most of what a permit is held for:
/// as many again may be marked ahead, and wait for one that is in flight to end.
///
/// Threads   one serial executor.
class Permits {
public:
    explicit Permits(std::size_t max) : max_{max}, limit_{max} {}

    /// `ahead`: those that may be marked ahead are free as well.
    [[nodiscard]] std::size_t free(bool ahead) const noexcept {
        const auto most = ahead && is_ahead_ && limit_ == max_ ? 2 * limit_ : limit_;
        return taken_ < most ? most - taken_ : 0;
    }
    void take(std::size_t count) noexcept { taken_ += count; }
    /// Of a request that did not begin.
    void give_back() noexcept { --taken_; }
    /// Whether as many again may be marked ahead.
    void set_ahead(bool is_ahead) noexcept { is_ahead_ = is_ahead; }

    [[nodiscard]] bool may_begin() const noexcept { return in_flight_ < limit_; }
    void begin() noexcept { ++in_flight_; }
    /// It does not begin after all.
    void take_back() noexcept;
    /// A request that has begun is over: its permit comes back.
    void end();
    void shrink();
    /// Another bound; what is out beyond it comes back by and by.
    void set_max(std::size_t max);
    [[nodiscard]] std::size_t limit() const noexcept { return limit_; }

private:
    std::size_t max_;
    std::size_t limit_;
    std::size_t taken_ = 0;
    std::size_t in_flight_ = 0;  // Of those taken.
    bool is_ahead_ = false;
    std::size_t good_ = 0;    // Over since the limit last changed ...
    std::size_t ignore_ = 0;  // ... and requests from before the last change that are still out.
};

}  // namespace fanfare
