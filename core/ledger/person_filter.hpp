#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// A Bloom filter of the people of a chunk: most chunks need not be unpacked to know that somebody
// is not in them. SQL reads it by may_hold() (config/migrations/017).
namespace fanfare::ledger {

/// Two numbers of which all of a person's bits are made.
struct PersonHash {
    std::int64_t first = 0;
    std::int64_t step = 0;
};
[[nodiscard]] PersonHash hash_of_person(std::string_view recipient) noexcept;

/// Ten bits a person, seven of them set: one in a hundred who are not in it seem to be.
[[nodiscard]] std::string filter_of_people(std::span<const std::string_view> recipients);

}  // namespace fanfare::ledger
