#pragma once

#include "core/ledger/api_jobs.hpp"
#include "core/ledger/progress.hpp"
#include "core/postgres/connection.hpp"

#include <string>
#include <vector>

/// What one person was told, over all jobs. Functions block, throw what libpqxx throws, and belong
/// inside postgres::Pool::run().
namespace fanfare::ledger {

/// One person in one job on one channel.
struct PersonDelivery {
    std::string job;
    std::string system;
    std::string kind;
    std::string subject;
    std::string title;
    std::string created_at;  // Of the job.
    std::string replay_of;
    ChannelFate fate;
};

/// Behind which job reading goes on; "": from the newest on.
struct HistoryCursor {
    std::string before_at;
    std::string before_id;
};

/// Appends `limit` deliveries of the newest jobs, and those that belong to the last job, and moves
/// the cursor behind it. False at the end. May append fewer, even none, before the end.
///
/// Bounds    the people of at most jobs_max jobs are looked for in a call; most chunks say without
///           being unpacked that somebody is not in them (person_filter.hpp).
[[nodiscard]] bool read_history(postgres::Connection& connection, const AccessFilter& access,
                                const std::string& system, const std::string& recipient,
                                HistoryCursor& cursor, std::size_t limit,
                                std::vector<PersonDelivery>& deliveries);

}  // namespace fanfare::ledger
