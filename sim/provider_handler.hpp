#pragma once

#include "core/clock/clock.hpp"
#include "sim/http/handler.hpp"
#include "sim/simulator_state.hpp"

namespace fanfare::sim {

/// The providers' side: finds the provider of a path, lets it check the request, decides
/// its fate, and writes down what was accepted.
///
/// A request is accepted or not when it arrives; its answer leaves after the latency. So a
/// client killed in between has sent, as with a real provider.
///
/// Bounds    none of its own: the server bounds connections and requests.
/// Threads   any number; checks run outside the lock.
/// Lifetime  simulator state and clock outlive it.
class ProviderHandler final : public Handler {
public:
    ProviderHandler(SimulatorState& simulator, const Clock& clock)
        : simulator_{simulator}, clock_{clock} {}

    void handle(const Request& request, Reaction& reaction) override;
    void ended(std::uint8_t ticket) override;
    void park(std::uint8_t ticket, std::function<void()> resume) override;

private:
    struct Arrival {
        ProviderIndex provider;
        const Request& request;
        Checked& checked;
        std::int64_t now_ns;
        std::uint64_t number;
    };

    void judge(const Arrival& arrival, Reaction& reaction);
    [[nodiscard]] Treatment choose(const Arrival& arrival, Tally& job, Trouble& trouble);
    void apply(Treatment treatment, const Arrival& arrival, const Trouble& trouble,
               std::uint32_t job, Reaction& reaction);
    /// The provider has taken the request.
    void take(Treatment treatment, const Arrival& arrival, const Trouble& trouble,
              std::uint32_t job, Reaction& reaction);
    void add(const Arrival& arrival, std::uint32_t job, std::uint64_t Tally::*member,
             std::uint64_t by);
    void tell(const Arrival& arrival, const CheckContext& context);
    void count_outcome(const Arrival& arrival, std::string_view treatment,
                       const Reaction& reaction);

    SimulatorState& simulator_;
    const Clock& clock_;
};

}  // namespace fanfare::sim
