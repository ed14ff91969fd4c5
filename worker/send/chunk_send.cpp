#include "worker/send/chunk_send.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::seconds lease_margin{1};
// Who waits longer to begin is marked anew: by then their job may be cancelled or held.
constexpr std::chrono::milliseconds mark_fresh{250};

}  // namespace

ChunkSend::ChunkSend(Parts parts, const Claim& claim, Recipients& people, Pass& pass)
    : parts_{std::move(parts)},
      account_{parts_.account},
      claim_{claim},
      people_{people},
      pass_{pass},
      changed_{parts_.executor},
      tasks_{parts_.executor},
      aboard_{account_.boarding().arrive(claim.lane == Lane::urgent)} {
    devices_.begun.resize(people.outcomes.size());
    devices_.open_to.resize(people.outcomes.size());
    for (auto& composed : pass.requests.requests) {
        waiting_.push_back(&composed);
        const auto& targets = pass.requests.groups[composed.group]->targets;
        for (std::uint32_t i = 0; i < composed.count; ++i) {
            ++devices_.open_to[targets[composed.first + i]->recipient];
        }
    }
    if (!waiting_.empty() && !account_.breaker().is_proven(parts_.clock.steady_now())) {
        const auto first = account_.breaker().probes() % waiting_.size();
        std::rotate(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(first),
                    waiting_.end());
    }
    pass.target_fates.assign(pass.resolved.targets.size(), {});
}

bool ChunkSend::is_busy() const {
    return !waiting_.empty() || boarding_ || !marked_.empty() || open_ > 0 || !stale_.empty();
}

asio::awaitable<void> ChunkSend::run() {
    while (is_busy()) {
        if (!waiting_.empty() && !boarding_) {
            boarding_ = true;
            tasks_.spawn(board());
        } else if (!marked_.empty()) {
            co_await begin_next();
        } else if (open_ == 0 && !boarding_) {
            co_await renew();
        } else {
            co_await changed_.wait();
        }
    }
    co_await tasks_.join();
    keep_open();
}

/// Only requests with a stale token are left: they were refused unread.
asio::awaitable<void> ChunkSend::renew() {
    renewed_ = true;
    bool authorized = co_await account_.authorize(true);
    // Of credentials that were replaced meanwhile nothing is renewed: the next pass has the new
    // ones.
    if (pass_.provider != account_.provider()) authorized = false;
    for (ComposedRequest* const composed : stale_) {
        if (authorized) {
            compose(*composed);
            waiting_.push_back(composed);
        } else {
            untried_.push_back(composed);
        }
    }
    stale_.clear();
}

asio::awaitable<void> ChunkSend::board() {
    auto& boarding = account_.boarding();
    const Boarding::Wish wish{waiting_.size(), latest()};
    const auto permits = co_await boarding.board(aboard_, wish);
    Wave wave;
    if (permits > 0) co_await choose(permits, wave);
    for (auto i = wave.size(); i < permits; ++i) boarding.give_back(aboard_);
    if (wave.empty()) {
        leave_rest();
    } else {
        co_await mark(wave);
    }
    boarding_ = false;
    boarding.settled();
    changed_.notify();
}

/// Fills a wave with requests whose slots are at hand; it stays empty where none comes in time.
asio::awaitable<void> ChunkSend::choose(std::size_t permits, Wave& wave) {
    if (!may_begin()) co_return;
    wave.reserve(permits);
    auto& pacer = account_.pacer();
    ComposedRequest* const first = next_request();
    const auto slot = co_await pacer.reserve(first->tokens, latest());
    // The provider may have stalled while the slot was waited for.
    if (!slot || !may_begin() ||
        account_.breaker().room(parts_.clock.steady_now()) < first->count) {
        waiting_.push_front(first);
        co_return;
    }
    add_to_wave(*first, *slot, wave);
    const auto until = std::max(*slot, parts_.clock.steady_now()) + Pacer::ahead;
    while (wave.size() < permits && !waiting_.empty() &&
           account_.breaker().room(parts_.clock.steady_now()) > 0) {
        ComposedRequest* const composed = next_request();
        const auto next = pacer.reserve_now(composed->tokens, until);
        if (!next) {
            waiting_.push_front(composed);
            break;
        }
        add_to_wave(*composed, *next, wave);
    }
}

/// The next request, or as much of it as an account that is not proven may be asked for.
ComposedRequest* ChunkSend::next_request() {
    ComposedRequest* composed = waiting_.front();
    waiting_.pop_front();
    const auto& breaker = account_.breaker();
    const auto room = std::max<std::size_t>(1, breaker.room(parts_.clock.steady_now()));
    if (composed->count > room) {
        // Another part each time: somebody who always fails does not keep the account shut.
        const auto count = static_cast<std::uint32_t>(room);
        const auto pieces = (composed->count + count - 1) / count;
        const auto at = std::min(breaker.probes() % pieces * count, composed->count - count);
        const auto end = at + count;
        if (end < composed->count)
            waiting_.push_front(find_part(*composed, end, composed->count - end));
        if (at > 0) waiting_.push_front(find_part(*composed, 0, at));
        composed = find_part(*composed, at, count);
    }
    if (!composed->is_composed) compose(*composed);
    return composed;
}

void ChunkSend::add_to_wave(ComposedRequest& composed, SteadyTime slot, Wave& wave) {
    composed.era = account_.breaker().begin(composed.count, parts_.clock.steady_now());
    count_begun(composed, 1);
    wave.push_back({&composed, slot, {}});
}

asio::awaitable<void> ChunkSend::mark(const Wave& wave) {
    auto entry = to_mark(claim_, people_, pass_.resolved.fates, devices_);
    entry.account = account_.settings().name;
    const auto told = static_cast<std::ptrdiff_t>(entry.suppressions.size());
    const auto marked = co_await parts_.mark(std::move(entry));
    auto& suppressions = people_.suppressions;
    if (marked != Marked::away) {  // Some may have come meanwhile.
        suppressions.erase(suppressions.begin(), suppressions.begin() + told);
    }
    if (marked == Marked::ours && !pass_.ended_by) {
        const auto now = parts_.clock.steady_now();
        for (const auto& item : wave) marked_.push_back({item.composed, item.slot, now});
        co_return;
    }
    if (marked != Marked::ours) pass_.ended_by = marked;
    if (marked == Marked::cancelled) people_.job_cancelled = true;
    for (const auto& item : wave) leave(*item.composed);
    leave_rest();
}

/// It had a permit, and neither departs nor is tried again in this pass.
void ChunkSend::leave(ComposedRequest& composed) {
    take_back(composed);
    account_.boarding().give_back(aboard_);
    untried_.push_back(&composed);
}

/// It was marked, and is not begun after all.
void ChunkSend::take_back(const ComposedRequest& composed) {
    count_begun(composed, -1);
    account_.breaker().taken_back(composed.era, composed.count);
}

void ChunkSend::leave_rest() {
    untried_.insert(untried_.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
}

asio::awaitable<void> ChunkSend::begin_next() {
    const WaveEntry item = marked_.front();
    marked_.pop_front();
    auto& boarding = account_.boarding();
    const bool departs = may_begin() && co_await boarding.depart(aboard_);
    if (!departs) {
        leave(*item.composed);
        co_return;
    }
    const bool is_stale = parts_.clock.steady_now() - item.marked_at > mark_fresh;
    const bool kept =
        !is_stale && co_await account_.pacer().keep(item.slot, item.composed->tokens, latest());
    if (kept && may_begin()) {
        begin(*item.composed);
        co_return;
    }
    take_back(*item.composed);
    boarding.take_back(aboard_);
    if (is_stale && may_begin()) {
        waiting_.push_front(item.composed);
    } else {
        untried_.push_back(item.composed);
    }
}

void ChunkSend::count_begun(const ComposedRequest& composed, int change) {
    const auto& targets = pass_.requests.groups[composed.group]->targets;
    for (std::uint32_t i = 0; i < composed.count; ++i) {
        auto& count = devices_.begun[targets[composed.first + i]->recipient];
        count = static_cast<std::uint16_t>(count + change);
    }
}

void ChunkSend::keep_open() {
    for (const ComposedRequest* const composed : untried_) {
        const auto& targets = pass_.requests.groups[composed->group]->targets;
        for (std::uint32_t i = 0; i < composed->count; ++i) {
            auto& fate = pass_.resolved.fates[targets[composed->first + i]->recipient];
            // Another device may have been refused or dropped; this one may still tell them.
            if (fate.outcome != Outcome::pending)
                fate = merge(fate, {Outcome::retry, Reason::not_sent});
        }
    }
}

SteadyTime latest_begin(const Claim& claim, const Account& account) {
    return claim.lease_ends - account.settings().timeout - lease_margin;
}

SteadyTime ChunkSend::latest() const { return latest_begin(claim_, account_); }

bool ChunkSend::may_begin() const {
    const auto& expires = claim_.job->job.expires_at;
    if (expires && *expires <= parts_.clock.now()) return false;  // Expired before it was sent.
    if (pass_.ended_by || pass_.refusal || pass_.throttled_for.count() > 0) return false;
    return !account_.is_shut() && !holds_back(parts_.pauses, claim_) &&
           parts_.clock.steady_now() < latest();
}

void ChunkSend::begin(ComposedRequest& composed) {
    ++open_;
    people_.has_begun = true;
    account_.breaker().departed(parts_.clock.steady_now());
    account_.count_used(composed.tokens);
    account_.http().start(composed.request, [this, &composed](const HttpAnswer& answer) {
        --open_;
        account_.boarding().end(aboard_);
        on_answer(composed, answer);
        account_.boarding().look_again();
        changed_.notify();
    });
}

ComposedRequest* ChunkSend::find_part(const ComposedRequest& composed, std::uint32_t first,
                                      std::uint32_t count) {
    auto& part = pieces_.emplace_back();
    part.group = composed.group;
    part.first = composed.first + first;
    part.count = count;
    part.tokens = std::min(composed.tokens, count);
    part.is_composed = false;
    return &part;
}

void ChunkSend::compose(ComposedRequest& composed) const {
    compose_request(claim_, *pass_.provider, *pass_.requests.groups[composed.group], composed);
    composed.is_composed = true;
}

}  // namespace fanfare
