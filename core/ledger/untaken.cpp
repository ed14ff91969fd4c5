#include "core/ledger/untaken.hpp"

#include <pqxx/nontransaction>

#include <array>
#include <utility>

namespace fanfare::ledger {
namespace {

constexpr std::array<std::pair<std::string_view, OutboxMark::State>, 5> fates{
    {{"waiting", OutboxMark::State::waiting},
     {"taken", OutboxMark::State::taken},
     {"refused", OutboxMark::State::refused},
     {"given_up", OutboxMark::State::given_up},
     {"lost", OutboxMark::State::lost}}};

/// True once a job that was published at `at` counts as lost: $1 is `after`.
#define FANFARE_OVERDUE(at, times) \
    at " < (SELECT app_now()) - $1::float8 * (1 << least(" times ", 6)) * interval '1 ms' "

/// A job row counts for more than a refusal: a later copy may have been taken. $2 is `within`.
#define FANFARE_FATE_SINCE(job, since)                         \
    "CASE WHEN EXISTS (SELECT FROM job WHERE id = " job        \
    ") OR EXISTS (SELECT FROM absent_job WHERE job_id = " job  \
    " AND taken_as IS NOT NULL) THEN 'taken' "                 \
    " WHEN EXISTS (SELECT FROM absent_job WHERE job_id = " job \
    ") THEN 'refused' "                                        \
    " WHEN " since " < app_now() - $2::float8 * interval '1 s' THEN 'given_up' ELSE 'lost' END "

void count(UntakenTally& tally, std::string_view fate, const char* job) {
    if (fate == "taken") ++tally.taken;
    if (fate == "lost") ++tally.lost;
    if (fate == "refused") tally.refused.emplace_back(job);
    if (fate == "given_up") tally.given_up.emplace_back(job);
}

UntakenTally read_tally(const pqxx::result& rows) {
    UntakenTally tally;
    for (const auto& row : rows) count(tally, row[0].c_str(), row[1].c_str());
    return tally;
}

}  // namespace

UntakenTally settle_notifications(Connection& connection, std::span<const std::string> systems,
                                  const UntakenTimes& times, int limit) {
    pqxx::nontransaction work{connection.raw()};
    // A lost one is as if its publisher had died: it is claimed and published once more.
    return read_tally(work.exec_params(
        "WITH seen AS MATERIALIZED (SELECT n.job_id, " FANFARE_FATE_SINCE(
            "n.job_id",
            "coalesce(n.published_at, n.updated_at)") "AS fate FROM notification n WHERE n.state = "
                                                      "'published' AND n.taken_at IS NULL "
                                                      " AND n.updated_at < (SELECT app_now()) - "
                                                      "$1::float8 * interval '1 ms' "
                                                      "AND " FANFARE_OVERDUE(
                                                          "n.updated_at",
                                                          "n.republished") " AND n.system = "
                                                                           "ANY($3::text[]) ORDER "
                                                                           "BY n.updated_at LIMIT "
                                                                           "$4 "
                                                                           " FOR UPDATE OF n SKIP "
                                                                           "LOCKED) "
                                                                           "UPDATE notification n "
                                                                           "SET "
                                                                           " taken_at = CASE WHEN "
                                                                           "fate <> 'lost' THEN "
                                                                           "app_now() END, "
                                                                           " state = CASE WHEN "
                                                                           "fate = 'lost' THEN "
                                                                           "'publishing' ELSE "
                                                                           "n.state END, "
                                                                           " lease_until = CASE "
                                                                           "WHEN fate = 'lost' "
                                                                           "THEN app_now() END, "
                                                                           " republished = "
                                                                           "least(n.republished + "
                                                                           "(fate = "
                                                                           "'lost')::integer, "
                                                                           "1000) "
                                                                           "FROM seen WHERE "
                                                                           "n.job_id = seen.job_id "
                                                                           "RETURNING fate, "
                                                                           "n.job_id",
        times.after.count(), times.within.count(), postgres::to_array_literal(systems), limit));
}

UntakenTally settle_requests(Connection& connection, const UntakenTimes& times, int limit) {
    pqxx::nontransaction work{connection.raw()};
    // Of one that was never published nobody was told that it is accepted.
    return read_tally(work.exec_params(
        "WITH seen AS MATERIALIZED (SELECT r.owner, r.key, " FANFARE_FATE_SINCE(
            "r.job_id",
            "r.created_at") "AS fate FROM api_request r WHERE r.taken_at IS NULL AND r.body IS NOT "
                            "NULL "
                            " AND r.created_at < (SELECT app_now()) - $1::float8 * interval '1 ms' "
                            " AND (r.published_at IS NOT NULL "
                            "  OR r.created_at < (SELECT app_now()) - $2::float8 * interval '1 s') "
                            " AND " FANFARE_OVERDUE(
                                "coalesce(r.published_at, r.created_at)",
                                "r.republished") " ORDER BY r.created_at LIMIT $3 FOR UPDATE OF r "
                                                 "SKIP LOCKED) "
                                                 "UPDATE api_request r SET taken_at = app_now() "
                                                 "FROM seen "
                                                 "WHERE r.owner = seen.owner AND r.key = seen.key "
                                                 "AND fate <> 'lost' "
                                                 "RETURNING fate, r.job_id",
        times.after.count(), times.within.count(), limit));
}

std::vector<LostJob> lost_requests(Connection& connection, const UntakenTimes& times, int limit) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "WITH seen AS MATERIALIZED (SELECT r.owner, r.key FROM api_request r "
        " WHERE r.taken_at IS NULL AND r.body IS NOT NULL "
        " AND r.created_at < (SELECT app_now()) - $1::float8 * interval '1 ms' "
        " AND " FANFARE_OVERDUE("r.published_at", "r.republished")
        " AND " FANFARE_FATE_SINCE("r.job_id", "r.created_at") "= 'lost' "
        " ORDER BY r.created_at LIMIT $3 FOR UPDATE OF r SKIP LOCKED) "
        "UPDATE api_request r SET published_at = app_now(), "
        " republished = least(r.republished + 1, 1000) FROM seen "
        "WHERE r.owner = seen.owner AND r.key = seen.key RETURNING r.job_id, r.body, "
        "coalesce(r.trace, '')",
        times.after.count(), times.within.count(), limit);
    std::vector<LostJob> jobs;
    for (const auto& row : rows) {
        jobs.push_back({row[0].c_str(), row[1].c_str(), row[2].c_str()});
    }
    return jobs;
}

std::vector<OutboxMark> outbox_marks(Connection& connection, const std::string& system,
                                     const UntakenTimes& times, int limit) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT o.id, o.job_id, CASE "
        " WHEN fate = 'lost' AND NOT " FANFARE_OVERDUE("o.published_at", "o.republished")
        " THEN 'waiting' ELSE fate END, "
        "coalesce((SELECT code || ': ' || message FROM absent_job WHERE job_id = o.job_id), '') "
        "FROM outbox_row o CROSS JOIN LATERAL (SELECT " FANFARE_FATE_SINCE("o.job_id", "o.first_at")
        "AS fate) f WHERE o.system = $3 ORDER BY o.first_at LIMIT $4",
        times.after.count(), times.within.count(), system, limit);
    std::vector<OutboxMark> marks;
    for (const auto& row : rows) {
        OutboxMark mark{row[0].c_str(), row[1].c_str(), {}, row[3].c_str()};
        for (const auto& [word, fate] : fates) {
            if (word == row[2].c_str()) mark.state = fate;
        }
        marks.push_back(std::move(mark));
    }
    return marks;
}

std::vector<std::string> marked_rows(Connection& connection, const std::string& system,
                                     std::span<const std::string> ids, const UntakenTimes& times) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows = work.exec_params(
        "SELECT id FROM outbox_row WHERE system = $2 AND id = ANY($3::text[]) "
        "AND NOT " FANFARE_OVERDUE("published_at", "republished"),
        times.after.count(), system, postgres::to_array_literal(ids));
    std::vector<std::string> marked;
    for (const auto& row : rows) marked.emplace_back(row[0].c_str());
    return marked;
}

void mark_rows(Connection& connection, const std::string& system,
               std::span<const PublishedRow> rows) {
    if (rows.empty()) return;
    postgres::ArrayLiteral ids, jobs;
    for (const auto& row : rows) {
        ids.add(row.id);
        jobs.add(row.job);
    }
    pqxx::nontransaction work{connection.raw()};
    work.exec_params(
        "INSERT INTO outbox_row AS o (system, id, job_id) "
        "SELECT $1, * FROM unnest($2::text[], $3::uuid[]) "
        "ON CONFLICT (system, id) DO UPDATE SET job_id = excluded.job_id, "
        " published_at = app_now(), republished = least(o.republished + 1, 1000)",
        system, ids.text(), jobs.text());
}

void forget_rows(Connection& connection, const std::string& system,
                 std::span<const OutboxMark> marks) {
    if (marks.empty()) return;
    postgres::ArrayLiteral ids, refused;
    for (const auto& mark : marks) {
        ids.add(mark.id);
        if (mark.state == OutboxMark::State::refused) refused.add(mark.job);
    }
    pqxx::nontransaction work{connection.raw()};
    work.exec_params(
        "WITH gone AS (DELETE FROM outbox_row WHERE system = $1 AND id = ANY($2::text[])) "
        "DELETE FROM absent_job WHERE job_id = ANY($3::uuid[])",
        system, ids.text(), refused.text());
}

void refuse_job(Connection& connection, const std::string& job, const std::string& code,
                const std::string& message) {
    pqxx::nontransaction work{connection.raw()};
    work.exec_params(
        "INSERT INTO absent_job AS a (job_id, code, message) VALUES ($1::uuid, $2, $3) "
        "ON CONFLICT (job_id) DO UPDATE SET code = excluded.code, message = excluded.message, "
        "noted_at = excluded.noted_at WHERE a.taken_as IS NULL",
        job, code, message);
}

void take_as(Connection& connection, const std::string& job, const std::string& other) {
    pqxx::nontransaction work{connection.raw()};
    work.exec_params(
        "INSERT INTO absent_job (job_id, taken_as) VALUES ($1::uuid, $2::uuid) "
        "ON CONFLICT (job_id) DO UPDATE SET code = '', message = '', "
        "taken_as = excluded.taken_as, noted_at = excluded.noted_at",
        job, other);
}

void forget_absent(Connection& connection, const UntakenTimes& times) {
    pqxx::nontransaction work{connection.raw()};
    work.exec_params(
        "DELETE FROM absent_job a WHERE noted_at < app_now() - $1::float8 * interval '1 s' "
        // Whoever orders by this key again, or looks, is told why.
        "AND NOT EXISTS (SELECT FROM api_request r WHERE r.job_id = a.job_id)",
        times.within.count());
}

}  // namespace fanfare::ledger
