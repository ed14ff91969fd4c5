#include "worker/send/flight.hpp"

#include "worker/send/settle.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::seconds lease_margin{1};

}  // namespace

Flight::Flight(const asio::any_io_executor& executor, Account& account, Work& work,
               const Clock& clock, const Marker& mark)
    : account_{account},
      work_{work},
      clock_{clock},
      mark_{mark},
      changed_{executor},
      tasks_{executor},
      arrival_{account.boarding().arrive()},
      begun_(work.chunk.outcomes.size()),
      open_to_(work.chunk.outcomes.size()) {
    for (auto& letter : work.letters.letters) {
        waiting_.push_back(&letter);
        const auto& targets = work.letters.groups[letter.group]->targets;
        for (std::uint32_t i = 0; i < letter.count; ++i) {
            ++open_to_[targets[letter.first + i]->recipient];
        }
    }
    if (!waiting_.empty() && !account.breaker().is_proven(clock.moment())) {
        const auto first = account.breaker().probes() % waiting_.size();
        std::rotate(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(first),
                    waiting_.end());
    }
    work.target_fates.assign(work.resolved.targets.size(), {});
}

bool Flight::is_busy() const {
    return !waiting_.empty() || boarding_ || !marked_.empty() || open_ > 0 || !stale_.empty();
}

asio::awaitable<void> Flight::fly() {
    while (is_busy()) {
        if (!waiting_.empty() && !boarding_) {
            boarding_ = true;
            tasks_.spawn(board());
        } else if (!marked_.empty()) {
            co_await depart();
        } else if (open_ == 0 && !boarding_) {
            co_await renew();
        } else {
            co_await changed_.wait();
        }
    }
    co_await tasks_.join();
    keep_open();
}

/// Only letters with a stale token are left. Their requests were refused unread.
asio::awaitable<void> Flight::renew() {
    renewed_ = true;
    const bool authorized = co_await account_.authorize(true);
    for (Letter* const letter : stale_) {
        if (authorized) {
            compose(*letter);
            waiting_.push_back(letter);
        } else {
            untried_.push_back(letter);
        }
    }
    stale_.clear();
}

asio::awaitable<void> Flight::board() {
    const bool urgent = work_.chunk.lane == Lane::urgent;
    const Boarding::Wish wish{waiting_.size(), latest(), urgent, arrival_};
    auto& boarding = account_.boarding();
    const auto permits = co_await boarding.board(wish);
    Wave wave;
    if (permits > 0) co_await choose(permits, wave);
    for (auto i = wave.size(); i < permits; ++i) boarding.give_back();
    if (wave.empty()) {
        leave_rest();
    } else {
        co_await mark(wave);
    }
    boarding_ = false;
    boarding.settled();
    changed_.notify();
}

/// Fills a wave with letters whose slots are at hand; it stays empty where none comes in time.
asio::awaitable<void> Flight::choose(std::size_t permits, Wave& wave) {
    if (!may_begin()) co_return;
    auto& pacer = account_.pacer();
    Letter* const first = next_letter();
    const auto slot = co_await pacer.reserve(first->tokens, latest());
    // The provider may have stalled while the slot was waited for.
    if (!slot || !may_begin() || account_.breaker().room(clock_.moment()) < first->count) {
        waiting_.push_front(first);
        co_return;
    }
    seat(*first, *slot, wave);
    const auto until = std::max(*slot, clock_.moment()) + Pacer::ahead;
    while (wave.size() < permits && !waiting_.empty() &&
           account_.breaker().room(clock_.moment()) > 0) {
        Letter* const letter = next_letter();
        const auto next = pacer.reserve_now(letter->tokens, until);
        if (!next) {
            waiting_.push_front(letter);
            break;
        }
        seat(*letter, *next, wave);
    }
}

/// The next letter, or as much of it as an account that is not proven may be asked for.
Letter* Flight::next_letter() {
    Letter* letter = waiting_.front();
    waiting_.pop_front();
    const auto& breaker = account_.breaker();
    const auto room = std::max<std::size_t>(1, breaker.room(clock_.moment()));
    if (letter->count > room) {
        // Another part each time: somebody who always fails does not keep the account shut.
        const auto count = static_cast<std::uint32_t>(room);
        const auto pieces = (letter->count + count - 1) / count;
        const auto at = std::min(breaker.probes() % pieces * count, letter->count - count);
        const auto end = at + count;
        if (end < letter->count) waiting_.push_front(part_of(*letter, end, letter->count - end));
        if (at > 0) waiting_.push_front(part_of(*letter, 0, at));
        letter = part_of(*letter, at, count);
    }
    if (!letter->is_composed) compose(*letter);
    return letter;
}

void Flight::seat(Letter& letter, Moment slot, Wave& wave) {
    letter.era = account_.breaker().begin(letter.count, clock_.moment());
    count_begun(letter, 1);
    wave.push_back({&letter, slot});
}

asio::awaitable<void> Flight::mark(const Wave& wave) {
    auto entry = mark_of(work_, begun_, open_to_);
    entry.account = account_.settings().name;
    const auto marked = co_await mark_(std::move(entry));
    if (marked == Marked::ours && !ended_) {
        marked_.insert(marked_.end(), wave.begin(), wave.end());
        co_return;
    }
    ended_ = true;
    if (marked == Marked::lost) work_.lost = true;
    if (marked == Marked::cancelled) work_.chunk.job_cancelled = true;
    if (marked == Marked::paused) work_.paused = true;
    for (const auto& seat : wave) leave(*seat.letter);
    leave_rest();
}

/// It had a permit, and is not begun after all.
void Flight::leave(Letter& letter) {
    count_begun(letter, -1);
    account_.breaker().taken_back(letter.era, letter.count);
    account_.boarding().give_back();
    untried_.push_back(&letter);
}

void Flight::leave_rest() {
    untried_.insert(untried_.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
}

asio::awaitable<void> Flight::depart() {
    const Seat seat = marked_.front();
    marked_.pop_front();
    const bool kept = co_await account_.pacer().keep(seat.slot, seat.letter->tokens, latest());
    if (kept && may_begin()) {
        begin(*seat.letter);
    } else {
        leave(*seat.letter);
    }
}

void Flight::count_begun(const Letter& letter, int change) {
    const auto& targets = work_.letters.groups[letter.group]->targets;
    for (std::uint32_t i = 0; i < letter.count; ++i) {
        auto& count = begun_[targets[letter.first + i]->recipient];
        count = static_cast<std::uint16_t>(count + change);
    }
}

void Flight::keep_open() {
    for (const Letter* const letter : untried_) {
        const auto& targets = work_.letters.groups[letter->group]->targets;
        for (std::uint32_t i = 0; i < letter->count; ++i) {
            auto& fate = work_.resolved.fates[targets[letter->first + i]->recipient];
            // Another device may have been refused or dropped; this one may still tell them.
            if (fate.outcome != Outcome::pending)
                fate = merge(fate, {Outcome::retry, Reason::not_sent});
        }
    }
}

Moment Flight::latest() const {
    return work_.lease_ends - account_.settings().timeout - lease_margin;
}

bool Flight::may_begin() const {
    const auto& expires = work_.job ? work_.job->job.expires_at : std::nullopt;
    if (expires && *expires <= clock_.now()) return false;  // Too late to be true.
    if (ended_ || work_.account_refused || work_.throttled_for.count() > 0) return false;
    return !account_.is_shut() && !work_.is_held_back() && clock_.moment() < latest();
}

void Flight::begin(Letter& letter) {
    ++open_;
    work_.begun = true;
    account_.breaker().departed(clock_.moment());
    account_.count_used(letter.tokens);
    account_.http().start(letter.request, [this, &letter](HttpAnswer answer) {
        --open_;
        account_.permits().give_back();
        landed(letter, answer);
        account_.boarding().look_again();
        changed_.notify();
    });
}

Letter* Flight::part_of(const Letter& letter, std::uint32_t first, std::uint32_t count) {
    auto& part = parts_.emplace_back();
    part.group = letter.group;
    part.first = letter.first + first;
    part.count = count;
    part.tokens = std::min(letter.tokens, count);
    part.is_composed = false;
    return &part;
}

void Flight::compose(Letter& letter) const {
    compose_letter(*work_.job, work_.chunk.key, *work_.provider,
                   *work_.letters.groups[letter.group], letter);
    letter.is_composed = true;
}

}  // namespace fanfare
