#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace fanfare::simulation {

/// How much goes wrong, in thousandths of what is asked.
struct Odds {
    std::uint32_t lost_question = 5;  // To the ledger: nothing was done.
    std::uint32_t lost_answer = 5;    // Of the ledger: it was done, and nobody hears of it.
    std::uint32_t late = 30;          // Answers of the provider: some seconds.
    std::uint32_t throttled = 20;     // 429 with Retry-After.
    std::uint32_t refused = 5;        // 400: never sent to this one.
    std::uint32_t broken = 30;        // 500 with the provider's own body.
    std::uint32_t never = 10;         // It takes the message, or not, and says nothing.
    std::uint32_t unreachable = 10;
};

/// The chance of one world: the same seed, the same world.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : random_{seed} {}
    [[nodiscard]] bool hits(std::uint32_t thousandths) { return below(1'000) < thousandths; }
    [[nodiscard]] std::uint64_t below(std::uint64_t end) { return random_() % end; }
    [[nodiscard]] std::uint64_t word() { return random_(); }
    /// In [0, 1).
    [[nodiscard]] double share() { return static_cast<double>(below(1 << 20)) / (1 << 20); }
    [[nodiscard]] std::chrono::milliseconds between(std::uint64_t least, std::uint64_t most) {
        return std::chrono::milliseconds{least + below(most - least + 1)};
    }

private:
    std::mt19937_64 random_;
};

}  // namespace fanfare::simulation
