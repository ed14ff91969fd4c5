#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fanfare::sim {

/// What becomes of one request that was well formed and allowed.
enum class Treatment : std::uint8_t {
    accept,
    refuse,       // A permanent error for a recipient; Mailgun: for the whole call.
    throttle,     // 429
    concurrency,  // 429 because of too many at once, where the provider tells them apart.
    error,        // 5xx
    lose_before,  // Connection closed, not processed.
    lose_after,   // Accepted and recorded, connection closed.
    blackhole,    // Accepted and recorded, never answered.
    malformed,    // Accepted and recorded, answered 2xx with half a body.
    error_after,  // Accepted and recorded, answered with a gateway's 5xx and page.
};

[[nodiscard]] std::string_view to_string(Treatment treatment) noexcept;

struct TransparentHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return std::hash<std::string_view>{}(text);
    }
};

/// How one provider misbehaves. Probabilities are in [0, 1].
struct Faults {
    double latency_ms = 0;   // Before each answer ...
    double jitter_ms = 0;    // ... plus a uniform share of this.
    double refuse_rate = 0;  // Share of addresses; the same address always or never.
    double throttle_rate = 0;
    double error_rate = 0;
    double lose_before_rate = 0;
    double lose_after_rate = 0;
    double blackhole_rate = 0;
    double malformed_rate = 0;
    double error_after_rate = 0;
    double limit_per_second = 0;    // 0: none.
    double limit_burst = 0;         // Tokens that can be saved up; 0: one second's.
    bool limit_recipients = false;  // Unit: recipients instead of requests.
    double concurrency_limit = 0;   // 0: none.
    double retry_after_s = 1;       // Told with a 429.
    double error_status = 0;        // 0: the provider's usual one; a gateway's: 502.
    bool cut_connections = false;   // Losing an answer closes HTTP/2 connections, not streams.
    double token_generation = 0;    // FCM: raising it revokes all access tokens.
    /// These always get the permanent error; the value names a provider's code, "" its default.
    std::unordered_map<std::string, std::string, TransparentHash, std::equal_to<>> fail_addresses;
    /// Fates of the next requests, one each, before anything else is drawn.
    std::deque<Treatment> script;

    /// Changes what `change` names. Returns "" or what is wrong with it (then nothing changed).
    [[nodiscard]] std::string change(const boost::json::object& change);
    [[nodiscard]] boost::json::object show() const;
};

/// Deterministic chance: the same seed and number give the same draw.
[[nodiscard]] double draw(std::uint64_t seed, std::uint64_t number, std::uint64_t what) noexcept;

/// Tokens against time. A request larger than the bucket passes when it is full, and owes.
class TokenBucket {
public:
    /// Takes `cost` if allowed. `rate` and `burst` may change between calls.
    [[nodiscard]] bool take(double rate, double burst, double cost, std::int64_t now_ns) noexcept;
    void reset() noexcept { filled_at_ns_ = 0; }

private:
    double tokens_ = 0;
    std::int64_t filled_at_ns_ = 0;
};

/// What a decision looks at besides the settings.
struct FaultContext {
    std::uint64_t seed;
    std::uint64_t number;  // Of this request at its provider.
    bool within_limit;
    bool within_concurrency;
    bool refused;  // A recipient of it is one that always fails.
};

/// Decides a request's fate. Pure; a script in `faults` goes first (its caller removes it).
[[nodiscard]] Treatment decide(const Faults& faults, const FaultContext& situation) noexcept;

}  // namespace fanfare::sim
