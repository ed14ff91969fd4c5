#include "worker/send/prepare.hpp"

#include "core/observe/log.hpp"
#include "worker/send/quiet.hpp"
#include "worker/send/settle.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>

namespace fanfare {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::milliseconds away_first{1'000};
constexpr std::chrono::milliseconds away_max{30'000};

/// "job j chunk email/3", for a line of the log.
std::string name_chunk(const Claim& claim) {
    return fmt::format("job {} chunk {}/{}", claim.key.job, to_string(claim.key.channel),
                       claim.key.number);
}

void tell_query_fails(const Claim& claim, const Failure& failure) {
    const LogTrace about{claim.job->trace};
    spdlog::error("{}: {} ({} in a row)", name_chunk(claim), describe(failure), claim.failures + 1);
}

void tell_culprits(const Claim& claim, const Pass& pass) {
    const auto culprits =
        std::count_if(pass.resolved.fates.begin(), pass.resolved.fates.end(),
                      [](const Fate& fate) { return fate.reason == Reason::recipient_invalid; });
    if (culprits == 0) return;
    const LogTrace about{claim.job->trace};
    spdlog::warn("{}: the contact query raises an error at {} people", name_chunk(claim), culprits);
}

/// Who of the sleepers leaves the chunk: nobody once somebody was tried, otherwise all but those
/// who wake first where everybody sleeps. The others wait in it.
std::vector<ledger::Split> who_leaves(const Recipients& recipients, Pass& pass,
                                      std::vector<ledger::Split> sleepers) {
    std::size_t people = 0;
    for (const auto& split : sleepers) people += split.positions.size();
    const bool untouched = is_untouched(recipients);
    const bool waits_here = people == recipients.outcomes.size() || !untouched;
    if (sleepers.empty() || !waits_here) return sleepers;
    pass.quiet_until = sleepers.front().next_at;
    const auto here = static_cast<std::ptrdiff_t>(untouched ? 1 : sleepers.size());
    for (auto split = sleepers.begin(); split != sleepers.begin() + here; ++split) {
        pass.quiet.insert(pass.quiet.end(), split->positions.begin(), split->positions.end());
    }
    sleepers.erase(sleepers.begin(), sleepers.begin() + here);
    return sleepers;
}

}  // namespace

std::chrono::milliseconds Preparation::away_for(const postgres::Pool* source) const {
    const auto found = away_.find(source);
    if (found == away_.end()) return {};
    const auto left = found->second.until - parts_.clock.steady_now();
    return std::max(std::chrono::milliseconds{0},
                    std::chrono::ceil<std::chrono::milliseconds>(left));
}

/// It did not answer: nobody asks it for a while.
void Preparation::stays_away(const JobContext& job, const Failure& failure) {
    auto& absence = away_[job.source];
    absence.wait = std::clamp(absence.wait * 2, away_first, away_max);
    absence.until = parts_.clock.steady_now() + absence.wait;
    absence.is_asked = false;
    spdlog::error("system {}: {}; its chunks wait", job.system->name, describe(failure));
}

asio::awaitable<Preparation::Prepared> Preparation::load(const Claim& claim, Recipients& people,
                                                         Pass& pass) {
    const JobContext& job = *claim.job;
    if (const auto wait = away_for(job.source); wait.count() > 0) {
        co_return Prepared{Setback::system_away, wait};
    }
    if (const auto found = away_.find(job.source); found != away_.end()) {
        if (found->second.is_asked) co_return Prepared{Setback::system_away, away_first};
        found->second.is_asked = true;
    }
    auto loaded = co_await parts_.contacts.load(claim, people, pass.resolved);
    if (!loaded && is_retryable(loaded.error().code)) {
        stays_away(job, loaded.error());
        co_return Prepared{Setback::system_away, away_for(job.source)};
    }
    away_.erase(job.source);
    if (!loaded) {
        tell_query_fails(claim, loaded.error());
        co_return Prepared{Setback::query_fails, {}};
    }
    switch (loaded.value()) {
        case ContactsRead::fails:
            tell_query_fails(claim,
                             fail(Errc::store_rejected, "load contacts of anybody of the chunk"));
            co_return Prepared{Setback::query_fails, {}};
        case ContactsRead::slow:
            spdlog::error("system {}: its contact query takes too long", job.system->name);
            co_return Prepared{Setback::query_slow, {}};
        case ContactsRead::part:
            settle_pass(people, pass);
            co_return Prepared{Setback::query_partial, {}};
        case ContactsRead::whole:
            break;
    }
    tell_culprits(claim, pass);
    co_return Prepared{};
}

/// Sets those aside who are in their quiet hours, in chunks of their own where they may leave.
asio::awaitable<Preparation::Quiet> Preparation::set_aside(const Claim& claim, Recipients& people,
                                                           Pass& pass) {
    pass.quiet.clear();
    pass.quiet_until.reset();
    const auto leaving =
        who_leaves(people, pass, set_quiet_aside(*claim.job, parts_.clock.now(), pass.resolved));
    if (leaving.empty()) co_return Quiet::awake;
    auto split = co_await parts_.chunks.split(claim, people, leaving);
    if (!split) split = co_await parts_.chunks.split(claim, people, leaving);
    if (split && split.value()) co_return Quiet::left;
    const LogTrace about{claim.job->trace};
    spdlog::warn("{}: could not be split for quiet hours; it comes back", name_chunk(claim));
    co_return Quiet::lost;
}

/// Contacts of everybody who is open and awake.
asio::awaitable<Preparation::Prepared> Preparation::find_people(const Claim& claim,
                                                                Recipients& people, Pass& pass) {
    while (true) {
        auto loaded = co_await load(claim, people, pass);
        if (loaded.setback != Setback::none) co_return loaded;
        const auto quiet = co_await set_aside(claim, people, pass);
        if (quiet == Quiet::awake) co_return Prepared{};
        if (quiet == Quiet::lost) co_return Prepared{Setback::not_split, {}};
        // Positions have changed: once more for those who stayed.
    }
}

asio::awaitable<Preparation::Prepared> Preparation::compose(const Claim& claim,
                                                            const Recipients& people, Pass& pass,
                                                            Account& account) {
    const JobContext& job = *claim.job;
    pass.provider = account.provider();
    const ComposeContext context{.provider = *pass.provider,
                                 .references = parts_.references,
                                 .batch_max = account.batch_max(),
                                 .now = parts_.clock.now()};
    Result<void> composed;
    const std::function<void()> write = [&] {
        composed = compose_requests(claim, people, pass.resolved, context, pass.requests);
    };
    auto written = co_await parts_.contacts.suppress(claim, people, pass.resolved, write);
    const LogTrace about{job.trace};
    if (!written) {
        spdlog::error("job {}: {}", job.job.id, describe(written.error()));
        const bool is_away = is_retryable(written.error().code);
        co_return Prepared{is_away ? Setback::ledger_away : Setback::ledger_refuses, {}};
    }
    if (!composed) {
        // Checked when the job was planned, so a template was changed for the worse since.
        spdlog::error("job {}: {}", job.job.id, describe(composed.error()));
        co_return Prepared{Setback::not_composed, {}};
    }
    for (const auto* const target : pass.requests.too_long) {
        auto& fate = pass.resolved.fates[target->recipient];
        fate = merge(fate, {Outcome::failed, Reason::content_too_large});
    }
    co_return Prepared{};
}

asio::awaitable<Preparation::Prepared> Preparation::prepare(const Claim& claim, Recipients& people,
                                                            Pass& pass, Account& account) {
    auto found = co_await find_people(claim, people, pass);
    if (found.setback != Setback::none) co_return found;
    leave_out_served(people, pass.resolved);
    auto composed = co_await compose(claim, people, pass, account);
    co_return composed;
}

}  // namespace fanfare
