// How many people a replay would take over.
#include "core/ledger/replay_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace fanfare::ledger {
namespace {

constexpr int chunks_per_fetch = 2'000;  // Without their recipients.

bool contains(const auto& range, const auto& value) {
    return std::find(range.begin(), range.end(), value) != range.end();
}

using CountKey = std::tuple<std::string, Channel, Outcome, Reason>;

}  // namespace

bool is_chosen(const ReplayFilter& filter, char outcome, char reason, char cause) {
    if (!contains(filter.outcomes, static_cast<Outcome>(outcome))) return false;
    return filter.reasons.empty() || contains(filter.reasons, static_cast<Reason>(reason)) ||
           contains(filter.reasons, static_cast<Reason>(cause));
}

bool may_be_elsewhere(char reason) {
    return static_cast<Reason>(reason) == Reason::address_invalid;
}

std::vector<std::string> elsewhere(pqxx::transaction_base& work, const std::string& job,
                                   const std::vector<std::string>& people) {
    if (people.empty()) return {};
    const auto rows = work.exec_params(
        "SELECT DISTINCT u.recipient FROM job j JOIN chunk c ON c.job_id = j.id "
        "CROSS JOIN LATERAL unnest(c.recipients) AS u(recipient) WHERE j.id = $1::uuid "
        "AND NOT (j.body -> 'channels') ? (SELECT name FROM channel WHERE code = c.channel) "
        "AND u.recipient = ANY($2::text[])",
        job, postgres::array_of(people));
    std::vector<std::string> found;
    for (const auto& row : rows) found.emplace_back(row[0].c_str(), row[0].size());
    std::sort(found.begin(), found.end());
    return found;
}

namespace {

/// The people of chunks, counted by job, channel, outcome and reason.
class Counts {
public:
    Counts(pqxx::transaction_base& work, const ReplayFilter& filter)
        : work_{work}, filter_{filter} {}

    /// A row of `counted`, below.
    void add(const pqxx::row& row) {
        const std::string job = row[0].c_str();
        const ChunkKey key{job, static_cast<Channel>(row[4].as<int>()), row[5].as<std::int32_t>()};
        const auto size = row[6].as<std::size_t>();
        const Fates fates{row, 7, size};
        std::vector<std::size_t> unsure;
        for (std::size_t i = 0; i < size; ++i) {
            if (!is_chosen(filter_, fates.outcomes[i], fates.reasons[i], fates.causes[i])) continue;
            auto& line = lines_[key_at(key, fates, i)];
            line.job = job;
            line.system = row[1].c_str();
            line.kind = row[2].c_str();
            line.has_expired = row[3].as<bool>();
            ++line.people;
            if (may_be_elsewhere(fates.reasons[i])) unsure.push_back(i);
        }
        if (!unsure.empty()) note_unsure(key, fates, unsure);
    }

    std::vector<ReplayCount> finish() {
        for (const auto& [job, people] : unsure_) {
            std::vector<std::string> names;
            for (const auto& [name, keys] : people) names.push_back(name);
            for (const auto& name : elsewhere(work_, job, names)) {
                for (const auto& key : people.at(name)) {
                    --lines_[key].people;
                    ++lines_[key].elsewhere;
                }
            }
        }
        std::vector<ReplayCount> result;
        for (auto& [key, line] : lines_) {
            std::tie(std::ignore, line.channel, line.outcome, line.reason) = key;
            result.push_back(std::move(line));
        }
        return result;
    }

private:
    static CountKey key_at(const ChunkKey& key, const Fates& fates, std::size_t i) {
        return {key.job, key.channel, static_cast<Outcome>(fates.outcomes[i]),
                static_cast<Reason>(fates.reasons[i])};
    }

    void note_unsure(const ChunkKey& key, const Fates& fates,
                     const std::vector<std::size_t>& positions) {
        const auto row = work_.exec_params1(
            "SELECT recipients FROM chunk WHERE job_id = $1::uuid AND channel = $2 AND number = $3",
            key.job, static_cast<int>(key.channel), key.number);
        postgres::TextArray recipients;
        postgres::parse_array(row[0].c_str(), recipients);
        for (const auto i : positions) {
            unsure_[key.job][std::string{recipients.elements[i]}].push_back(key_at(key, fates, i));
        }
    }

    pqxx::transaction_base& work_;
    const ReplayFilter& filter_;
    std::map<CountKey, ReplayCount> lines_;
    /// By job and person: whom a fallback may have taken.
    std::map<std::string, std::map<std::string, std::vector<CountKey>>> unsure_;
};

}  // namespace

std::vector<ReplayCount> count_replay(Connection& connection, const ReplayFilter& filter) {
    pqxx::transaction<pqxx::repeatable_read, pqxx::read_only> work{connection.raw()};
    exec_filtered(
        work,
        "DECLARE counted NO SCROLL CURSOR FOR "
        "SELECT j.id, j.system, j.kind, coalesce(j.expires_at <= app_now(), false), c.channel, "
        "c.number, c.size, c.outcomes, c.reasons, c.causes "
        "FROM job j JOIN chunk c ON c.job_id = j.id WHERE " FANFARE_CHOSEN_JOBS
        "AND " FANFARE_CHOSEN_CHUNKS "AND c.state <> 'claimed'",
        filter);
    Counts counts{work, filter};
    while (true) {
        const auto rows = work.exec(fmt::format("FETCH {} FROM counted", chunks_per_fetch));
        if (rows.empty()) return counts.finish();
        for (const auto& row : rows) counts.add(row);
    }
}

}  // namespace fanfare::ledger
