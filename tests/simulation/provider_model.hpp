#pragma once

#include "core/clock/clock.hpp"
#include "core/http/client.hpp"
#include "core/providers/provider.hpp"
#include "tests/simulation/chaos.hpp"

#include <deque>
#include <map>
#include <string>

namespace fanfare::simulation {

/// What the provider took, for whom, and how fast it was asked: the oracle.
struct Inbox {
    std::map<std::string, int> accepted;  // Messages a person.
    std::deque<SteadyTime> calls;         // Of the last second.
    double per_second_max = 0;            // 0: no limit.
    std::string broken;                   // "" while nobody was too fast.

    void called(SteadyTime now);
};

/// Writes requests that SimulatedHttp reads: one person each.
class PushProvider final : public Provider {
public:
    [[nodiscard]] std::string_view type() const noexcept override { return "simulated"; }
    [[nodiscard]] Channel channel() const noexcept override { return Channel::push; }
    [[nodiscard]] std::size_t batch_max() const noexcept override { return 1; }
    void compose(const Batch& batch, HttpRequest& out) const override;
    [[nodiscard]] BatchAnswer read(const HttpAnswer& answer, std::size_t count,
                                   std::int64_t now_unix) const override;
};

/// A provider that answers at once, late, with 429, 400, 500 or never, by the dice.
class SimulatedHttp final : public HttpClient {
public:
    struct Parts {
        boost::asio::any_io_executor executor;
        const Clock& clock;
        Dice& dice;
        const Odds& odds;
        Inbox& inbox;
    };
    SimulatedHttp(const Parts& parts, const HttpOptions& options)
        : parts_{parts}, timeout_{options.timeout} {}
    void start(const HttpRequest& request, Done done) override;
    [[nodiscard]] std::size_t in_flight() const noexcept override { return in_flight_; }

private:
    [[nodiscard]] boost::asio::awaitable<HttpAnswer> carry(std::string person);

    Parts parts_;
    std::chrono::milliseconds timeout_;
    std::size_t in_flight_ = 0;
};

}  // namespace fanfare::simulation
