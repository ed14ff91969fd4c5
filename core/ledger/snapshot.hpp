#pragma once

#include <pqxx/transaction>

namespace fanfare::ledger {

/// Several reads that must fit together: all of them see the ledger as it was at the first.
using Snapshot = pqxx::transaction<pqxx::repeatable_read, pqxx::read_only>;

}  // namespace fanfare::ledger
