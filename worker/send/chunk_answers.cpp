// What the answers to the requests of a chunk make of its people.
#include "worker/send/chunk_send.hpp"

#include "core/observe/log.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace fanfare {
namespace {

constexpr std::chrono::milliseconds throttle_default{1'000};

std::int64_t unix_seconds(TimePoint now) {
    return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
}

}  // namespace

void ChunkSend::on_answer(ComposedRequest& composed, const HttpAnswer& answer) {
    auto verdict = pass_.provider->read(answer, composed.count, unix_seconds(parts_.clock.now()));
    if (verdict.verdict == Verdict::ok) account_.sender_refusals().taken();
    if (!verdict.of_us.empty()) {
        const auto& address =
            pass_.requests.groups[composed.group]->targets[composed.first]->address;
        account_.sender_refusals().weigh(verdict, address, parts_.clock.steady_now());
    }
    account_.probe().answered(verdict.verdict, composed.count, answer.elapsed);
    account_.answered(verdict, composed.count, composed.era, answer.elapsed);
    parts_.span.tell_request(account_.settings(), composed.count, answer, verdict);
    count_begun(composed, -1);
    if (verdict.fewer_requests) account_.permits().shrink();
    if (verdict.verdict != Verdict::ok) {
        const LogTrace about{claim_.job->trace};
        spdlog::debug("account {} chunk {}/{}: {}", account_.settings().name, claim_.key.job,
                      claim_.key.number, verdict.detail);
    }
    if (verdict.renew_credential && !renewed_) {
        if (stale_.empty()) pass_.provider->renew(answer);
        stale_.push_back(&composed);
    } else if (verdict.split && composed.count > 1) {
        split(composed);
    } else if (verdict.resend_rest && !verdict.exceptions.empty()) {
        send_rest(composed, std::move(verdict));
    } else {
        apply(composed, std::move(verdict));
    }
}

void ChunkSend::split(const ComposedRequest& composed) {
    // The provider refused the whole call because of one unnamed recipient: halving finds it.
    const auto half = composed.count / 2;
    waiting_.push_back(find_part(composed, 0, half));
    waiting_.push_back(find_part(composed, half, composed.count - half));
}

/// The provider named who was to blame and sent nothing: the others go again without them.
void ChunkSend::send_rest(const ComposedRequest& composed, BatchAnswer answer) {
    auto& from = *pass_.requests.groups[composed.group];
    auto rest = std::make_unique<ComposedRequests::Group>();
    rest->content = from.content;
    auto exception = answer.exceptions.begin();
    for (std::uint32_t i = 0; i < composed.count; ++i) {
        if (exception != answer.exceptions.end() && exception->index == i) {
            apply_one(composed, i, exception->verdict, exception->reason,
                      std::move(exception->provider_id));
            ++exception;
            continue;
        }
        rest->messages.push_back(from.messages[composed.first + i]);
        rest->targets.push_back(from.targets[composed.first + i]);
    }
    if (rest->messages.empty()) return;
    auto& part = pieces_.emplace_back();
    part.group = static_cast<std::uint32_t>(pass_.requests.groups.size());
    part.count = static_cast<std::uint32_t>(rest->messages.size());
    part.tokens = std::min(composed.tokens, part.count);
    part.is_composed = false;
    pass_.requests.groups.push_back(std::move(rest));
    waiting_.push_back(&part);
}

void ChunkSend::apply(const ComposedRequest& composed, BatchAnswer answer) {
    if (answer.verdict == Verdict::throttle && answer.recipient_only) {
        pass_.recipients_wait =
            std::max({pass_.recipients_wait, answer.retry_after, throttle_default});
    } else if (answer.verdict == Verdict::throttle) {
        const auto wait = std::max(answer.retry_after, throttle_default);
        pass_.throttled_for = std::max(pass_.throttled_for, wait);
        account_.pacer().hold(wait);  // The others here hear it at once.
    }
    if (answer.verdict == Verdict::config) pass_.refusal = answer.detail;
    auto exception = answer.exceptions.begin();
    for (std::uint32_t i = 0; i < composed.count; ++i) {
        if (exception != answer.exceptions.end() && exception->index == i) {
            apply_one(composed, i, exception->verdict, exception->reason,
                      std::move(exception->provider_id));
            ++exception;
        } else {
            const bool is_last = i + 1 == composed.count;  // Most often the only one: no copy.
            apply_one(composed, i, answer.verdict, answer.reason,
                      is_last ? std::move(answer.provider_id) : answer.provider_id);
        }
    }
}

void ChunkSend::apply_one(const ComposedRequest& composed, std::uint32_t index, Verdict verdict,
                          Reason reason, std::string provider_id) {
    const auto& group = *pass_.requests.groups[composed.group];
    const Target& target = *group.targets[composed.first + index];
    const Attempt attempt{.on_doubt = claim_.on_doubt,
                          .attempts_used = people_.attempts[target.recipient] + 1,
                          .attempts_max = claim_.attempts_max};
    const auto fate = to_fate(verdict, reason, attempt);
    const auto place = static_cast<std::size_t>(&target - pass_.resolved.targets.data());
    if (place < pass_.target_fates.size()) pass_.target_fates[place] = fate;
    auto& known = pass_.resolved.fates[target.recipient];
    known = merge(known, fate);
    --devices_.open_to[target.recipient];
    if (costs_attempt(verdict)) pass_.spent.push_back(target.recipient);
    if (verdict == Verdict::suppress) {
        const bool opted_out = reason == Reason::consent_withdrawn;
        std::string why{opted_out ? "unsubscribed" : to_string(Reason::address_invalid)};
        people_.suppressions.push_back({std::string{target.address}, std::move(why)});
        if (!opted_out) pass_.dead.emplace_back(target.written);
    }
    if (fate.outcome == Outcome::sent && !provider_id.empty()) {
        auto& ids = people_.provider_ids;
        if (ids.empty()) ids.resize(people_.outcomes.size());
        ids[target.recipient] = std::move(provider_id);
    }
}

}  // namespace fanfare
