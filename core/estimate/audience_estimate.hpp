#pragma once

#include "core/audience/reach.hpp"
#include "core/clock/clock.hpp"
#include "core/postgres/pool.hpp"
#include "core/rendering/templates.hpp"
#include "core/settings/settings.hpp"
#include "core/systems/system.hpp"
#include "core/wire/job.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace fanfare {

/// What a job would come to on one channel, if it were sent now.
struct ChannelEstimate {
    std::int64_t messages = 0;  // One an address: a person may have several devices.
    std::int64_t segments = 0;  // SMS: of all messages together.
    std::int64_t no_address = 0;
    std::int64_t invalid_address = 0;
    std::int64_t opted_out = 0;
    std::int64_t too_often = 0;  // Over the kind's cap.
    std::int64_t suppressed = 0;
    std::int64_t duplicates = 0;  // Another person has the address, where the kind minds.
};

struct AudienceEstimate {
    std::int64_t people = 0;     // In the audience.
    std::int64_t looked_at = 0;  // Of them, looked at one by one.
    std::array<ChannelEstimate, channel_count> channels{};
};

/// Figures of `looked_at` people, for `people` of whom they were the first.
void scale(ChannelEstimate& found, std::int64_t people, std::int64_t looked_at);

/// What is paid for: segments of SMS, messages of the others.
[[nodiscard]] std::int64_t count_units(const ChannelEstimate& found, Channel channel) noexcept;

/// What sending costs, and how fast it may go.
struct Terms {
    const Settings& settings;
    std::map<std::string, double> by_hand;  // Rates that operators set: ledger::rates_by_hand().
};
/// What all accounts of a channel may send in a second; 0 where one of them has no limit.
[[nodiscard]] double find_limit(const Terms& terms, Channel channel);

/// Looks at a job's audience as the worker would (core/audience/reach.hpp), and writes nothing. Who
/// cannot be reached counts where the kind turns to for them. Places under caps and addresses that
/// the ledger knows of the job are its own. Throws what libpqxx throws.
///
/// Bounds    people_max people are looked at, the first by id; beyond, they are only counted.
///           One fetch in memory.
/// Threads   any; one connection of each database while it runs.
class AudienceEstimator {
public:
    static constexpr std::int64_t people_max = 100'000;

    struct Parts {
        postgres::Connection& source;  // Two of the system's database: one streams,
        postgres::Connection& lookup;  // one answers.
        postgres::Connection& ledger;
        const Templates& templates;
        TimePoint now;
    };
    AudienceEstimator(const Parts& parts, const System& system, const Kind& kind, const Job& job)
        : parts_{parts}, system_{system}, kind_{kind}, job_{job} {}

    [[nodiscard]] AudienceEstimate run();

    /// Looks at these people, sorted, instead of the job's audience, on one channel of it; they add
    /// up over several calls.
    void look_at(const std::vector<std::string>& people, Channel channel);
    [[nodiscard]] const AudienceEstimate& estimate() const noexcept { return estimate_; }

private:
    void count(const Contacts& contacts, const std::vector<std::string>& people, Channel channel);
    [[nodiscard]] ReachQuestion to_question(std::string recipients, Channel channel);
    [[nodiscard]] std::int64_t segments_for(const pqxx::row& row) const;

    const Parts& parts_;
    const System& system_;
    const Kind& kind_;
    const Job& job_;
    AudienceEstimate estimate_;
    // Compared addresses, and who is told there.
    std::array<std::unordered_map<std::string, std::string>, channel_count> taken_;
};

}  // namespace fanfare
