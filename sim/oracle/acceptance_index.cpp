#include "sim/oracle/acceptance_index.hpp"

#include <algorithm>
#include <functional>

namespace fanfare::sim {

namespace {

constexpr std::uint32_t slots_first = 64;

// Shards grow at different loads, so that they do not all grow at once.
std::uint32_t read_limit(std::size_t slots, std::size_t shard) {
    return static_cast<std::uint32_t>(slots * (112 + shard) / 256);  // 44 % to 68 %
}

}  // namespace

AcceptanceIndex::AcceptanceIndex() { clear(); }

void AcceptanceIndex::clear() {
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        shards_[i] = {.slots = std::vector<Slot>(slots_first, Slot{}),
                      .used = 0,
                      .grow_at = read_limit(slots_first, i)};
    }
    entries_.clear();
    texts_.clear();
    text_end_ = 0;
    size_ = 0;
}

std::uint64_t AcceptanceIndex::hash(std::uint32_t job, std::string_view address) noexcept {
    auto h = std::hash<std::string_view>{}(address) ^ (job * 0x9e3779b97f4a7c15ULL);
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93ULL;
    return h ^ (h >> 32);
}

std::string_view AcceptanceIndex::text(const Entry& entry) const noexcept {
    const auto offset = entry.where >> 16;
    return {texts_[offset >> text_block_bits].get() + (offset & ((1U << text_block_bits) - 1)),
            entry.where & 0xffff};
}

AcceptanceIndex::Line AcceptanceIndex::line(std::uint32_t index) const noexcept {
    const auto& found = entry(index);
    return {text(found), found.job, found.count};
}

const AcceptanceIndex::Slot& AcceptanceIndex::find(const Shard& shard, std::uint32_t tag,
                                                   std::uint32_t job,
                                                   std::string_view address) const noexcept {
    const auto mask = shard.slots.size() - 1;
    for (std::size_t at = tag & mask;; at = (at + 1) & mask) {
        const auto& slot = shard.slots[at];
        if (slot.entry == 0) return slot;
        if (slot.tag != tag) continue;
        const auto& found = entry(slot.entry - 1);
        if (found.job == job && text(found) == address) return slot;
    }
}

std::uint32_t AcceptanceIndex::count(std::uint32_t job, std::string_view address) const noexcept {
    address = address.substr(0, 0xffff);
    const auto h = hash(job, address);
    const auto& slot =
        find(shards_[h >> (64 - shard_bits)], static_cast<std::uint32_t>(h), job, address);
    return slot.entry == 0 ? 0 : entry(slot.entry - 1).count;
}

std::uint64_t AcceptanceIndex::keep_text(std::string_view address) {
    constexpr std::uint64_t block = 1U << text_block_bits;
    const auto left = block - (text_end_ & (block - 1));
    if (texts_.empty() || left < address.size() || (text_end_ & (block - 1)) == 0) {
        text_end_ = texts_.size() * block;
        texts_.push_back(std::make_unique_for_overwrite<char[]>(block));
    }
    std::memcpy(texts_.back().get() + (text_end_ & (block - 1)), address.data(), address.size());
    const auto where = text_end_ << 16 | address.size();
    text_end_ += address.size();
    return where;
}

std::uint32_t AcceptanceIndex::append(std::uint32_t job, std::string_view address) {
    constexpr std::uint32_t block = 1U << entry_block_bits;
    if (size_ % block == 0) entries_.push_back(std::make_unique_for_overwrite<Entry[]>(block));
    entry(size_) = {.where = keep_text(address), .count = 1, .job = job};
    return ++size_;
}

void AcceptanceIndex::grow(std::size_t index) {
    auto& shard = shards_[index];
    std::vector<Slot> larger(shard.slots.size() * 2, Slot{});
    const auto mask = larger.size() - 1;
    for (const auto& slot : shard.slots) {
        if (slot.entry == 0) continue;
        std::size_t at = slot.tag & mask;
        while (larger[at].entry != 0) at = (at + 1) & mask;
        larger[at] = slot;
    }
    shard.slots.swap(larger);
    shard.grow_at = read_limit(shard.slots.size(), index);
}

void AcceptanceIndex::add_one(std::uint64_t hash, std::uint32_t job, std::string_view address,
                              Added& added) {
    const auto index = hash >> (64 - shard_bits);
    auto& shard = shards_[index];
    const auto tag = static_cast<std::uint32_t>(hash);
    const auto& found = find(shard, tag, job, address);
    if (found.entry != 0) {
        if (++entry(found.entry - 1).count == 2) ++added.duplicated;
        return;
    }
    auto& slot = shard.slots[static_cast<std::size_t>(&found - shard.slots.data())];
    slot = {.tag = tag, .entry = append(job, address)};
    ++added.people;
    if (++shard.used >= shard.grow_at) grow(index);
}

AcceptanceIndex::Added AcceptanceIndex::add(std::uint32_t job,
                                            std::span<const std::string_view> addresses) {
    hashes_.clear();
    for (const auto address : addresses) {
        const auto h = hash(job, address.substr(0, 0xffff));
        const auto& slots = shards_[h >> (64 - shard_bits)].slots;
        __builtin_prefetch(&slots[static_cast<std::uint32_t>(h) & (slots.size() - 1)], 1);
        hashes_.push_back(h);
    }
    Added added;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        add_one(hashes_[i], job, addresses[i].substr(0, 0xffff), added);
    }
    return added;
}

std::size_t AcceptanceIndex::bytes() const noexcept {
    std::size_t slots = 0;
    for (const auto& shard : shards_) slots += shard.slots.size() * sizeof(Slot);
    return slots + (entries_.size() * sizeof(Entry) << entry_block_bits) +
           (texts_.size() << text_block_bits);
}

}  // namespace fanfare::sim
