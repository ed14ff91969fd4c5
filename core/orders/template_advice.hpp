#pragma once

#include "core/rendering/templates.hpp"
#include "core/settings/problem.hpp"
#include "core/systems/system.hpp"

namespace fanfare {

/// Variables of a kind's texts that nothing seems to give, such as {{nmae}}: neither its moments
/// and defaults, nor a word of its contact and due queries. Jobs of others may have any variable,
/// so where they may be what gives it, only what is nearly another variable's name is told. Advice:
/// asks no database, and may be wrong.
[[nodiscard]] Problems template_advice(const System& system, const Kind& kind,
                                       const Templates& templates);

}  // namespace fanfare
