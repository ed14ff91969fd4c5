#pragma once

#include "core/postgres/libpqxx.hpp"

namespace fanfare::ledger {

using postgres::Snapshot;

}  // namespace fanfare::ledger
