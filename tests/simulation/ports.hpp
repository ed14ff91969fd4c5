#pragma once

#include "core/clock/timer.hpp"
#include "tests/simulation/chaos.hpp"
#include "tests/simulation/store_model.hpp"
#include "worker/send/chunk_store.hpp"
#include "worker/send/contact_source.hpp"
#include "worker/send/dead_addresses.hpp"
#include "worker/send/job_store.hpp"
#include "worker/send/rate_bucket.hpp"
#include "worker/sweep/sweep_store.hpp"

#include <memory>
#include <string>
#include <utility>

namespace fanfare::simulation {

/// The way of one worker to the ledger: every question takes its time, and it or its answer may be
/// lost, so that what was asked for was done and nobody knows.
struct Wire {
    Dice& dice;
    const Odds& odds;

    template <class Work>
    [[nodiscard]] auto ask(Work work) const -> boost::asio::awaitable<Result<decltype(work())>> {
        const auto there = dice.between(0, 8);
        co_await pause_for(there);
        if (dice.hits(odds.lost_question)) co_return fail(Errc::store_unavailable, "ask");
        Result<decltype(work())> value{work()};
        const auto back = dice.between(0, 8);
        co_await pause_for(back);
        if (dice.hits(odds.lost_answer)) co_return fail(Errc::commit_in_doubt, "hear the answer");
        co_return value;
    }
};

/// Everything that the send stage and the sweeper ask, on a StoreModel.
class ModelPorts final : public ChunkStore, public RateBucket {
public:
    ModelPorts(StoreModel& store, const Wire& wire) : store_{store}, wire_{wire} {}

    Answer<std::vector<ledger::ClaimedChunk>> claim(std::span<const ledger::ClaimRequest> requests,
                                                    std::chrono::milliseconds lease,
                                                    std::int64_t token) override {
        return wire_.ask([=, this] { return store_.claim(requests, lease, token); });
    }
    Answer<WrittenChunks> mark(std::span<const ledger::ChunkMark> marks) override {
        return wire_.ask([=, this] { return WrittenChunks{store_.mark(marks), {}}; });
    }
    Answer<WrittenChunks> record(std::span<const ledger::ChunkRecord> records) override {
        return wire_.ask([=, this] { return WrittenChunks{store_.record(records), {}}; });
    }
    Answer<bool> split(const ledger::ChunkClaim&, ledger::ChunkPeople&,
                       std::span<const ledger::Split>) override {
        return wire_.ask([] { return false; });  // Nobody sleeps here.
    }
    Answer<bool> is_cancelled(const std::string&) override {
        return wire_.ask([] { return false; });
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
    StoreModel& store_;
    Wire wire_;
};

/// Everybody has one device, whose address is their name.
class ModelPeople final : public ContactSource, public JobStore, public DeadAddresses {
public:
    ModelPeople(const Wire& wire, Context job) : wire_{wire}, job_{std::move(job)} {}

    boost::asio::awaitable<Result<ContactsRead>> load(const Claim&,
                                                      const ledger::ChunkPeople& people,
                                                      Resolved& resolved) override {
        return wire_.ask([&people, &resolved] {
            const auto count = people.outcomes.size();
            resolved.clear(count);
            resolved.fates.assign(count, {});
            resolved.exclusions.assign(count, Exclusion::none);
            for (std::uint32_t i = 0; i < count; ++i) {
                if (is_final(static_cast<Outcome>(people.outcomes[i]))) continue;
                const auto name = people.recipients.elements[i];
                resolved.targets.push_back({i, 0, name, name});
            }
            return ContactsRead::whole;
        });
    }
    boost::asio::awaitable<Result<void>> suppress(const Claim&, const ledger::ChunkPeople&,
                                                  Resolved&,
                                                  const std::function<void()>& compose) override {
        const auto asked = co_await wire_.ask([&compose] {
            compose();
            return true;
        });
        if (!asked) co_return asked.error();
        co_return Result<void>{};
    }
    boost::asio::awaitable<Result<Context>> load(const std::string&) override {
        return wire_.ask([this] { return job_; });
    }
    boost::asio::awaitable<void> suppress(const Claim&, Pass&) override { co_return; }

private:
    Wire wire_;
    Context job_;
};

/// What the sweeper sees; plans and receipts there are none.
class ModelSweep final : public SweepStore {
public:
    ModelSweep(StoreModel& store, const Wire& wire, std::shared_ptr<const JobContext> job)
        : store_{store}, wire_{wire}, job_{std::move(job)} {}

    Answer<bool> has_work() override {
        return wire_.ask([] { return true; });
    }
    Answer<std::vector<ledger::ClaimedChunk>> take_over(int limit,
                                                        std::chrono::milliseconds lease) override {
        return wire_.ask(
            [=, this] { return store_.take_over(static_cast<std::size_t>(limit), lease); });
    }
    Answer<std::vector<ledger::ClaimedChunk>> claim_ended(int, std::chrono::milliseconds) override {
        return wire_.ask([] { return std::vector<ledger::ClaimedChunk>{}; });
    }
    Answer<SweptJob> job(const std::string&) override {
        return wire_.ask([this] { return SweptJob{{}, job_}; });
    }
    Answer<std::vector<ledger::Overdue>> take_overdue(std::span<const ledger::Room> rooms,
                                                      std::chrono::milliseconds again) override {
        return wire_.ask([=, this] { return store_.take_overdue(rooms, again); });
    }
    Answer<std::vector<ledger::UnplannedJob>> unplanned(int) override {
        return wire_.ask([] { return std::vector<ledger::UnplannedJob>{}; });
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
    std::shared_ptr<const JobContext> job_;
};

}  // namespace fanfare::simulation
