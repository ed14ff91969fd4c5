#pragma once

#include "sim/http/handler.hpp"
#include "sim/world.hpp"

namespace fanfare::sim {

/// The admin port: /healthz, /metrics, /control..., /oracle/... See docs/simulator.md.
///
/// Threads   as World asks.
/// Lifetime  the world outlives it.
class Admin final : public Handler {
public:
    explicit Admin(World& world) : world_{world} {}

    void handle(const Request& request, Reaction& reaction) override;
    void ended(std::uint8_t) override {}
    void park(std::uint8_t, std::function<void()>) override {}

private:
    World& world_;
};

}  // namespace fanfare::sim
