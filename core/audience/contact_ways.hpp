#pragma once

#include "core/postgres/connection.hpp"

#include <pqxx/types>

#include <string>
#include <string_view>

namespace fanfare {

/// How people are asked for in a contact query that says where everybody is reached.
struct ContactWays {
    std::string by_key;    // $1: their ids, text[].
    bool is_blind = true;  // It is planned without a look at them, and so may be prepared.
    std::string by_range;  // $1 to $2, at most $3 rows; "": the ids have another order than ours.
    bool is_uuid = false;  // Only one spelling of an id has a place in our order.
    pqxx::oid type = 0;    // Of the id. An answer by range of another one is none.
};

/// Asks the system's database of which type and order the ids of `relation` are. Throws what
/// libpqxx throws.
[[nodiscard]] ContactWays contact_ways(postgres::Connection& source, std::string_view relation);

}  // namespace fanfare
