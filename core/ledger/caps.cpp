#include "core/ledger/caps.hpp"

#include <pqxx/nontransaction>
#include <pqxx/transaction>

namespace fanfare::ledger {
namespace {

std::vector<std::string> first_column(const pqxx::result& rows) {
    std::vector<std::string> found;
    for (const auto& row : rows) found.emplace_back(row[0].c_str(), row[0].size());
    return found;
}

/// Until the transaction ends. One for all kinds: what is done under it is short, and no two can
/// wait for each other.
void lock_places(pqxx::transaction_base& work) {
    work.exec("SELECT pg_advisory_xact_lock(hashtextextended('fanfare.places', 0))");
}

constexpr int stays_bit = 8;  // Of no channel: nobody gives the place back.

int channel_bit(Channel channel) { return 1 << static_cast<int>(channel); }

/// People of a chunk by their outcomes, which count as told or do not; those in between do neither.
#define FANFARE_PEOPLE(outcomes)                                                                  \
    "people AS (SELECT j.system, j.kind, coalesce(j.origin, j.id) AS id, u.recipient FROM chunk " \
    "c "                                                                                          \
    " JOIN job j ON j.id = c.job_id "                                                             \
    " CROSS JOIN LATERAL unnest(c.recipients) WITH ORDINALITY AS u(recipient, position) "         \
    " WHERE c.job_id = $1::uuid AND c.channel = $2 AND c.number = $3 "                            \
    " AND get_byte(c.outcomes, (u.position - 1)::integer) IN (" outcomes ")) "
#define FANFARE_TOLD "1, 2, 3, 4, 13"
#define FANFARE_NOT_TOLD "5, 6, 7, 8, 9, 10, 12"
#define FANFARE_THEIRS \
    "p.system = s.system AND p.kind = s.kind AND p.recipient = s.recipient AND s.job_id = p.id "

/// Of the people $3 those whom $6 other jobs hold a place of within the window.
#define FANFARE_OVER                                                      \
    "SELECT recipient FROM counted_send WHERE system = $1 AND kind = $2 " \
    "AND recipient = ANY($3::text[]) AND job_id <> $4::uuid "             \
    "AND sent_at > app_now() - $5 * interval '1 hour' "                   \
    "GROUP BY recipient HAVING count(*) >= $6 "

}  // namespace

std::vector<std::string> over_cap(Connection& connection, const CapQuestion& question,
                                  const std::string& recipients) {
    pqxx::nontransaction work{connection.raw()};
    const auto rows =
        connection.exec_prepared(work, FANFARE_OVER, question.system, question.kind, recipients,
                                 question.job, question.window.count(), question.count);
    return first_column(rows);
}

std::vector<std::string> take_places(Connection& connection, const CapQuestion& question,
                                     Channel channel, const ChunkClaim& claim,
                                     const std::string& recipients) {
    pqxx::work work{connection.raw()};
    lock_places(work);
    const auto rows = work.exec_params(
        "WITH mine AS (SELECT recipient FROM counted_send WHERE system = $1 AND kind = $2 "
        " AND recipient = ANY($3::text[]) AND job_id = $4::uuid), "
        "over AS (" FANFARE_OVER
        "EXCEPT SELECT recipient FROM mine), "
        "taken AS (INSERT INTO counted_send AS s (system, kind, recipient, job_id, channels) "
        " SELECT $1, $2, asked.recipient, $4::uuid, $7 FROM "
        "  (SELECT unnest($3::text[]) COLLATE \"C\" AS recipient EXCEPT SELECT recipient FROM over)"
        "  asked WHERE EXISTS (SELECT FROM chunk c WHERE c.job_id = $8::uuid AND c.channel = $9 "
        "  AND c.number = $10 AND c.state = 'claimed' AND c.epoch = $11) "
        " ON CONFLICT (system, kind, recipient, job_id) "
        " DO UPDATE SET channels = s.channels | excluded.channels "
        " WHERE s.channels & excluded.channels = 0) "
        "SELECT recipient FROM over",
        question.system, question.kind, recipients, question.job, question.window.count(),
        question.count, channel_bit(channel), claim.key.job, static_cast<int>(claim.key.channel),
        claim.key.number, claim.epoch);
    work.commit();
    return first_column(rows);
}

void settle_places(pqxx::transaction_base& work, const ChunkKey& key, std::chrono::hours window) {
    const auto channel = static_cast<int>(key.channel);
    lock_places(work);
    work.exec_params(
        "WITH " FANFARE_PEOPLE(FANFARE_TOLD)
        "INSERT INTO counted_send AS s (system, kind, recipient, job_id, channels) "
        "SELECT system, kind, recipient, id, $4 FROM people "
        "ON CONFLICT (system, kind, recipient, job_id) "
        "DO UPDATE SET channels = s.channels | excluded.channels "
        "WHERE s.channels & excluded.channels = 0",
        key.job, channel, key.number, channel_bit(key.channel));
    work.exec_params(
        "WITH " FANFARE_PEOPLE(FANFARE_NOT_TOLD) ", "
        "gone AS (DELETE FROM counted_send s USING people p WHERE " FANFARE_THEIRS
        " AND s.channels = $4) "
        "UPDATE counted_send s SET channels = s.channels & ~$4::smallint FROM people p "
        "WHERE " FANFARE_THEIRS "AND s.channels <> $4 AND s.channels & $4 <> 0",
        key.job, channel, key.number, channel_bit(key.channel));
    work.exec_params(
        "DELETE FROM counted_send WHERE ctid = ANY(ARRAY(SELECT s.ctid FROM chunk c "
        " JOIN job j ON j.id = c.job_id JOIN counted_send s ON s.system = j.system "
        " AND s.kind = j.kind AND s.recipient = ANY(c.recipients) "
        " WHERE c.job_id = $1::uuid AND c.channel = $2 AND c.number = $3 "
        " AND s.sent_at < app_now() - $4 * interval '1 hour' FOR UPDATE OF s SKIP LOCKED))",
        key.job, channel, key.number, window.count());
}

void keep_places(pqxx::transaction_base& work, const std::string& job,
                 const std::string& recipients) {
    const auto held = work.exec_params(
        "SELECT FROM counted_send WHERE job_id = (SELECT coalesce(origin, id) FROM job "
        " WHERE id = $1::uuid) LIMIT 1",
        job);
    if (held.empty()) return;
    // Without the lock: nobody is given a place, and those of the whole job may be many.
    work.exec_params(
        "UPDATE counted_send s SET channels = s.channels | $3::smallint FROM job j "
        "WHERE j.id = $1::uuid AND s.system = j.system AND s.kind = j.kind "
        "AND s.recipient = ANY($2::text[]) AND s.job_id = coalesce(j.origin, j.id)",
        job, recipients, stays_bit);
}

}  // namespace fanfare::ledger
