#include "core/kafka/watermark.hpp"

#include <algorithm>

namespace fanfare::kafka {

void Watermark::begin(std::int64_t offset) {
    if (!entries_.empty() && offset <= entries_.back().offset) return;  // Delivered again.
    if (committable_ && offset < *committable_) return;
    if (!committable_) committable_ = offset;
    entries_.push_back({offset, false});
    ++open_;
}

void Watermark::finish(std::int64_t offset) {
    const auto found = std::lower_bound(
        entries_.begin(), entries_.end(), offset,
        [](const Entry& entry, std::int64_t wanted) { return entry.offset < wanted; });
    if (found == entries_.end() || found->offset != offset || found->finished) return;
    found->finished = true;
    --open_;
    while (!entries_.empty() && entries_.front().finished) {
        committable_ = entries_.front().offset + 1;
        entries_.pop_front();
    }
}

std::optional<std::int64_t> Watermark::committable() const { return committable_; }

}  // namespace fanfare::kafka
