#pragma once

#include "core/clock/timer.hpp"
#include "tests/simulation/provider_model.hpp"
#include "worker/send/chunk_store.hpp"
#include "worker/send/contact_source.hpp"
#include "worker/send/dead_addresses.hpp"
#include "worker/send/job_store.hpp"
#include "worker/send/rate_bucket.hpp"
#include "worker/sweep/sweep_store.hpp"

#include <fmt/format.h>

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

    template <class Work>
    [[nodiscard]] auto ask(Work work) const -> boost::asio::awaitable<Result<decltype(work())>> {
        auto there = dice.between(0, 8);
        if (dice.hits(odds.slow_query)) there += dice.between(500, 8'000);
        co_await pause_for(there);
        if (dice.hits(odds.lost_question)) co_return fail(Errc::store_unavailable, "ask");
        Result<decltype(work())> value{work()};
        auto back = dice.between(0, 8);
        if (dice.hits(odds.slow_query)) back += dice.between(500, 8'000);
        co_await pause_for(back);
        if (dice.hits(odds.lost_answer)) co_return fail(Errc::commit_in_doubt, "hear the answer");
        co_return value;
    }
};

/// Everything that the send stage asks of the ledger, on a StoreModel.
class ModelPorts final : public ChunkStore, public RateBucket {
public:
    ModelPorts(StoreModel& store, const Wire& wire) : store_{store}, wire_{wire} {}

    Answer<std::vector<ledger::ClaimedChunk>> claim(std::span<const ledger::ClaimRequest> requests,
                                                    std::chrono::milliseconds lease,
                                                    std::int64_t token) override {
        return wire_.ask([=, this] { return store_.claim(requests, lease, token); });
    }
    Answer<WrittenChunks> mark(std::span<const ledger::ChunkMark> marks) override {
        if (store_.plant() == Plant::mark_after_begin) return mark_later(marks);
        return wire_.ask([=, this] { return WrittenChunks{store_.mark(marks), {}}; });
    }
    Answer<WrittenChunks> record(std::span<const ledger::ChunkRecord> records) override {
        return wire_.ask([=, this] { return WrittenChunks{store_.record(records), {}}; });
    }
    Answer<bool> split(const ledger::ChunkClaim&, ledger::ChunkPeople&,
                       std::span<const ledger::Split>) override {
        return wire_.ask([] { return false; });  // Nobody sleeps here.
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
    std::vector<ledger::ChunkMark> later_;
};

/// Everybody has some devices, whose addresses are their name with a number.
class ModelPeople final : public ContactSource, public JobStore, public DeadAddresses {
public:
    struct Parts {
        const WorldPlan& plan;
        const Inbox& inbox;
        const JobContextsById& jobs;
    };
    ModelPeople(const Wire& wire, const Parts& parts) : wire_{wire}, parts_{parts} {}

    boost::asio::awaitable<Result<ContactsRead>> load(const Claim&,
                                                      const ledger::ChunkPeople& people,
                                                      Resolved& resolved) override {
        return wire_.ask([this, &people, &resolved] {
            const auto count = people.outcomes.size();
            resolved.clear(count);
            resolved.fates.assign(count, {});
            resolved.exclusions.assign(count, Exclusion::none);
            for (std::uint32_t i = 0; i < count; ++i) {
                if (!is_final(static_cast<Outcome>(people.outcomes[i]))) find(people, i, resolved);
            }
            return ContactsRead::whole;
        });
    }
    boost::asio::awaitable<Result<void>> suppress(const Claim&, const ledger::ChunkPeople& people,
                                                  Resolved& resolved,
                                                  const std::function<void()>& compose) override {
        const auto asked = co_await wire_.ask([this, &people, &resolved, &compose] {
            drop_those_who_left(people, resolved);
            compose();
            return true;
        });
        if (!asked) co_return asked.error();
        co_return Result<void>{};
    }
    boost::asio::awaitable<Result<Context>> load(const std::string& job) override {
        return wire_.ask([this, &job] { return parts_.jobs.at(job); });
    }
    boost::asio::awaitable<void> suppress(const Claim&, Pass&) override { co_return; }

private:
    void find(const ledger::ChunkPeople& people, std::uint32_t i, Resolved& resolved) const {
        for (std::size_t device = 0; device < parts_.plan.devices; ++device) {
            const auto& address = resolved.forms.emplace_back(
                fmt::format("{}/{}", people.recipients.elements[i], device));
            resolved.targets.push_back({i, 0, address, address});
        }
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

/// What the sweeper sees.
class ModelSweep final : public SweepStore {
public:
    ModelSweep(StoreModel& store, const Wire& wire, const JobContextsById& jobs)
        : store_{store}, wire_{wire}, jobs_{jobs} {}

    Answer<bool> has_work() override {
        return wire_.ask([] { return true; });
    }
    Answer<std::vector<ledger::ClaimedChunk>> take_over(int limit,
                                                        std::chrono::milliseconds lease) override {
        return wire_.ask(
            [=, this] { return store_.take_over(static_cast<std::size_t>(limit), lease); });
    }
    Answer<std::vector<ledger::ClaimedChunk>> claim_ended(
        int limit, std::chrono::milliseconds lease) override {
        return wire_.ask(
            [=, this] { return store_.claim_ended(static_cast<std::size_t>(limit), lease); });
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
    StoreModel& store_;
    Wire wire_;
    const JobContextsById& jobs_;
};

}  // namespace fanfare::simulation
