#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace fanfare::kafka {

/// The offset of one partition that may be committed when records finish out of order:
/// just past the longest finished run from the start. Committing anything beyond it would
/// lose what is still in work.
///
/// Bounds    one byte a record between the oldest unfinished and the newest.
class Watermark {
public:
    /// A record was taken up. Offsets only grow; gaps (compaction, transactions) are fine.
    void begin(std::int64_t offset);
    /// It is settled. Unknown offsets (from before a rebalance) are ignored.
    void finish(std::int64_t offset);
    /// The next offset to read after a restart; nothing before the first record.
    [[nodiscard]] std::optional<std::int64_t> committable() const;
    [[nodiscard]] std::size_t open() const noexcept { return open_; }

private:
    struct Entry {
        std::int64_t offset;
        bool finished;
    };
    std::deque<Entry> entries_;
    std::optional<std::int64_t> committable_;
    std::size_t open_ = 0;
};

}  // namespace fanfare::kafka
