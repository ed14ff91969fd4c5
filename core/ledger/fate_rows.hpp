#pragma once

#include "core/ledger/columns.hpp"
#include "core/ledger/iso.hpp"
#include "core/ledger/progress.hpp"

#include <pqxx/row>

// What a chunk `c` says of one person `u` of it on the channel `ch`; for the ledger's own sources.
namespace fanfare::ledger {

#define FANFARE_FATE \
    "ch.name, " FANFARE_BYTE("outcomes") ", " FANFARE_BYTE("reasons") ", "                    \
    FANFARE_BYTE("causes") ", "                                                               \
    "coalesce(CASE WHEN cardinality(c.provider_ids) = 1 THEN c.provider_ids[1] "              \
    " ELSE c.provider_ids[u.position] END, ''), coalesce(c.account, ''), "                    \
    FANFARE_BYTE("attempts") ", c.number, " FANFARE_ISO_SECONDS("c.updated_at") " "

[[nodiscard]] inline ChannelFate read_fate(const pqxx::row& row, pqxx::row::size_type first) {
    ChannelFate fate{.channel = row[first].c_str(),
                     .outcome = static_cast<Outcome>(row[first + 1].as<int>()),
                     .reason = static_cast<Reason>(row[first + 2].as<int>()),
                     .cause = static_cast<Reason>(row[first + 3].as<int>()),
                     .provider_id = {},
                     .account = row[first + 5].c_str(),
                     .attempts = row[first + 6].as<std::int32_t>(),
                     .chunk = row[first + 7].as<std::int32_t>(),
                     .updated_at = row[first + 8].c_str()};
    const bool was_sent = fate.outcome >= Outcome::sent && fate.outcome <= Outcome::clicked;
    if (was_sent) fate.provider_id = row[first + 4].c_str();  // One id stands for all sent.
    return fate;
}

}  // namespace fanfare::ledger
