#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace fanfare::sim {

/// Finds an address among those of one call. Lives in memory that its owner keeps.
///
/// Bounds    2^31 addresses.
/// Lifetime  `slots` and `addresses` outlive it.
class AddressTable {
public:
    AddressTable(std::vector<std::uint64_t>& slots, std::vector<std::string_view>& addresses)
        : slots_{slots}, addresses_{addresses} {}

    /// Drops repeated addresses, keeps the order, and indexes the rest.
    void build() {
        slots_.assign(std::bit_ceil(addresses_.size() * 2 + 2), 0);
        std::size_t kept = 0;
        for (const auto address : addresses_) {
            auto& slot = find_slot(address);
            if (slot != 0) continue;
            addresses_[kept++] = address;
            slot = tag(address) | kept;
        }
        addresses_.resize(kept);
    }

    /// Marks an address as seen; true when it is there and this was the first time.
    bool mark(std::string_view address) {
        auto& slot = find_slot(address);
        if (slot == 0 || (slot & seen) != 0) return false;
        slot |= seen;
        return true;
    }

private:
    static constexpr std::uint64_t seen = 0x8000'0000U;
    static constexpr std::uint64_t index_mask = 0x7fff'ffffU;

    [[nodiscard]] static std::uint64_t tag(std::string_view address) {
        return std::hash<std::string_view>{}(address) & ~0xffff'ffffULL;
    }
    [[nodiscard]] std::uint64_t& find_slot(std::string_view address) {
        const auto wanted = tag(address);
        const auto mask = slots_.size() - 1;
        for (auto at = (wanted >> 32) & mask;; at = (at + 1) & mask) {
            auto& slot = slots_[at];
            if (slot == 0) return slot;
            if ((slot & ~0xffff'ffffULL) == wanted &&
                addresses_[(slot & index_mask) - 1] == address) {
                return slot;
            }
        }
    }

    std::vector<std::uint64_t>& slots_;
    std::vector<std::string_view>& addresses_;
};

}  // namespace fanfare::sim
