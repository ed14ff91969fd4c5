#pragma once

#include "core/postgres/connection.hpp"

#include <chrono>
#include <span>
#include <string>
#include <vector>

/// Jobs that are done and whose systems have not heard of it yet. Functions block, throw what
/// libpqxx throws, and belong inside postgres::Pool::run().
namespace fanfare::ledger {

using postgres::Connection;

struct DoneJob {
    std::string id;
    std::string body;        // encode_job()
    std::string occurrence;  // ISO 8601 in UTC; "": no due query found it.
};
/// Takes up to `limit` of them for `lease`; later they are anybody's.
[[nodiscard]] std::vector<DoneJob> take_done_jobs(Connection& connection, int limit,
                                                  std::chrono::milliseconds lease);

/// Their systems have heard.
void mark_written_back(Connection& connection, std::span<const std::string> jobs);

/// Tried again after as long as they have been done, at least a second and at most an hour.
void postpone_write_backs(Connection& connection, std::span<const std::string> jobs);

}  // namespace fanfare::ledger
