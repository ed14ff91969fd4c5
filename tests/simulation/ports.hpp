#pragma once

#include "core/clock/timer.hpp"
#include "core/ledger/clock.hpp"
#include "tests/simulation/provider_model.hpp"
#include "worker/send/chunk_store.hpp"
#include "worker/send/contact_source.hpp"
#include "worker/send/dead_addresses.hpp"
#include "worker/send/job_store.hpp"
#include "worker/send/rate_bucket.hpp"
#include "worker/sweep/ledger_time.hpp"
#include "worker/sweep/sweep_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace fanfare::simulation {

using JobContextsById = std::map<std::string, std::shared_ptr<const JobContext>>;

/// The way of one worker to the ledger: every question takes its time, and it or its answer may be
/// lost, so that what was asked for was done and nobody knows.
struct Wire {
    Dice& dice;
    const Odds& odds;
    const StoreModel& store;

    template <class Work>
    [[nodiscard]] auto ask(Work work) const -> boost::asio::awaitable<Result<decltype(work())>> {
        auto there = dice.between(0, 8);
        if (dice.hits(odds.slow_query)) there += dice.between(500, 8'000);
        co_await pause_for(there);
        if (store.is_away()) {
            const auto tries = dice.between(50, 1'000);
            co_await pause_for(tries);
            co_return fail(Errc::store_unavailable, "reach the ledger");
        }
        if (dice.hits(odds.lost_question)) co_return fail(Errc::store_unavailable, "ask");
        Result<decltype(work())> value{work()};
        // Somebody may die behind each fourth one, before the answer comes.
        auto back = dice.hits(250) ? dice.between(0, 8) : std::chrono::milliseconds{};
        if (dice.hits(odds.slow_query)) back += dice.between(500, 8'000);
        if (back.count() > 0) co_await pause_for(back);
        if (dice.hits(odds.lost_answer) || store.is_away())
            co_return fail(Errc::commit_in_doubt, "hear the answer");
        co_return value;
    }
};

/// Everything that the send stage asks of the ledger, on a StoreModel.
class ModelPorts final : public ChunkStore, public RateBucket {
public:
    /// `time`: the ledger's, as the worker knows it.
    ModelPorts(StoreModel& store, const Wire& wire, const Clock& time)
        : store_{store}, wire_{wire}, time_{time} {}

    Answer<std::vector<ledger::ClaimedChunk>> claim(std::span<const ledger::ClaimRequest> requests,
                                                    std::chrono::milliseconds lease,
                                                    std::int64_t token) override {
        return wire_.ask([=, this] { return store_.claim(requests, lease, token, time_.now()); });
    }
    Answer<WrittenChunks> mark(std::span<const ledger::ChunkMark> marks) override {
        if (store_.plant() == Plant::mark_after_begin) return mark_later(marks);
        return wire_.ask([=, this] { return WrittenChunks{store_.mark(marks), {}}; });
    }
    Answer<WrittenChunks> record(std::span<const ledger::ChunkRecord> records) override {
        return wire_.ask([=, this] { return WrittenChunks{store_.record(records), {}}; });
    }
    Answer<bool> split(const ledger::ChunkClaim& claim, ledger::ChunkPeople& people,
                       std::span<const ledger::Split> splits) override {
        // After a lost answer the worker has everybody still.
        ledger::ChunkPeople changed;
        copy(people, changed);
        // Not const: boost's result of a bool is made of a constant one by whether that has a
        // value.
        auto done = co_await wire_.ask(
            [this, &claim, &changed, splits] { return store_.split(claim, changed, splits); });
        if (done && done.value()) copy(changed, people);
        co_return done;
    }
    Answer<bool> is_cancelled(const std::string& job) override {
        return wire_.ask([this, &job] { return store_.is_cancelled(job); });
    }
    boost::asio::awaitable<Result<ledger::Slice>> lease(const std::string& account,
                                                        double per_second,
                                                        std::uint32_t tokens) override {
        return wire_.ask([=, this, &account] {
            return ledger::Slice{store_.lease_rate(account, per_second, tokens), tokens};
        });
    }
    boost::asio::awaitable<Result<std::chrono::microseconds>> block(
        const std::string& account, std::chrono::milliseconds wait) override {
        return wire_.ask([=, this, &account] {
            store_.block(account, wait);
            return std::chrono::microseconds{wait};
        });
    }

private:
    /// Planted: what is to be written waits for the next mark, and the answer does not.
    Answer<WrittenChunks> mark_later(std::span<const ledger::ChunkMark> marks) {
        auto before = std::move(later_);
        later_.assign(marks.begin(), marks.end());
        WrittenChunks written;
        for (const auto& mark : later_) written.keys.push_back(mark.key);
        std::ignore = store_.mark(before);
        co_return written;
    }

    StoreModel& store_;
    Wire wire_;
    const Clock& time_;
    std::vector<ledger::ChunkMark> later_;
};

/// Everybody has some devices, whose addresses are their name with a number.
class ModelPeople final : public ContactSource, public JobStore, public DeadAddresses {
public:
    struct Parts {
        const WorldPlan& plan;
        const Inbox& inbox;
        const JobContextsById& jobs;
        StoreModel& store;
    };
    ModelPeople(const Wire& wire, const Parts& parts) : wire_{wire}, parts_{parts} {}

    boost::asio::awaitable<Result<ContactsRead>> load(const Claim& claim,
                                                      const ledger::ChunkPeople& people,
                                                      Resolved& resolved) override {
        return wire_.ask([this, channel = claim.key.channel, &people, &resolved] {
            const auto count = people.outcomes.size();
            resolved.clear(count);
            resolved.fates.assign(count, {});
            resolved.exclusions.assign(count, Exclusion::none);
            for (std::uint32_t i = 0; i < count; ++i) {
                if (is_final(static_cast<Outcome>(people.outcomes[i]))) continue;
                find(channel, people, i, resolved);
            }
            return ContactsRead::whole;
        });
    }
    boost::asio::awaitable<Result<void>> suppress(const Claim& claim,
                                                  const ledger::ChunkPeople& people,
                                                  Resolved& resolved,
                                                  const std::function<void()>& compose) override {
        const auto asked = co_await wire_.ask([this, &claim, &people, &resolved, &compose] {
            drop_those_who_left(people, resolved);
            if (claim.job->kind->at_most) drop_those_told_enough(claim, people, resolved);
            compose();
            return true;
        });
        if (!asked) co_return asked.error();
        co_return Result<void>{};
    }
    boost::asio::awaitable<Result<Context>> load(const std::string& job) override {
        return wire_.ask([this, &job] { return parts_.jobs.at(job); });
    }
    boost::asio::awaitable<void> tell(const Claim&, std::vector<std::string>) override {
        co_return;
    }

private:
    void find(Channel channel, const ledger::ChunkPeople& people, std::uint32_t i,
              Resolved& resolved) const {
        const std::string person{people.recipients.elements[i]};
        const bool is_mail = channel == Channel::email;
        if (!is_mail && parts_.plan.turns && has_no_device(person)) {
            resolved.fates[i] = to_fate(Exclusion::no_address);
            return;
        }
        const auto nights = parts_.plan.sleepers();
        for (std::size_t device = 0; device < (is_mail ? 1 : parts_.plan.devices); ++device) {
            const auto& address =
                resolved.forms.emplace_back(is_mail ? mail_of(person) : device_of(person, device));
            auto& target = resolved.targets.emplace_back();
            target.recipient = i;
            target.address = target.written = address;
            if (parts_.plan.plant != Plant::zones_lost) {
                target.time_zone = nights.zone_of(person, device);
            }
        }
    }
    void drop_those_told_enough(const Claim& claim, const ledger::ChunkPeople& people,
                                Resolved& resolved) const {
        std::vector<std::string> asked;
        for (const auto& target : resolved.targets) {
            asked.emplace_back(people.recipients.elements[target.recipient]);
        }
        const auto at_most = static_cast<std::size_t>(claim.job->kind->at_most->count);
        const auto over =
            parts_.store.take_places(claim.job->origin, claim.key.channel, claim, at_most, asked);
        std::erase_if(resolved.targets, [&](const Target& target) {
            const std::string person{people.recipients.elements[target.recipient]};
            if (std::find(over.begin(), over.end(), person) == over.end()) return false;
            auto& fate = resolved.fates[target.recipient];
            fate = merge(fate, to_fate(Exclusion::too_often));
            return true;
        });
    }
    void drop_those_who_left(const ledger::ChunkPeople& people, Resolved& resolved) const {
        if (parts_.plan.plant == Plant::stale_contacts) return;
        std::erase_if(resolved.targets, [&](const Target& target) {
            const std::string person{people.recipients.elements[target.recipient]};
            if (!parts_.inbox.has_left(person)) return false;
            auto& fate = resolved.fates[target.recipient];
            fate = merge(fate, {Outcome::opted_out, Reason::consent_withdrawn});
            return true;
        });
    }

    Wire wire_;
    Parts parts_;
};

/// What time it is in the ledger.
class ModelTime final : public LedgerTime {
public:
    ModelTime(StoreModel& store, const Wire& wire, const Clock& own)
        : store_{store}, wire_{wire}, own_{own} {}

    Answer<ledger::ClockReading> read() override {
        const auto asked = own_.steady_now();
        const auto theirs = co_await wire_.ask([this] { return store_.calendar_now(); });
        if (!theirs) co_return theirs.error();
        co_return ledger::ClockReading{theirs.value(), asked, own_.steady_now()};
    }
    Answer<std::size_t> mend(std::chrono::milliseconds lease,
                             std::chrono::milliseconds republish_after,
                             TimePoint believed) override {
        return wire_.ask([=, this] { return store_.mend(lease, republish_after, believed); });
    }

private:
    StoreModel& store_;
    Wire wire_;
    const Clock& own_;
};

/// What the sweeper sees.
class ModelSweep final : public SweepStore {
public:
    struct Parts {
        StoreModel& store;
        const JobContextsById& jobs;
        ledger::LedgerClock& time;
        bool asks_the_time = false;
    };
    ModelSweep(const Wire& wire, const Parts& parts)
        : store_{parts.store}, wire_{wire}, jobs_{parts.jobs}, parts_{parts} {}

    Answer<bool> has_work() override {
        return wire_.ask([this] { return !store_.is_settled(); });
    }
    Answer<std::vector<ledger::ClaimedChunk>> take_over(int limit,
                                                        std::chrono::milliseconds lease) override {
        return wire_.ask([=, this] {
            return store_.take_over(static_cast<std::size_t>(limit), lease, parts_.time.now());
        });
    }
    Answer<std::vector<ledger::ClaimedChunk>> claim_ended(
        int limit, std::chrono::milliseconds lease) override {
        return wire_.ask([=, this] {
            if (!knows_the_time()) return std::vector<ledger::ClaimedChunk>{};
            return store_.claim_ended(static_cast<std::size_t>(limit), lease);
        });
    }
    Answer<SweptJob> job(const std::string& id) override {
        return wire_.ask([this, &id] { return SweptJob{{}, jobs_.at(id)}; });
    }
    Answer<std::vector<ledger::Overdue>> take_overdue(std::span<const ledger::Room> rooms,
                                                      std::chrono::milliseconds again) override {
        return wire_.ask([=, this] { return store_.take_overdue(rooms, again); });
    }
    Answer<std::vector<ledger::UnplannedJob>> unplanned(int) override {
        return wire_.ask([this] {
            std::vector<ledger::UnplannedJob> jobs;
            for (auto& id : store_.unplanned()) jobs.push_back({std::move(id), Lane::normal});
            return jobs;
        });
    }
    Answer<std::vector<ledger::EndedJob>> close_jobs() override {
        return wire_.ask([] { return std::vector<ledger::EndedJob>{}; });
    }
    Answer<void> read_suppressions(int) override {
        const auto asked = co_await wire_.ask([] { return true; });
        if (!asked) co_return asked.error();
        co_return Result<void>{};
    }

private:
    [[nodiscard]] bool knows_the_time() {
        if (!parts_.asks_the_time || store_.plant() == Plant::ended_by_any_clock) return true;
        const auto asked = parts_.time.steady_now();
        parts_.time.learn({store_.calendar_now(), asked, asked});
        return parts_.time.is_steady();
    }

    StoreModel& store_;
    Wire wire_;
    const JobContextsById& jobs_;
    Parts parts_;
};

}  // namespace fanfare::simulation
