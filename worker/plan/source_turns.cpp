#include "worker/plan/source_turns.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {

SourceTurns::Turn::Turn(Turn&& other) noexcept
    : turns_{std::exchange(other.turns_, nullptr)}, number_{other.number_} {}

SourceTurns::Turn::~Turn() {
    if (turns_ == nullptr) return;
    const std::lock_guard guard{turns_->mutex_};
    turns_->readings_.erase(number_);
}

void SourceTurns::Turn::heard() {
    const std::lock_guard guard{turns_->mutex_};
    turns_->readings_.at(number_).asked.reset();
}

void SourceTurns::Turn::asks() {
    const std::lock_guard guard{turns_->mutex_};
    turns_->readings_.at(number_).asked = turns_->clock_.steady_now();
}

std::optional<SourceTurns::Turn> SourceTurns::begin(const std::string& job, Source source,
                                                    Lane lane) {
    const std::lock_guard guard{mutex_};
    if (refuses(source, lane)) {
        if (refused_.size() >= refused_max) refused_.clear();  // They are looked at once more.
        refused_[job] = {source, lane};
        return std::nullopt;
    }
    refused_.erase(job);
    readings_[++begun_] = {source, lane, clock_.steady_now()};
    return Turn{this, begun_};
}

bool SourceTurns::is_refused(const std::string& job) {
    const std::lock_guard guard{mutex_};
    const auto found = refused_.find(job);
    if (found == refused_.end()) return false;
    if (refuses(found->second.source, found->second.lane)) return true;
    refused_.erase(found);
    return false;
}

bool SourceTurns::is_full(Source source) {
    const std::lock_guard guard{mutex_};
    return refuses(source, Lane::normal);
}

std::size_t SourceTurns::stuck() {
    const std::lock_guard guard{mutex_};
    return static_cast<std::size_t>(
        std::count_if(readings_.begin(), readings_.end(),
                      [this](const auto& reading) { return is_stuck(reading.second); }));
}

bool SourceTurns::is_stuck(const Reading& reading) const {
    return reading.asked && clock_.steady_now() - *reading.asked >= patience;
}

bool SourceTurns::refuses(Source source, Lane lane) const {
    std::size_t waiting = 0;
    bool has_stuck = false;
    for (const auto& [number, reading] : readings_) {
        if (reading.source != source || !reading.asked) continue;
        if (lane == Lane::urgent && reading.lane != Lane::urgent) continue;
        ++waiting;
        has_stuck = has_stuck || is_stuck(reading);
    }
    return has_stuck && (lane == Lane::urgent || waiting >= waiting_max);
}

}  // namespace fanfare
