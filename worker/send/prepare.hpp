#pragma once

#include "core/settings/settings.hpp"
#include "worker/send/account.hpp"
#include "worker/send/chunk_in_progress.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <map>

namespace fanfare {

/// Makes a claimed chunk ready to be sent: contacts, quiet hours, suppressions, requests.
///
/// A system's database that is away is nobody's fault: its chunks wait, and for a while nobody asks
/// it again. A query that fails for a chunk costs the chunk its place in the queue, longer each
/// time, and in the end its people, who are told so.
///
/// Threads   one serial executor; databases and rendering on the pools' threads.
/// Lifetime  everything in Parts outlives it.
class Preparation {
public:
    struct Parts {
        postgres::Pool& ledger;
        const References& references;
        const Clock& clock;
        std::function<double()> jitter;  // Uniform in [0, 1).
    };
    Preparation(Parts parts, const WorkerSettings& settings)
        : parts_{std::move(parts)}, settings_{settings} {}

    enum class End : std::uint8_t {
        ready,  // The requests are composed, or nobody is left to write to.
        later,  // Not now: the chunk goes back as it is, for `wait`.
        lost,   // The chunk is no longer ours, or nobody knows.
    };
    struct Prepared {
        End end = End::ready;
        std::chrono::milliseconds wait{0};
        bool counts = false;  // As one more failure in a row of this chunk.
    };
    [[nodiscard]] boost::asio::awaitable<Prepared> prepare(ChunkInProgress& work, Account& account);

private:
    /// A system's database that was away when it was last asked.
    struct Absence {
        SteadyTime until{};
        std::chrono::milliseconds wait{0};
    };

    [[nodiscard]] boost::asio::awaitable<Prepared> load(ChunkInProgress& work);
    [[nodiscard]] boost::asio::awaitable<Prepared> defer_quiet(ChunkInProgress& work);
    [[nodiscard]] Prepared is_away(const postgres::Pool* source);
    [[nodiscard]] Prepared fails(ChunkInProgress& work, const Failure& failure);
    [[nodiscard]] Prepared is_slow(const ChunkInProgress& work) const;

    Parts parts_;
    const WorkerSettings& settings_;
    std::map<const postgres::Pool*, Absence> away_;
};

}  // namespace fanfare
