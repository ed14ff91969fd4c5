#include "core/ledger/history.hpp"

#include "core/ledger/fate_rows.hpp"
#include "core/ledger/job_lists.hpp"
#include "core/ledger/person_filter.hpp"
#include "core/ledger/snapshot.hpp"

#include <map>

namespace fanfare::ledger {
namespace {

constexpr int jobs_max = 1'000;  // Of a page, but for its last batch.
constexpr int jobs_first = 100;  // Then ever more: who is in most of them is found at once.

pqxx::result newest_jobs(pqxx::transaction_base& work, const AccessFilter& access,
                         const std::string& system, const HistoryCursor& cursor, int limit) {
    JobFilter filter;
    filter.system = system;
    filter.before_at = cursor.before_at;
    filter.before_id = cursor.before_id;
    return exec_listed(work,
                       "SELECT id, system, kind, " FANFARE_SUBJECT_AND_TITLE
                       ", " FANFARE_ISO("created_at") ", coalesce(replay_of::text, '') FROM job ",
                       access.systems, access.sources, filter, limit);
}

/// By job: the fates of the person in these.
std::map<std::string, std::vector<ChannelFate>, std::less<>> fates_in(
    pqxx::transaction_base& work, const std::string& jobs, const std::string& recipient) {
    const auto hash = hash_of_person(recipient);
    const auto rows = work.exec_params(
        "SELECT c.job_id, " FANFARE_FATE
        "FROM (SELECT f.job_id, f.channel, f.number FROM chunk_filter f "
        "  WHERE f.job_id = ANY($1::uuid[]) AND may_hold(f.filter, $3, $4) "
        " UNION ALL SELECT k.job_id, k.channel, k.number FROM chunk k "
        "  WHERE k.job_id = ANY($1::uuid[]) AND NOT EXISTS (SELECT FROM chunk_filter f "
        "   WHERE f.job_id = k.job_id AND f.channel = k.channel AND f.number = k.number)) w "
        "JOIN chunk c ON c.job_id = w.job_id AND c.channel = w.channel AND c.number = w.number "
        "JOIN channel ch ON ch.code = c.channel "
        "CROSS JOIN LATERAL unnest(c.recipients) WITH ORDINALITY AS u(recipient, position) "
        "WHERE u.recipient = $2 ORDER BY c.channel, c.number",
        jobs, recipient, hash.first, hash.step);
    std::map<std::string, std::vector<ChannelFate>, std::less<>> fates;
    for (const auto& row : rows) fates[row[0].c_str()].push_back(read_fate(row, 1));
    return fates;
}

}  // namespace

bool read_history(postgres::Connection& connection, const AccessFilter& access,
                  const std::string& system, const std::string& recipient, HistoryCursor& cursor,
                  std::size_t limit, std::vector<PersonDelivery>& deliveries) {
    Snapshot work{connection.raw()};
    std::size_t found = 0;
    int batch = jobs_first;
    for (int looked_at = 0; looked_at < jobs_max; looked_at += batch, batch *= 2) {
        const auto jobs = newest_jobs(work, access, system, cursor, batch);
        postgres::ArrayLiteral ids;
        for (const auto& job : jobs) ids.add(job[0].c_str());
        auto fates = fates_in(work, ids.text(), recipient);
        for (const auto& job : jobs) {
            cursor = {job[5].c_str(), job[0].c_str()};
            for (auto& fate : fates[job[0].c_str()]) {
                deliveries.push_back({.job = job[0].c_str(),
                                      .system = job[1].c_str(),
                                      .kind = job[2].c_str(),
                                      .subject = job[3].c_str(),
                                      .title = job[4].c_str(),
                                      .created_at = job[5].c_str(),
                                      .replay_of = job[6].c_str(),
                                      .fate = std::move(fate)});
                ++found;
            }
            if (found >= limit) return true;
        }
        if (jobs.size() < static_cast<pqxx::result::size_type>(batch)) return false;
    }
    return true;
}

}  // namespace fanfare::ledger
