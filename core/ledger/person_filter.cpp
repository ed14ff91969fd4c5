#include "core/ledger/person_filter.hpp"

namespace fanfare::ledger {
namespace {

constexpr std::int64_t bits_a_person = 10;
constexpr int bits_set = 7;  // As may_hold() asks.

}  // namespace

/// FNV-1a, and the last step of MurmurHash3 so that short ids spread. Filters are stored: this
/// never changes.
PersonHash hash_of_person(std::string_view recipient) noexcept {
    std::uint64_t hash = 14'695'981'039'346'656'037U;
    for (const char c : recipient) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 1'099'511'628'211U;
    }
    hash ^= hash >> 33U;
    hash *= 0xff51afd7ed558ccdU;
    hash ^= hash >> 33U;
    hash *= 0xc4ceb9fe1a85ec53U;
    hash ^= hash >> 33U;
    return {static_cast<std::int64_t>(hash & 0x7fffffffU),
            static_cast<std::int64_t>((hash >> 32U) & 0x7fffffffU) | 1};
}

std::string filter_of_people(std::span<const std::string_view> recipients) {
    const auto count = static_cast<std::int64_t>(recipients.size());
    std::string filter(static_cast<std::size_t>((count * bits_a_person + 7) / 8), '\0');
    const auto bits = static_cast<std::int64_t>(filter.size()) * 8;
    for (const auto recipient : recipients) {
        const auto hash = hash_of_person(recipient);
        for (int i = 0; i < bits_set; ++i) {
            const auto bit = (hash.first + i * hash.step) % bits;
            auto& byte = filter[static_cast<std::size_t>(bit / 8)];
            byte = static_cast<char>(static_cast<unsigned char>(byte) | (1U << (bit % 8)));
        }
    }
    return filter;
}

}  // namespace fanfare::ledger
