#pragma once

#include "core/ledger/api_jobs.hpp"
#include "core/ledger/deliveries.hpp"

#include <string>
#include <vector>

/// The fate of everyone over several jobs, piece by piece. Functions block, throw what libpqxx
/// throws, and belong inside postgres::Pool::run().
namespace fanfare::ledger {

/// Which jobs. What is "" or empty does not filter.
struct OutcomeJobs {
    std::vector<std::string> jobs{};
    std::string system{};
    std::string kind{};
    std::string subject{};  // This one and its moments.
    std::string since{};    // When they were taken in, ISO 8601 with a zone.
};

/// Behind whom reading goes on; the default is the beginning.
struct OutcomeCursor {
    std::string before_at;  // The last job that was read to its end ...
    std::string before_id;  // ... and its id.
    std::string job;        // The one after it, where reading has begun ...
    DeliveryCursor within;  // ... and how far it is.
};

struct JobDelivery {
    std::string job;
    Delivery delivery;
};

/// Appends up to `limit` deliveries, the newest jobs' first, and moves the cursor behind them.
/// False at the end. May append fewer, even none, before the end.
///
/// Bounds    jobs_max jobs a call that have somebody of the filter; as read_deliveries() each.
[[nodiscard]] bool read_outcomes(Connection& connection, const AccessFilter& access,
                                 const OutcomeJobs& jobs, const DeliveryFilter& filter,
                                 OutcomeCursor& cursor, std::size_t limit,
                                 std::vector<JobDelivery>& deliveries);

}  // namespace fanfare::ledger
