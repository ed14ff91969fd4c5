#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace fanfare {

/// The deliveries of one account that are safely in Kafka. One that comes again is answered, and
/// changes nothing.
///
/// Holds hashes: what is looked up was signed by the provider, so that nobody chooses them.
///
/// Bounds    the latest 100,000, in about 5 MiB.
class SeenTokens {
public:
    static constexpr std::size_t count_max = 100'000;

    [[nodiscard]] bool contains(std::string_view token) const {
        return hashes_.contains(hash_of(token));
    }

    void add(std::string_view token) {
        const auto hash = hash_of(token);
        if (!hashes_.insert(hash).second) return;
        if (order_.size() < count_max) {
            order_.push_back(hash);
            return;
        }
        hashes_.erase(order_[oldest_]);
        order_[oldest_] = hash;
        oldest_ = (oldest_ + 1) % count_max;
    }

private:
    static std::size_t hash_of(std::string_view token) {
        return std::hash<std::string_view>{}(token);
    }

    std::unordered_set<std::size_t> hashes_;
    std::vector<std::size_t> order_;
    std::size_t oldest_ = 0;
};

}  // namespace fanfare
