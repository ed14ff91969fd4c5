#pragma once

#include <cstddef>
#include <exception>
#include <limits>
#include <span>

namespace fanfare::postgres {

/// True for what PostgreSQL says about a value and not about the statement or itself: SQLSTATE
/// classes 21 (cardinality), 22 (data), 23 (constraints), 54 (limits), P0, 2F, 38 and 39 (raised by
/// functions), and XX001 and XX002 (a damaged row). Never an outage.
[[nodiscard]] bool is_data_error(const std::exception& fault) noexcept;

/// True where a statement took longer than it may, or somebody cancelled it.
[[nodiscard]] bool is_timeout(const std::exception& fault) noexcept;

inline constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

/// Does `work` with all of `items` at once. Where their data is refused, halves them until only the
/// culprits fail, and hands each of these to `refused`; the others are done. Whatever else goes
/// wrong is thrown, as is the refusal of more than `refused_max`: then they are not to blame.
///
/// `work` takes a span of items, is a transaction of its own, and may be done again with the same.
template <class Item, class Work, class Refused>
void halve(std::span<const Item> items, const Work& work, const Refused& refused,
           std::size_t& refused_max) {
    if (items.empty()) return;
    try {
        work(items);
        return;
    } catch (const std::exception& fault) {
        if (!is_data_error(fault)) throw;
        if (items.size() == 1) {
            if (refused_max == 0) throw;
            --refused_max;
            refused(items.front(), fault);
            return;
        }
    }
    const auto half = items.size() / 2;
    halve(items.first(half), work, refused, refused_max);
    halve(items.subspan(half), work, refused, refused_max);
}

template <class Item, class Work, class Refused>
void halve(std::span<const Item> items, const Work& work, const Refused& refused) {
    std::size_t refused_max = any_number;
    halve(items, work, refused, refused_max);
}

}  // namespace fanfare::postgres
