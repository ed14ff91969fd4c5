#pragma once

#include "tests/simulation/plan.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace fanfare::simulation {

/// What a number of worlds came to.
struct Found {
    std::uint64_t worlds = 0;
    std::uint64_t virtual_seconds = 0;
    std::uint64_t seed = 0;  // That failed first ...
    std::string why;         // ... and why; "": none did.
};

using Plans = std::function<WorldPlan(std::uint64_t seed)>;

/// Tries so many seeds from `first` on in a process of its own, with which ends what killed workers
/// had; ends at the first that fails. A world that dies fails.
[[nodiscard]] Found try_seeds(const Plans& plans, std::uint64_t first, std::uint64_t count);

/// The same in many processes one after the other.
[[nodiscard]] Found search(const Plans& plans, std::uint64_t first, std::uint64_t count);

/// What goes wrong in one world; "" for nothing.
[[nodiscard]] std::string try_plan(const WorldPlan& plan);

/// A world with as few of everything as still fails.
[[nodiscard]] WorldPlan shrink(WorldPlan plan);

/// What happens in a world, for a person to read.
[[nodiscard]] std::string tell(const WorldPlan& plan);

}  // namespace fanfare::simulation
