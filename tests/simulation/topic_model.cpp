#include "tests/simulation/topic_model.hpp"

#include <algorithm>
#include <iterator>

namespace fanfare::simulation {

void TopicModel::publish(TopicRecord record) {
    const auto half = partition_count / 2;
    auto hash = std::hash<std::string>{}(record.job);
    if (record.chunk) hash += static_cast<std::size_t>(*record.chunk);
    const auto partition = (record.chunk ? half : 0) + hash % half;
    records_[partition].push_back(std::move(record));
    if (members_.empty()) return;
    const auto owner =
        std::next(members_.begin(), static_cast<std::ptrdiff_t>(place_of(partition)));
    if (const auto found = listeners_.find(*owner); found != listeners_.end()) found->second();
}

void TopicModel::listen(std::uint64_t member, std::function<void()> wake) {
    listeners_.insert_or_assign(member, std::move(wake));
}

void TopicModel::begin_generation() {
    ++generation_;
    for (const auto& [member, wake] : listeners_) wake();
}

void TopicModel::wipe(std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
        begins_[i] += static_cast<std::int64_t>(records_[i].size());
        records_[i].clear();
        committed_[i] = begins_[i];
    }
    begin_generation();
}

void TopicModel::join(std::uint64_t member) {
    members_.insert(member);
    begin_generation();
}

void TopicModel::leave(std::uint64_t member) {
    if (members_.erase(member) > 0) begin_generation();
}

void TopicModel::rebalance(std::uint64_t turn) {
    turn_ += 1 + turn % 3;
    begin_generation();
}

std::vector<std::size_t> TopicModel::partitions_of(std::uint64_t member) const {
    std::vector<std::size_t> mine;
    const auto found = members_.find(member);
    if (found == members_.end()) return mine;
    const auto place = static_cast<std::size_t>(std::distance(members_.begin(), found));
    for (std::size_t i = 0; i < partition_count; ++i) {
        if (place_of(i) == place) mine.push_back(i);
    }
    return mine;
}

const TopicRecord* TopicModel::read(std::size_t partition, std::int64_t offset) const {
    const auto place = offset - begins_[partition];
    const auto& records = records_[partition];
    if (place < 0 || place >= static_cast<std::int64_t>(records.size())) return nullptr;
    return &records[static_cast<std::size_t>(place)];
}

std::vector<std::pair<kafka::Received, TopicRecord>> TopicReader::poll() {
    if (generation_ != topic_.generation()) {
        generation_ = topic_.generation();
        places_.clear();
        for (const auto partition : topic_.partitions_of(member_)) {
            places_[partition].next = topic_.committed(partition);
        }
    }
    std::vector<std::pair<kafka::Received, TopicRecord>> polled;
    for (auto& [partition, place] : places_) {
        for (int i = 0; i < 4; ++i) {
            const auto* const record = topic_.read(partition, place.next);
            if (record == nullptr) break;
            kafka::Received received;
            received.partition = static_cast<std::int32_t>(partition);
            received.offset = place.next;
            received.generation = generation_;
            place.watermark.begin(place.next++);
            polled.emplace_back(std::move(received), *record);
        }
    }
    return polled;
}

void TopicReader::finish(const kafka::Received& received) {
    if (received.generation != generation_) return;
    const auto found = places_.find(static_cast<std::size_t>(received.partition));
    if (found != places_.end()) found->second.watermark.finish(received.offset);
}

bool TopicReader::has_more() const {
    return std::any_of(places_.begin(), places_.end(), [this](const auto& entry) {
        return topic_.read(entry.first, entry.second.next) != nullptr;
    });
}

bool TopicReader::is_behind() const {
    return std::any_of(places_.begin(), places_.end(), [this](const auto& entry) {
        return topic_.committed(entry.first) < entry.second.next;
    });
}

void TopicReader::commit() {
    if (generation_ != topic_.generation()) return;  // Refused by the broker.
    for (const auto& [partition, place] : places_) {
        if (const auto offset = place.watermark.committable()) topic_.commit(partition, *offset);
    }
}

}  // namespace fanfare::simulation
