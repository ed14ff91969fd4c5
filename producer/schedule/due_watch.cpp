#include "producer/schedule/due_watch.hpp"

#include <utility>

namespace fanfare {

bool DueWatch::is_whole_due() const {
    return !known_ || changed_.contains("") || changed_.size() > names_max ||
           clock_.steady_now() - whole_at_ >= whole_every;
}

void DueWatch::note_changes(const DueDigest& found) {
    for (const auto& [subject, digest] : found) {
        const auto before = known_->find(subject);
        if (before == known_->end() || before->second != digest) note_change(subject);
    }
    for (const auto& [subject, digest] : *known_) {
        if (!found.contains(subject)) note_change(subject);
    }
}

/// Where there are too many the next look is whole, and they need not be known.
void DueWatch::note_change(const std::string& subject) {
    if (changed_.size() <= names_max) changed_.insert(subject);
}

Result<DueWatch::Look> DueWatch::look() {
    if (is_whole_due()) return refresh({});
    const auto begun = clock_.steady_now();
    const auto since = std::chrono::duration_cast<TimePoint::duration>(begun - whole_at_);
    auto found = refresher_.look(schedule_, horizon_ + since);
    if (!found) return found.error();
    const auto took = clock_.steady_now() - begun;
    if (!found.value()) return refresh({});  // More than is taken in.
    note_changes(*found.value());
    if (is_whole_due()) return refresh({});
    Look done;
    if (!changed_.empty()) {
        auto refreshed = refresh(DueNames{changed_.begin(), changed_.end()});
        if (!refreshed) return refreshed.error();
        done = std::move(refreshed.value());
    }
    done.query_took += took;
    if (!done.not_now) known_ = std::move(found.value());
    return done;
}

Result<DueWatch::Look> DueWatch::look_at(const DueNames& names) {
    for (const auto& name : names) note_change(name);
    return refresh(names);
}

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
    if (done.whole) note_whole(*done.report, begun);
    return done;
}

void DueWatch::note_whole(RefreshReport& report, SteadyTime begun) {
    known_.reset();
    if (!report.cut) {
        known_ = std::move(report.digest);
        changed_.clear();
    }
    whole_at_ = begun;
    horizon_ = report.horizon;
}

}  // namespace fanfare
