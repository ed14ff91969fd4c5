#include "worker/plan/audience.hpp"

#include "core/ledger/columns.hpp"
#include "core/postgres/libpqxx.hpp"

#include <fmt/format.h>
#include <pqxx/transaction>

#include <utility>

namespace fanfare {
namespace {

using postgres::Snapshot;
using std::chrono::milliseconds;

/// Chunks are sorted bytewise, so that a person is found by a binary search in any locale.
/// Where the database's own order is that already, its indexes serve it without a sort; a
/// column of another order is overruled all the same. With ICU, datcollate says nothing.
/// Sets the transaction up in the same breath.
std::string_view begin_reading(pqxx::transaction_base& work, milliseconds statement_max) {
    const auto rows = work.exec_params(
        "SELECT datcollate IN ('C', 'POSIX') "
        "AND coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c', "
        "set_config('idle_in_transaction_session_timeout', '0', true), "
        "set_config('statement_timeout', $1::text, true), "
        "set_config('cursor_tuple_fraction', '1.0', true), "
        // What is prepared is planned for its values all the same, and read by nobody else.
        "set_config('plan_cache_mode', 'force_custom_plan', true), "
        "set_config('max_parallel_workers_per_gather', '0', true) "
        "FROM pg_database d WHERE datname = current_database()",
        std::to_string(statement_max.count()));
    return rows[0][0].as<bool>() ? R"( COLLATE "default")" : R"( COLLATE "C")";
}

/// Whoever may have been told, on any channel, in an earlier job of the kind about the subject or
/// one of its moments.
constexpr const char* told_before =
    "SELECT u.recipient AS recipient_id FROM job j JOIN chunk c ON c.job_id = j.id "
    "CROSS JOIN LATERAL unnest(c.recipients) WITH ORDINALITY AS u(recipient, position) "
    "WHERE j.system = $1 AND j.kind = $2 AND is_about(j.subject, $3) AND j.subject <> '' "
    "AND j.id <> $4::uuid "
    "AND known_since(j) <= (SELECT known_since(mine) FROM job mine WHERE id = $4::uuid) "
    "AND " FANFARE_MAY_BE_TOLD;

}  // namespace

bool is_told_audience(const JobContext& job) {
    return job.job.recipients.empty() && job.job.audience.empty() && job.kind != nullptr &&
           !job.kind->told.empty();
}

namespace {

/// What an audience is read by: its rows in order, each an id or the digest of one that is too
/// long.
struct Selection {
    Selection(const JobContext& job, std::string_view order, const std::string& cursor) {
        std::string inner;
        if (!job.job.recipients.empty()) {
            inner = "SELECT unnest($1::text[]) AS recipient_id";
            listed = postgres::to_array_literal(job.job.recipients);
            values = {listed.c_str()};
        } else if (is_told_audience(job)) {
            inner = told_before;
            values = {job.job.system.c_str(), job.kind->told.c_str(), job.job.subject.c_str(),
                      job.job.id.c_str()};
        } else {
            const auto* const audience = job.system->find_audience(job.job.audience);
            if (audience == nullptr) {
                throw postgres::QueryMistake{
                    fmt::format("the audience {} is not configured any more", job.job.audience)};
            }
            inner = audience->query.sql;
            values = audience->values(job.job.params);
        }
        values.push_back(cursor.c_str());
        // An id that is too long stays in the database: a digest tells it from its neighbours.
        sql = fmt::format(
            "SELECT CASE WHEN octet_length(recipient_id) <= {0} THEN recipient_id END, "
            "CASE WHEN octet_length(recipient_id) > {0} THEN md5(recipient_id) END FROM "
            "(SELECT a.recipient_id::text AS recipient_id FROM ({1}) a) b "
            "WHERE recipient_id{2} > ${3}::text ORDER BY recipient_id{2}",
            Job::id_bytes_max, inner, order, values.size());
    }
    [[nodiscard]] auto parameters() const {
        return pqxx::prepare::make_dynamic_params(values.begin(), values.end());
    }

    std::string sql;
    std::string listed;
    std::vector<const char*> values;
};

}  // namespace

AudienceSnapshot::AudienceSnapshot(postgres::Connection& source, milliseconds statement_max)
    : source_{source},
      work_{std::make_unique<Snapshot>(source.raw())},
      order_{begin_reading(*work_, statement_max)} {}

AudienceStream::AudienceStream(AudienceSnapshot& snapshot, const JobContext& job,
                               const std::string& cursor)
    : work_{*snapshot.work_},
      name_{fmt::format("audience_{}", ++snapshot.streams_)},
      last_{cursor} {
    const Selection rows{job, snapshot.order_, cursor};
    work_.exec_params(fmt::format("DECLARE {} NO SCROLL CURSOR FOR {}", name_, rows.sql),
                      rows.parameters());
}

AudienceStream::AudienceStream(AudienceSnapshot& snapshot, const JobContext& job,
                               std::size_t rows_max)
    : work_{*snapshot.work_}, is_at_hand_{true} {
    const std::string beginning;
    const Selection rows{job, snapshot.order_, beginning};
    // Planned as the cursor is, for all rows: what suits the first few may take for ever where
    // there are none.
    const auto sql = fmt::format(
        "WITH audience AS MATERIALIZED ({}) SELECT * FROM audience LIMIT {}", rows.sql, rows_max);
    rows_ = snapshot.source_.exec_prepared(work_, sql, rows.parameters());
    is_read_ = rows_.size() < rows_max;
}

void AudienceStream::next(std::size_t count, std::vector<std::string_view>& ids) {
    ids.clear();
    while (ids.empty()) {
        if (!is_at_hand_ && (is_read_ || name_.empty())) {
            left_out_ = long_seen_;
            return;
        }
        if (!std::exchange(is_at_hand_, false)) {
            rows_ = work_.exec(fmt::format("FETCH {} FROM {}", count, name_));
            is_read_ = rows_.size() < count;
        }
        ids.reserve(rows_.size());
        for (const auto& row : rows_) take(row, ids);
        if (!ids.empty()) last_ = ids.back();
    }
}

void AudienceStream::take(const pqxx::row& row, std::vector<std::string_view>& ids) {
    const auto field = row[0];
    if (field.is_null()) {
        const std::string_view digest{row[1].c_str(), row[1].size()};
        if (digest.empty() || digest == last_long_) return;
        last_long_ = digest;
        ++long_seen_;
        return;
    }
    const std::string_view id{field.c_str(), field.size()};
    if (id.empty() || id == (ids.empty() ? std::string_view{last_} : ids.back())) return;
    ids.push_back(id);
    left_out_ = long_seen_;
}

}  // namespace fanfare
