#pragma once

#include "core/audience/contact_ways.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Whether people are read from an index alone, and which index it would take: whoever is looked
/// up in the table itself costs a page of it, in no order.
namespace fanfare {

/// What would make a contact query faster.
struct IndexAdvice {
    std::string found;   // "Index Scan of public.users"
    std::string remedy;  // With the statement to type.
};
/// Asks the system's database how it would read a range of people of `relation`. Nothing where it
/// is well as it is, where the table is small, or where there is no way by range.
///
/// Errors  what libpqxx throws. Changes nothing; the query itself is not executed.
[[nodiscard]] std::optional<IndexAdvice> index_advice(postgres::Connection& source,
                                                      std::string_view relation);

}  // namespace fanfare
