#pragma once

#include "core/postgres/connection.hpp"
#include "worker/send/job_context.hpp"

#include <pqxx/result>
#include <pqxx/transaction>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare {

/// True for an audience that the ledger knows, not the system: who was told of earlier jobs.
[[nodiscard]] bool is_told_audience(const JobContext& job);

/// Audiences of one database as of one snapshot.
///
/// Threads   one.
/// Lifetime  the connection outlives it and serves nothing else meanwhile.
class AudienceSnapshot {
public:
    /// `source` is the system's database, or the ledger for is_told_audience(). Throws what libpqxx
    /// throws. No statement takes longer.
    explicit AudienceSnapshot(postgres::Connection& source,
                              std::chrono::milliseconds statement_max = std::chrono::minutes{10});

private:
    friend class AudienceStream;
    postgres::Connection& source_;
    std::unique_ptr<pqxx::transaction_base> work_;
    std::string_view order_;
    int streams_ = 0;
};

/// The audience of one job as a stream of recipient ids: sorted bytewise, distinct, from
/// just after `cursor` on. Ids longer than those of a job's own list may be are left out and
/// counted.
///
/// Bounds    one fetch in memory, of ids of at most Job::id_bytes_max.
/// Threads   one.
/// Lifetime  the snapshot outlives it. Views of next() are good until the next call.
class AudienceStream {
public:
    AudienceStream(AudienceSnapshot& snapshot, const JobContext& job, const std::string& cursor);
    /// From the beginning, of at most so many rows: read at once, in one round trip. Whether these
    /// are all is_read() tells; no others come.
    AudienceStream(AudienceSnapshot& snapshot, const JobContext& job, std::size_t rows_max);

    /// Replaces `ids` with up to `count` further ids; empty at the end.
    void next(std::size_t count, std::vector<std::string_view>& ids);

    /// How many were left out up to the last id that next() gave; at the end, all.
    [[nodiscard]] std::int64_t left_out() const noexcept { return left_out_; }
    /// Nobody comes after those whom next() gave last.
    [[nodiscard]] bool is_read() const noexcept { return is_read_; }

private:
    void take(const pqxx::row& row, std::vector<std::string_view>& ids);

    pqxx::transaction_base& work_;
    std::string name_;  // Of the cursor; "": there is none.
    pqxx::result rows_;
    bool is_at_hand_ = false;  // `rows_` are not given yet.
    bool is_read_ = false;     // To its end: a fetch gave less than it might.
    std::string last_;
    std::string last_long_;       // Its digest.
    std::int64_t long_seen_ = 0;  // Those behind the last id are counted with the next one.
    std::int64_t left_out_ = 0;
};

}  // namespace fanfare
