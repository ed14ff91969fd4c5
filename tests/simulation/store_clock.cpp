// What goes by the ledger's clock besides leases and waits: the rates, and what is set right when
// that clock was wrong.
#include "core/ledger/clock.hpp"
#include "tests/simulation/store_model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fanfare::simulation {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

void StoreModel::set_clock(milliseconds ahead) {
    if (ahead == ahead_) return;
    ahead_ = ahead;
    moved_at_ = truth_.steady_now();
    overlaps_until_ = given_until_;
    story_.tell("the ledger's clock is {} ms ahead", ahead.count());
}

/// Whether its clock is where somebody believes it to be.
bool StoreModel::shows(TimePoint believed) const {
    return abs(calendar_now() - believed) <= ledger::LedgerClock::skew_max;
}

std::size_t StoreModel::mend(milliseconds lease, milliseconds republish_after, TimePoint believed) {
    constexpr seconds written_ahead{2};
    constexpr std::chrono::minutes lease_max{15};
    if (plant_ == Plant::nothing_mended) return 0;
    if (plant_ != Plant::mends_by_any_clock && !shows(believed)) return 0;
    std::size_t mended = 0;
    const auto at = now();
    for (auto& [key, chunk] : chunks_) {
        if (chunk.state == State::claimed && chunk.lease_until > at + lease_max) {
            chunk.lease_until = at + lease;
            ++mended;
        }
        if (chunk.state != State::planned) continue;
        if (chunk.publish_at > at && chunk.updated_at > at + written_ahead) {
            const auto since = chunk.updated_at;
            chunk.next_at = at + std::max(chunk.next_at - since, SteadyTime::duration{0});
            chunk.publish_at = at + std::max(chunk.publish_at - since, SteadyTime::duration{0});
            chunk.updated_at = at;
            ++mended;
        }
        const auto due = std::max(chunk.next_at, at);
        if (chunk.publish_at > due + republish_after + written_ahead) {  // It was given out.
            chunk.publish_at = due;
            ++mended;
        }
    }
    if (mended > 0) story_.tell("{} moments of a wrong clock are set right", mended);
    return mended;
}

/// Never further ahead than it was when it was written.
SteadyTime StoreModel::block_of(const Bucket& bucket) const {
    constexpr std::chrono::hours wait_max{1};
    const auto at = now();
    if (plant_ == Plant::bucket_believed) return bucket.blocked_until;
    return std::min(
        {bucket.blocked_until, at + (bucket.blocked_until - bucket.blocked_at), at + wait_max});
}

microseconds StoreModel::lease_rate(const std::string& account, double per_second,
                                    std::uint32_t tokens) {
    auto& bucket = buckets_[account];
    const auto at = now();
    const auto length = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>{tokens / per_second});
    auto next_free = bucket.next_free;
    if (plant_ != Plant::bucket_believed) {
        next_free = std::min(next_free, at + (bucket.next_free - bucket.reserved_at));
    }
    const auto reserved = std::max<SteadyTime::duration>(next_free - at, {});
    if (bucket.per_second > 0 && bucket.per_second < per_second) {
        const auto sooner = std::chrono::duration_cast<SteadyTime::duration>(
            reserved * (bucket.per_second / per_second));
        next_free = at + std::max<SteadyTime::duration>(
                             sooner, std::min<SteadyTime::duration>(reserved, seconds{5}));
    }
    const auto begins = std::max({at, next_free, block_of(bucket)});
    auto& given = given_until_[account];
    given = std::max(given, truth_.steady_now() + (begins + length - at));
    if (plant_ != Plant::slice_given_twice) {
        bucket.next_free = begins + length;
        bucket.reserved_at = at;
        bucket.per_second = per_second;
    }
    return std::chrono::ceil<microseconds>(begins - at);
}

SteadyTime StoreModel::overlaps_until(const std::string& account) const {
    const auto found = overlaps_until_.find(account);
    return found == overlaps_until_.end() ? SteadyTime::min() : found->second;
}

void StoreModel::block(const std::string& account, milliseconds wait) {
    const auto truly = truth_.steady_now();
    story_.tell("account {} waits {} ms: a 429", account, wait.count());
    auto& block = blocks_[account];
    if (is_unsure(block)) block.unsure_until = std::max(block.unsure_until, block.until);
    const auto before = is_unsure(block) ? truly : block.until;
    block = {truly, std::max(before, truly + wait), block.unsure_until};
    if (plant_ == Plant::block_forgotten) return;
    auto& bucket = buckets_[account];
    bucket.blocked_until = std::max(block_of(bucket), now() + wait);
    bucket.blocked_at = now();
}

std::map<std::string, microseconds> StoreModel::blocked() {
    std::map<std::string, microseconds> all;
    const auto at = now();
    for (auto& [account, bucket] : buckets_) {
        if (bucket.blocked_at > at) {
            bucket.blocked_until = block_of(bucket);
            bucket.blocked_at = at;
        }
        const auto until = block_of(bucket);
        if (until > at) all[account] = std::chrono::ceil<microseconds>(until - at);
    }
    return all;
}

/// An `expired` cannot be taken back: nobody is before it is true.
void StoreModel::check_expired(const Chunk& chunk, const std::string& person) {
    const auto* const job = find_job(chunk.key.job);
    if (job == nullptr || !job->expires_at || !slack_) return;
    const bool is_over = *job->expires_at <= truth_.steady_now() + *slack_;
    // One device that sleeps on says so of a person whom another one was not told for a reason.
    const auto wakes = chunk.key.channel == Channel::push ? nights_.last_wakes(person, devices_)
                                                          : nights_.device_wakes(person, 0);
    const bool sleeps_on = wakes >= *job->expires_at;
    if (!is_over && !sleeps_on) breaks(fmt::format("{} has expired before their time", person));
}

}  // namespace fanfare::simulation
