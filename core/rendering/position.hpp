#pragma once

#include <cstdint>

namespace fanfare {

/// A place in a template, 1-based; columns count characters.
struct Position {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    std::uint16_t file = 0;  // Where the text was put together from several: which; 0 is its own.
    bool operator==(const Position&) const = default;
};

}  // namespace fanfare
