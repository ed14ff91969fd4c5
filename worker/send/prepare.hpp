#pragma once

#include "worker/send/account.hpp"
#include "worker/send/chunk_store.hpp"
#include "worker/send/claim.hpp"
#include "worker/send/contact_source.hpp"
#include "worker/send/next_move.hpp"
#include "worker/send/pass.hpp"
#include "worker/send/recipients.hpp"

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <map>

namespace fanfare {

/// Makes a claimed chunk ready to be sent: contacts, quiet hours, suppressions, requests.
///
/// It says what stood in the way, if anything did; what follows is next_move()'s. A system's
/// database that is away is not asked again for a while, longer each time, and then by one chunk
/// before all others: one that answers nobody keeps no more from serving other systems.
///
/// Threads   one serial executor; databases and rendering on the pools' threads.
/// Lifetime  everything in Parts outlives it.
class Preparation {
public:
    struct Parts {
        ChunkStore& chunks;
        ContactSource& contacts;
        const References& references;
        const Clock& clock;
    };
    explicit Preparation(const Parts& parts) : parts_{parts} {}

    struct Prepared {
        Setback setback = Setback::none;        // None: requests are composed, or nobody is left.
        std::chrono::milliseconds away_for{0};  // The system's database.
    };
    [[nodiscard]] boost::asio::awaitable<Prepared> prepare(const Claim& claim, Recipients& people,
                                                           Pass& pass, Account& account);

private:
    /// A system's database that was away when it was last asked.
    struct Absence {
        SteadyTime until{};
        std::chrono::milliseconds wait{0};
        bool is_asked = false;  // Whether it is there again.
    };

    enum class Quiet : std::uint8_t { awake, left, lost };

    [[nodiscard]] boost::asio::awaitable<Prepared> find_people(const Claim& claim,
                                                               Recipients& people, Pass& pass);
    [[nodiscard]] boost::asio::awaitable<Prepared> load(const Claim& claim, Recipients& people,
                                                        Pass& pass);
    [[nodiscard]] boost::asio::awaitable<Quiet> set_aside(const Claim& claim, Recipients& people,
                                                          Pass& pass);
    [[nodiscard]] boost::asio::awaitable<Prepared> compose(const Claim& claim,
                                                           const Recipients& people, Pass& pass,
                                                           Account& account);
    [[nodiscard]] std::chrono::milliseconds away_for(const postgres::Pool* source) const;
    void stays_away(const JobContext& job, const Failure& failure);

    Parts parts_;
    std::map<const postgres::Pool*, Absence> away_;
};

}  // namespace fanfare
