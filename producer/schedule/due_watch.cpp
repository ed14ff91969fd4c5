#include "producer/schedule/due_watch.hpp"

#include <utility>

namespace fanfare {

bool DueWatch::is_whole_due() const {
    return !known_ || changed_.contains("") || changed_.size() > names_max ||
           clock_.steady_now() - *whole_at_ >= whole_every;
}

void DueWatch::note_changes(const DueDigest& found) {
    for (const auto& [subject, digest] : found) {
        const auto before = known_->find(subject);
        if (before == known_->end() || before->second != digest) changed_.insert(subject);
    }
    for (const auto& [subject, digest] : *known_) {
        if (!found.contains(subject)) changed_.insert(subject);
    }
}

Result<DueWatch::Look> DueWatch::look() {
    // The digest comes first: what changes after it is seen to be another one at the next look.
    std::optional<DueDigest> found;
    std::chrono::nanoseconds took{0};
    if (whole_at_) {
        const auto begun = clock_.steady_now();
        const auto since = std::chrono::duration_cast<TimePoint::duration>(begun - *whole_at_);
        auto looked = refresher_.look(schedule_, horizon_ + since);
        if (!looked) return looked.error();
        found = std::move(looked.value());
        took = clock_.steady_now() - begun;
        if (found && known_) note_changes(*found);
    }
    Look done;
    if (!found || is_whole_due()) {
        auto refreshed = refresh({});
        if (!refreshed) return refreshed.error();
        done = std::move(refreshed.value());
    } else if (!changed_.empty()) {
        auto refreshed = refresh(DueNames{changed_.begin(), changed_.end()});
        if (!refreshed) return refreshed.error();
        done = std::move(refreshed.value());
    }
    done.query_took += took;
    if (!done.not_now) known_ = std::move(found);
    return done;
}

Result<DueWatch::Look> DueWatch::look_at(const DueNames& names) { return refresh(names); }

Result<DueWatch::Look> DueWatch::refresh(const std::optional<DueNames>& names) {
    const auto begun = clock_.steady_now();
    auto refreshed = refresher_.refresh(schedule_, names);
    if (!refreshed) return refreshed.error();
    Look done;
    done.report = std::move(refreshed.value());
    done.whole = !names;
    done.not_now = !done.report;
    if (done.not_now) return done;
    done.query_took = done.report->query_took;
    if (done.whole) {
        changed_.clear();
        whole_at_ = begun;
        horizon_ = done.report->horizon;
    }
    return done;
}

}  // namespace fanfare
