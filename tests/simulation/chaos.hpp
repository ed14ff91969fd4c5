#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace fanfare::simulation {

/// How much goes wrong, in thousandths of what is asked.
struct Odds {
    std::uint32_t lost_question = 5;  // To the ledger: nothing was done.
    std::uint32_t lost_answer = 5;    // Of the ledger: it was done, and nobody hears of it.
    std::uint32_t slow_query = 0;     // Of the ledger: some seconds.
    std::uint32_t late = 30;          // Answers of the provider: some seconds.
    std::uint32_t throttled = 20;     // 429 with Retry-After.
    std::uint32_t refused = 5;        // People, not requests: never sent to this one.
    std::uint32_t passing = 0;        // People, of a batch: not now.
    std::uint32_t broken = 30;        // 500 with the provider's own body.
    std::uint32_t gateway = 0;        // 502 of somebody before it, who may have let it through.
    std::uint32_t unreadable = 0;     // 200 with what nobody can read.
    std::uint32_t never = 10;         // It takes the message, or not, and says nothing.
    std::uint32_t unreachable = 10;
    std::uint32_t receipts = 0;  // People of whom the provider tells later, out of order.
    std::uint32_t repeated = 0;  // Records of a topic: delivered twice ...
    std::uint32_t swapped = 0;   // ... or behind the next one.
};

struct NamedOdds {
    std::string_view name;
    std::uint32_t Odds::*value;
};
inline constexpr std::array<NamedOdds, 15> all_odds{{
    {"lost_question", &Odds::lost_question},
    {"lost_answer", &Odds::lost_answer},
    {"slow_query", &Odds::slow_query},
    {"late", &Odds::late},
    {"throttled", &Odds::throttled},
    {"refused", &Odds::refused},
    {"passing", &Odds::passing},
    {"broken", &Odds::broken},
    {"gateway", &Odds::gateway},
    {"unreadable", &Odds::unreadable},
    {"never", &Odds::never},
    {"unreachable", &Odds::unreachable},
    {"receipts", &Odds::receipts},
    {"repeated", &Odds::repeated},
    {"swapped", &Odds::swapped},
}};
inline constexpr Odds calm{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};

/// The chance of one world, or of one part of it: the same seed, the same world.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : state_{seed} {}
    [[nodiscard]] bool hits(std::uint32_t thousandths) {
        return thousandths > 0 && below(1'000) < thousandths;
    }
    [[nodiscard]] std::uint64_t below(std::uint64_t end) { return word() % end; }
    /// SplitMix64.
    [[nodiscard]] std::uint64_t word() {
        state_ += 0x9e3779b97f4a7c15U;
        auto z = state_;
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31U);
    }
    /// In [0, 1).
    [[nodiscard]] double share() { return static_cast<double>(below(1 << 20)) / (1 << 20); }
    [[nodiscard]] std::chrono::milliseconds between(std::uint64_t least, std::uint64_t most) {
        return std::chrono::milliseconds{least + below(most - least + 1)};
    }

private:
    std::uint64_t state_;
};

}  // namespace fanfare::simulation
