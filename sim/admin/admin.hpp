#pragma once

#include "sim/http/handler.hpp"
#include "sim/simulator_state.hpp"

namespace fanfare::sim {

/// The admin port: /healthz, /metrics, /control..., /oracle/... See docs/simulator.md.
///
/// Threads   as SimulatorState asks.
/// Lifetime  the simulator state outlives it.
class Admin final : public Handler {
public:
    explicit Admin(SimulatorState& simulator) : simulator_{simulator} {}

    void handle(const Request& request, Reaction& reaction) override;
    void ended(std::uint8_t) override {}
    void park(std::uint8_t, std::function<void()>) override {}

private:
    SimulatorState& simulator_;
};

}  // namespace fanfare::sim
