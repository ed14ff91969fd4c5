#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace fanfare::sim {

/// Remembers how often each address of each job was accepted.
///
/// An entry takes 16 bytes, its slot in the hash table 8 bytes at 35 to 75 % load, and the
/// address its own length: about 60 bytes for an e-mail address. Nothing moves once
/// written; the table is cut into shards, so that growing it stalls for a
/// millisecond, not for a second.
///
/// Bounds    2^32 entries, 2^40 bytes of addresses, 65,535 bytes an address (cut beyond).
/// Threads   one at a time.
class AcceptanceIndex {
public:
    struct Added {
        std::uint32_t people = 0;      // Seen for the first time.
        std::uint32_t duplicated = 0;  // Seen for the second time.
    };
    struct Line {
        std::string_view address;
        std::uint32_t job;
        std::uint32_t count;
    };

    AcceptanceIndex();

    Added add(std::uint32_t job, std::span<const std::string_view> addresses);
    [[nodiscard]] std::uint32_t count(std::uint32_t job, std::string_view address) const noexcept;

    /// Entries in order of their first acceptance.
    [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
    [[nodiscard]] Line line(std::uint32_t index) const noexcept;
    [[nodiscard]] std::size_t bytes() const noexcept;
    void clear();

private:
    struct Entry {
        std::uint64_t where;  // Offset of the address << 16 | its size.
        std::uint32_t count;
        std::uint32_t job;
    };
    struct Slot {
        std::uint32_t tag;
        std::uint32_t entry;  // Index + 1; 0: free.
    };
    struct Shard {
        std::vector<Slot> slots;
        std::uint32_t used = 0;
        std::uint32_t grow_at = 0;
    };

    static constexpr std::uint32_t shard_bits = 6;
    static constexpr std::uint32_t entry_block_bits = 16;
    static constexpr std::uint32_t text_block_bits = 20;

    [[nodiscard]] static std::uint64_t hash(std::uint32_t job, std::string_view address) noexcept;
    [[nodiscard]] const Slot& find(const Shard& shard, std::uint32_t tag, std::uint32_t job,
                                   std::string_view address) const noexcept;
    [[nodiscard]] std::string_view text(const Entry& entry) const noexcept;
    [[nodiscard]] std::uint64_t keep_text(std::string_view address);
    std::uint32_t append(std::uint32_t job, std::string_view address);
    void add_one(std::uint64_t hash, std::uint32_t job, std::string_view address, Added& added);
    void grow(std::size_t shard);
    [[nodiscard]] Entry& entry(std::uint32_t index) const noexcept {
        return entries_[index >> entry_block_bits][index & ((1U << entry_block_bits) - 1)];
    }

    std::array<Shard, 1U << shard_bits> shards_;
    std::vector<std::unique_ptr<Entry[]>> entries_;
    std::vector<std::unique_ptr<char[]>> texts_;
    std::uint64_t text_end_ = 0;
    std::uint32_t size_ = 0;
    std::vector<std::uint64_t> hashes_;  // Of one call.
};

}  // namespace fanfare::sim
