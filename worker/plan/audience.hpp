#pragma once

#include "core/postgres/connection.hpp"
#include "worker/send/job_context.hpp"

#include <pqxx/result>
#include <pqxx/transaction>

#include <memory>
#include <string>
#include <vector>

namespace fanfare {

/// True for an audience that the ledger knows, not the system: who was told of earlier jobs.
[[nodiscard]] bool is_told_audience(const JobContext& job);

/// The audience of one job as a stream of recipient ids: sorted bytewise, distinct, from
/// just after `cursor` on, as of one snapshot.
///
/// Bounds    one fetch in memory.
/// Threads   one.
/// Lifetime  the connection outlives it and serves nothing else meanwhile. Views of next()
///           are good until the next call.
class AudienceStream {
public:
    /// `source` is the system's database, or the ledger for is_told_audience(). Throws what libpqxx
    /// throws.
    AudienceStream(postgres::Connection& source, const JobContext& job, const std::string& cursor);

    /// Replaces `ids` with up to `count` further ids; empty at the end.
    void next(std::size_t count, std::vector<std::string_view>& ids);

private:
    std::unique_ptr<pqxx::transaction_base> work_;
    pqxx::result rows_;
    std::string last_;
};

}  // namespace fanfare
