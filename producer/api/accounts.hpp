#pragma once

#include "producer/api/routes.hpp"

namespace fanfare::api {

/// How the providers' accounts are, and rates that are set by hand. Not for clients that are bound
/// to an owner or to systems.
void add_account_routes(AuthorizedRoutes& routes, const ApiContext& parts);

/// The account of that name; null where there is none.
[[nodiscard]] const AccountSettings* find_account(const Settings& settings, std::string_view name);

}  // namespace fanfare::api
