#include "core/ledger/deliveries.hpp"

#include "core/ledger/columns.hpp"
#include "core/ledger/snapshot.hpp"

namespace fanfare::ledger {
namespace {

constexpr int chunks_max = 64;
constexpr int any = -1;

/// Moves the cursor to the next chunk that can hold something; false when there is none.
bool find_chunk(pqxx::transaction_base& work, const std::string& job, int channel, int outcome,
                DeliveryCursor& cursor) {
    const auto rows = work.exec_params(
        "SELECT channel, number FROM chunk WHERE job_id = $1::uuid "
        "AND (channel, number) >= ($2::smallint, $3::integer) AND ($4 < 0 OR channel = $4) "
        "AND ($5 < 0 OR CASE WHEN tally IS NULL THEN $5 = 0 ELSE tally[$5 + 1] > 0 END) "
        "ORDER BY channel, number LIMIT 1",
        job, cursor.channel, cursor.number, channel, outcome);
    if (rows.empty()) return false;
    const auto found_channel = rows[0][0].as<std::int32_t>();
    const auto found_number = rows[0][1].as<std::int32_t>();
    const bool same = found_channel == cursor.channel && found_number == cursor.number;
    cursor = {found_channel, found_number, same ? cursor.position : 0};
    return true;
}

pqxx::result read_chunk(pqxx::transaction_base& work, const std::string& job, int outcome,
                        const DeliveryCursor& cursor, std::size_t limit) {
    return work.exec_params(
        "SELECT u.position, u.recipient, o.code, "
        FANFARE_BYTE("reasons") ", "
        " coalesce(CASE WHEN o.code NOT IN (1, 2, 3, 4) THEN NULL "
        "  WHEN cardinality(c.provider_ids) = 1 THEN c.provider_ids[1] "
        "  ELSE c.provider_ids[u.position] END, ''), coalesce(c.account, ''), "
        FANFARE_BYTE("attempts") ", "
        " to_char(c.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), "
        FANFARE_BYTE("causes") ", c.on_doubt "
        "FROM chunk c CROSS JOIN LATERAL unnest(c.recipients) WITH ORDINALITY "
        " AS u(recipient, position) "
        "CROSS JOIN LATERAL (SELECT " FANFARE_BYTE("outcomes") " AS code) o "
        "WHERE c.job_id = $1::uuid AND c.channel = $2 AND c.number = $3 AND u.position > $4 "
        "AND ($5 < 0 OR o.code = $5) ORDER BY u.position LIMIT $6",
        job, cursor.channel, cursor.number, cursor.position, outcome, limit);
}

}  // namespace

bool read_deliveries(postgres::Connection& connection, const std::string& job,
                     const DeliveryFilter& filter, DeliveryCursor& cursor, std::size_t limit,
                     std::vector<Delivery>& deliveries) {
    Snapshot work{connection.raw()};  // A chunk may be split between finding and reading it.
    const int channel = filter.channel ? static_cast<int>(*filter.channel) : any;
    const int outcome = filter.outcome ? static_cast<int>(*filter.outcome) : any;
    for (int chunks = 0; chunks < chunks_max; ++chunks) {
        if (!find_chunk(work, job, channel, outcome, cursor)) return false;
        const auto rows = read_chunk(work, job, outcome, cursor, limit);
        for (const auto& row : rows) {
            cursor.position = row[0].as<std::int64_t>();
            deliveries.push_back({.channel = static_cast<Channel>(cursor.channel),
                                  .outcome = static_cast<Outcome>(row[2].as<int>()),
                                  .reason = static_cast<Reason>(row[3].as<int>()),
                                  .cause = static_cast<Reason>(row[8].as<int>()),
                                  .recipient = row[1].c_str(),
                                  .provider_id = row[4].c_str(),
                                  .account = row[5].c_str(),
                                  .attempts = row[6].as<std::int32_t>(),
                                  .updated_at = row[7].c_str(),
                                  .chunk = cursor.number,
                                  .position = static_cast<std::uint32_t>(cursor.position - 1),
                                  .on_doubt = static_cast<DoubtPolicy>(row[9].as<int>())});
        }
        limit -= rows.size();
        if (limit == 0) return true;
        ++cursor.number;
        cursor.position = 0;
    }
    return true;
}

}  // namespace fanfare::ledger
