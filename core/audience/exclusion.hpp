#pragma once

#include "core/domain/doubt.hpp"

#include <cstdint>

namespace fanfare {

/// Why somebody is told nothing at an address, in the order in which it is asked: the first that
/// holds counts. For whoever sends, estimates or lists people.
enum class Exclusion : std::uint8_t {
    none,
    gone,       // The contact query knows them no more.
    opted_out,  // By the system's own word.
    no_address,
    invalid_address,  // It can be none.
    unsubscribed,     // They, or somebody else with the address, left the list.
    suppressed,       // The address gets nothing more, of anything.
    too_often,        // Over the kind's cap.
    duplicate,        // Somebody else of the audience is told there.
};

/// What holds for a person of several addresses: told at one is told; a no counts for more than
/// an address that is none, so that nobody who said it is turned to elsewhere.
[[nodiscard]] Exclusion of_person(Exclusion one, Exclusion other) noexcept;

/// What becomes of a person who is excluded.
[[nodiscard]] Fate to_fate(Exclusion exclusion) noexcept;

/// True where nothing but the address stands against it: another channel may reach them.
[[nodiscard]] bool is_unreachable(Reason reason) noexcept;

}  // namespace fanfare
