#pragma once

#include "core/settings/settings.hpp"
#include "worker/probes/probes.hpp"
#include "worker/send/account_selector.hpp"
#include "worker/send/chunk_batcher.hpp"
#include "worker/send/chunk_send.hpp"
#include "worker/send/dead_addresses.hpp"
#include "worker/send/dispatcher.hpp"
#include "worker/send/known_jobs.hpp"
#include "worker/send/lane_room.hpp"
#include "worker/send/next_move.hpp"
#include "worker/send/prepare.hpp"
#include "worker/send/spare_requests.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

/// The send stage: takes chunks one by one through claim, resolve, render, send and record.
///
///   next -> ready (rate) -> claim -> contacts -> suppressions -> requests -> waves -> record
///
/// What is done next with a claimed chunk is decided by next_move(), and carried out here.
///
/// Nothing is claimed before it could be sent at once; nothing is recorded that was not
/// known; a chunk that is not finished in time is left to its lease.
///
/// Bounds    as many people a channel as are in chunks_in_flight_max chunks of full size, in at
///           most lanes() chunks, of large jobs fewer; and two chunks more that are urgent.
/// Stop      stop the dispatcher, call stop(), then await the lanes.
/// Threads   one serial executor; databases and rendering on the pools' threads.
/// Lifetime  everything in Parts outlives the lanes.
class Sender {
public:
    struct Parts {
        boost::asio::any_io_executor executor;
        Dispatcher& dispatcher;
        ChunkBatcher& batcher;
        ChunkStore& chunks;
        JobStore& jobs;
        ContactSource& contacts;
        DeadAddresses& dead_addresses;
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
          preparation_{{parts_.chunks, parts_.contacts, parts_.references, parts_.clock}},
          marker_{[this](ledger::ChunkMark mark) { return parts_.batcher.mark(std::move(mark)); }} {
    }

    /// How many lanes a channel wants.
    [[nodiscard]] std::uint32_t lanes(Channel channel) const {
        const auto& limits = settings_.channels[static_cast<std::size_t>(channel)];
        return std::max(limits.chunks_in_flight_max, small_chunks_max);
    }
    /// Serves one chunk of the channel after another until the dispatcher stops.
    [[nodiscard]] boost::asio::awaitable<void> run_lane(Channel channel);
    /// The same of those that are urgent only, beside all others.
    [[nodiscard]] boost::asio::awaitable<void> run_urgent_lane(Channel channel);

    /// No more tries in place; what is in flight finishes.
    void stop() { stopping_ = true; }

private:
    static constexpr std::uint32_t small_chunks_max = 64;
    static constexpr std::size_t person_bytes = 128;  // In memory, about: a job's bytes count so.
    using Rooms = std::array<LaneRoom, channel_count>;
    /// The chunk that a lane has in hand, and who serves it.
    struct InHand {
        const Claim& claim;
        Recipients& people;
        ChunkSpan& span;
        Account* account;
        std::int32_t passes = 0;
        std::vector<std::string> dead{};  // Addresses that the system is to hear of.
        bool is_paused = false;           // The ledger said so.
        bool is_job_away = false;         // Nobody can say just now what its job is.
    };
    template <class T>
    using Awaitable = boost::asio::awaitable<T>;

    [[nodiscard]] LaneRoom make_room(Channel channel) const;
    /// `place`: the lane's, in its room; null on the urgent lane, which has none and waits for
    /// nobody.
    [[nodiscard]] Awaitable<void> serve(const Descriptor& descriptor, LaneRoom::Place* place);
    [[nodiscard]] Awaitable<Account*> account_for(Channel channel);
    [[nodiscard]] Awaitable<void> claim_and_send(const ledger::ChunkKey& key, Account& account,
                                                 std::size_t& reserved, LaneRoom::Place* place);
    [[nodiscard]] Awaitable<void> send(ledger::ChunkClaim claimed, Recipients people,
                                       SteadyTime claimed_at, Account& account,
                                       LaneRoom::Place* place);
    [[nodiscard]] Situation begin(InHand& hand, const std::optional<Failure>& unknown_job) const;
    [[nodiscard]] Awaitable<void> carry_moves_out(InHand& hand, Situation situation);
    [[nodiscard]] Awaitable<Situation> try_all(InHand& hand);
    [[nodiscard]] Awaitable<std::int32_t> send_all(InHand& hand, Pass& pass);
    [[nodiscard]] Awaitable<Situation> wait_here(InHand& hand, std::chrono::milliseconds wait);
    [[nodiscard]] Awaitable<Situation> reroute(InHand& hand, std::chrono::milliseconds wait);
    [[nodiscard]] Awaitable<void> put_back(InHand& hand, Move move);

    [[nodiscard]] ChunkState to_state(const InHand& hand) const;
    [[nodiscard]] Situation situation_after(Situation::After after, const InHand& hand) const;
    std::int32_t look_at_people(InHand& hand) const;

    [[nodiscard]] Awaitable<void> record(InHand& hand, const Move& move);

    Parts parts_;
    const WorkerSettings& settings_;
    Preparation preparation_;
    Marker marker_;
    KnownJobs known_jobs_{parts_.jobs};
    SpareRequests spare_requests_;
    Rooms rooms_{make_room(Channel::email), make_room(Channel::sms), make_room(Channel::push)};
    bool stopping_ = false;
};

}  // namespace fanfare
