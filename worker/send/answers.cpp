// What the answers to the requests of a chunk make of its people.
#include "worker/send/flight.hpp"

#include "core/observe/log.hpp"
#include "worker/send/spans.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace fanfare {
namespace {

constexpr std::chrono::milliseconds throttle_default{1'000};

std::int64_t unix_seconds(TimePoint now) {
    return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
}

}  // namespace

void Flight::landed(Letter& letter, const HttpAnswer& answer) {
    auto verdict = work_.provider->read(answer, letter.count, unix_seconds(clock_.now()));
    if (verdict.verdict == Verdict::ok) account_.sender_refusals().taken();
    if (!verdict.of_us.empty()) {
        const auto& address = work_.letters.groups[letter.group]->targets[letter.first]->address;
        account_.sender_refusals().weigh(verdict, address, clock_.moment());
    }
    account_.probe().answered(verdict.verdict, letter.count, answer.elapsed);
    account_.answered(verdict, letter.count, letter.era, answer.elapsed);
    if (work_.span) {
        tell_request(work_, account_.settings(), letter.count, answer, verdict, clock_.now());
    }
    count_begun(letter, -1);
    if (verdict.fewer_requests) account_.permits().shrink();
    if (verdict.verdict != Verdict::ok) {
        const LogTrace about{work_.job ? work_.job->trace : std::string_view{}};
        spdlog::debug("account {} chunk {}/{}: {}", account_.settings().name, work_.chunk.key.job,
                      work_.chunk.key.number, verdict.detail);
    }
    if (verdict.renew_credential && !renewed_) {
        if (stale_.empty()) work_.provider->renew(answer);
        stale_.push_back(&letter);
    } else if (verdict.split && letter.count > 1) {
        split(letter);
    } else if (verdict.resend_rest && !verdict.exceptions.empty()) {
        send_rest(letter, verdict);
    } else {
        apply(letter, verdict);
    }
}

void Flight::split(const Letter& letter) {
    // The provider refused the whole call because of one unnamed recipient: halving finds it.
    const auto half = letter.count / 2;
    waiting_.push_back(part_of(letter, 0, half));
    waiting_.push_back(part_of(letter, half, letter.count - half));
}

/// The provider named who was to blame and sent nothing: the others go again without them.
void Flight::send_rest(const Letter& letter, const BatchAnswer& answer) {
    auto& from = *work_.letters.groups[letter.group];
    auto rest = std::make_unique<Letters::Group>();
    rest->content = from.content;
    auto exception = answer.exceptions.begin();
    for (std::uint32_t i = 0; i < letter.count; ++i) {
        if (exception != answer.exceptions.end() && exception->index == i) {
            apply_one(letter, i, exception->verdict, exception->reason, exception->provider_id);
            ++exception;
            continue;
        }
        rest->messages.push_back(from.messages[letter.first + i]);
        rest->targets.push_back(from.targets[letter.first + i]);
    }
    if (rest->messages.empty()) return;
    auto& part = parts_.emplace_back();
    part.group = static_cast<std::uint32_t>(work_.letters.groups.size());
    part.count = static_cast<std::uint32_t>(rest->messages.size());
    part.tokens = std::min(letter.tokens, part.count);
    part.is_composed = false;
    work_.letters.groups.push_back(std::move(rest));
    waiting_.push_back(&part);
}

void Flight::apply(const Letter& letter, const BatchAnswer& answer) {
    if (answer.verdict == Verdict::throttle && answer.recipient_only) {
        work_.recipients_wait =
            std::max({work_.recipients_wait, answer.retry_after, throttle_default});
    } else if (answer.verdict == Verdict::throttle) {
        work_.throttled_for = std::max({work_.throttled_for, answer.retry_after, throttle_default});
    }
    if (answer.verdict == Verdict::config) {
        work_.account_refused = true;
        work_.refusal = answer.detail;
    }
    auto exception = answer.exceptions.begin();
    for (std::uint32_t i = 0; i < letter.count; ++i) {
        if (exception != answer.exceptions.end() && exception->index == i) {
            apply_one(letter, i, exception->verdict, exception->reason, exception->provider_id);
            ++exception;
        } else {
            apply_one(letter, i, answer.verdict, answer.reason, answer.provider_id);
        }
    }
}

void Flight::apply_one(const Letter& letter, std::uint32_t index, Verdict verdict, Reason reason,
                       const std::string& provider_id) {
    const auto& group = *work_.letters.groups[letter.group];
    const Target& target = *group.targets[letter.first + index];
    const Situation situation{.on_doubt = work_.chunk.on_doubt,
                              .attempts_used = work_.chunk.attempts[target.recipient] + 1,
                              .attempts_max = work_.attempts_max};
    const auto fate = fate_of(verdict, reason, situation);
    const auto place = static_cast<std::size_t>(&target - work_.resolved.targets.data());
    if (place < work_.target_fates.size()) work_.target_fates[place] = fate;
    auto& known = work_.resolved.fates[target.recipient];
    known = merge(known, fate);
    --open_to_[target.recipient];
    if (costs_attempt(verdict)) work_.spent.push_back(target.recipient);
    if (verdict == Verdict::suppress) {
        const bool opted_out = reason == Reason::consent_withdrawn;
        (opted_out ? work_.opted_out : work_.dead).emplace_back(target.address);
        if (!opted_out) work_.dead_as_written.emplace_back(target.written);
    }
    if (fate.outcome == Outcome::sent && !provider_id.empty()) {
        auto& ids = work_.chunk.provider_ids;
        if (ids.empty()) ids.resize(work_.chunk.outcomes.size());
        ids[target.recipient] = provider_id;
    }
}

}  // namespace fanfare
