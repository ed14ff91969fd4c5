#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace fanfare {

/// The deliveries of one account that are safely in Kafka, and those that are on their way there.
/// One that comes again is answered, and changes nothing.
///
/// A token is taken before anything is published, so that of two that come together only one is;
/// it is given back where that failed, so that the provider's next attempt is heard.
///
/// Holds hashes: what is looked up was signed by the provider, so that nobody chooses them.
///
/// Bounds    the latest 100,000, in about 5 MiB; on their way, as many as there are requests.
class SeenTokens {
public:
    static constexpr std::size_t count_max = 100'000;
    enum class State : std::uint8_t { fresh, on_its_way, seen };

    /// Says how a token stands; a fresh one is on its way from now on.
    [[nodiscard]] State take(std::string_view token) {
        const auto hash = hash_token(token);
        if (hashes_.contains(hash)) return State::seen;
        return on_their_way_.insert(hash).second ? State::fresh : State::on_its_way;
    }

    void give_back(std::string_view token) { on_their_way_.erase(hash_token(token)); }

    /// It is stored.
    void keep(std::string_view token) {
        const auto hash = hash_token(token);
        on_their_way_.erase(hash);
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
    static std::size_t hash_token(std::string_view token) {
        return std::hash<std::string_view>{}(token);
    }

    std::unordered_set<std::size_t> hashes_;
    std::unordered_set<std::size_t> on_their_way_;
    std::vector<std::size_t> order_;
    std::size_t oldest_ = 0;
};

/// A token that was taken: given back, unless it was kept, however its holder ends.
///
/// Lifetime  the tokens outlive it.
class TakenToken {
public:
    TakenToken(SeenTokens& tokens, std::string token) : tokens_{tokens}, token_{std::move(token)} {
        if (!token_.empty()) state_ = tokens_.take(token_);
    }
    TakenToken(const TakenToken&) = delete;
    TakenToken& operator=(const TakenToken&) = delete;
    ~TakenToken() {
        if (is_ours()) tokens_.give_back(token_);
    }

    [[nodiscard]] SeenTokens::State state() const noexcept { return state_; }

    void keep() {
        if (is_ours()) tokens_.keep(token_);
        is_kept_ = true;
    }

private:
    [[nodiscard]] bool is_ours() const noexcept {
        return !token_.empty() && state_ == SeenTokens::State::fresh && !is_kept_;
    }

    SeenTokens& tokens_;
    std::string token_;
    SeenTokens::State state_ = SeenTokens::State::fresh;  // Without a token, always.
    bool is_kept_ = false;
};

}  // namespace fanfare
