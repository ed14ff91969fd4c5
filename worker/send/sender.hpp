#pragma once

#include "core/settings/settings.hpp"
#include "worker/probes/probes.hpp"
#include "worker/send/account_selector.hpp"
#include "worker/send/chunk_batcher.hpp"
#include "worker/send/chunk_send.hpp"
#include "worker/send/dispatcher.hpp"
#include "worker/send/prepare.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace fanfare {

/// The send stage: takes chunks one by one through claim, resolve, render, send and record.
///
///   next -> ready (rate) -> claim -> contacts -> suppressions -> requests -> waves -> record
///
/// Nothing is claimed before it could be sent at once; nothing is recorded that was not
/// known; a chunk that is not finished in time is left to its lease.
///
/// Bounds    chunks_in_flight_max a channel, and two more for urgent chunks only.
/// Stop      stop the dispatcher, call stop(), then await the lanes.
/// Threads   one serial executor; databases and rendering on the pools' threads.
/// Lifetime  everything in Parts outlives the lanes.
class Sender {
public:
    struct Parts {
        boost::asio::any_io_executor executor;
        Dispatcher& dispatcher;
        ChunkBatcher& batcher;
        JobContexts& job_contexts;
        postgres::Pool& ledger;
        AccountSelector& selector;
        const Pauses& pauses;
        const References& references;
        const Clock& clock;
        WorkerProbe& probe;
        std::function<double()> jitter;                        // Uniform in [0, 1).
        std::function<void(const kafka::Received&)> finished;  // The record needs nothing more.
        Tracer* tracer = nullptr;                              // Null: nobody wants spans.
    };

    Sender(Parts parts, const WorkerSettings& settings)
        : parts_{std::move(parts)},
          settings_{settings},
          preparation_{{parts_.ledger, parts_.references, parts_.clock, parts_.jitter}, settings},
          marker_{[this](ledger::ChunkMark mark) { return parts_.batcher.mark(std::move(mark)); }} {
    }

    /// Serves one chunk of the channel after another until the dispatcher stops.
    [[nodiscard]] boost::asio::awaitable<void> run_lane(Channel channel, bool urgent_only);

    /// No more tries in place; what is in flight finishes.
    void stop() { stopping_ = true; }

private:
    [[nodiscard]] boost::asio::awaitable<void> serve(const ledger::ChunkKey& key);
    [[nodiscard]] boost::asio::awaitable<Account*> account_for(Channel channel);
    void trace(ChunkInProgress& work) const;
    [[nodiscard]] boost::asio::awaitable<void> send(ChunkInProgress& work, Account* account);
    [[nodiscard]] boost::asio::awaitable<void> wait_without_context(ChunkInProgress& work,
                                                                    const Failure& failure);
    [[nodiscard]] boost::asio::awaitable<std::int32_t> run(ChunkInProgress& work, Account& account);
    [[nodiscard]] boost::asio::awaitable<Account*> other_account(const ChunkInProgress& work,
                                                                 Account* account);
    [[nodiscard]] boost::asio::awaitable<void> put_back(ChunkInProgress& work,
                                                        const Account* account,
                                                        std::chrono::milliseconds next_in,
                                                        bool failed);
    void end_if_over(ChunkInProgress& work) const;
    [[nodiscard]] boost::asio::awaitable<void> look_for_cancel(ChunkInProgress& work);
    [[nodiscard]] std::chrono::milliseconds wait_of(ChunkInProgress& work, const Account& account,
                                                    std::int32_t attempts, std::int32_t passes);
    [[nodiscard]] boost::asio::awaitable<void> suppress_dead(ChunkInProgress& work);
    [[nodiscard]] boost::asio::awaitable<void> write_back(const JobContext& job, Channel channel,
                                                          std::vector<std::string> addresses);
    [[nodiscard]] boost::asio::awaitable<void> record(ChunkInProgress& work, const Account* account,
                                                      std::chrono::milliseconds next_in);
    [[nodiscard]] boost::asio::awaitable<Result<std::shared_ptr<const JobContext>>> context_of(
        const std::string& job);

    Parts parts_;
    const WorkerSettings& settings_;
    Preparation preparation_;
    Marker marker_;
    std::unordered_map<std::string, std::shared_ptr<const JobContext>> contexts_;
    std::size_t contexts_bytes_ = 0;
    bool stopping_ = false;
};

}  // namespace fanfare
