#pragma once

#include "core/ledger/notifications.hpp"
#include "producer/api/routes.hpp"

#include <string_view>

namespace fanfare::api {

/// What running due queries came to.
struct Refreshed {
    ledger::RefreshTally tally;
    bool busy = false;  // The scheduler was at some of them itself: what it finds is not in here.
};
/// Runs a system's due queries, those of one kind or, with "", all, on connections of their own.
/// Blocks.
[[nodiscard]] Result<Refreshed> refresh_now(const ApiContext& parts, const System& system,
                                            std::string_view kind);

/// /v1/cron: runs due queries now, on request. `parts` outlives the routes.
void add_cron_routes(AuthorizedRoutes& routes, const ApiContext& parts);

}  // namespace fanfare::api
