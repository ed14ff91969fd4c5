// How many people a replay would take over, and who they are.
#include "core/ledger/replay_choice.hpp"
#include "core/ledger/snapshot.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <tuple>

namespace fanfare::ledger {
namespace {

constexpr int chunks_counted_at_once = 2'000;    // Without their recipients.
constexpr std::size_t chunks_with_people = 100;  // With them.

using CountKey = std::tuple<std::string, Channel, Outcome, Reason>;

/// The people of chunks, counted by job, channel, outcome and reason.
class Counts {
public:
    Counts(pqxx::transaction_base& work, const ReplayFilter& filter)
        : work_{work}, chooser_{work, filter} {}

    /// A row of `counted`, below.
    void add(const pqxx::row& row) {
        const std::string job = row[0].c_str();
        auto& known = jobs_[job];
        if (known.system.empty()) known = {row[1].c_str(), row[2].c_str(), row[3].as<bool>()};
        const ChunkKey key{job, static_cast<Channel>(row[4].as<int>()), row[5].as<std::int32_t>()};
        const auto size = row[6].as<std::size_t>();
        ChunkChoice chunk{key, Fates{row, 7, size}};
        const bool held = row[10].as<bool>();
        if (held || !chooser_.needs_people(chunk)) {
            std::vector<ChunkChoice> one;
            one.push_back(std::move(chunk));
            chooser_.choose(one);
            count(one[0], held);
            return;
        }
        waiting_.push_back(std::move(chunk));
        if (waiting_.size() == chunks_with_people) look();
    }

    std::vector<ReplayCount> finish() {
        look();
        std::vector<ReplayCount> result;
        for (auto& [key, line] : lines_) {
            std::tie(line.job, line.channel, line.outcome, line.reason) = key;
            const auto& job = jobs_.at(line.job);
            line.system = job.system;
            line.kind = job.kind;
            line.has_expired = job.has_expired;
            result.push_back(std::move(line));
        }
        return result;
    }

private:
    struct Known {
        std::string system, kind;
        bool has_expired = false;
    };

    void count(const ChunkChoice& chunk, bool held) {
        for (std::size_t i = 0; i < chunk.choices.size(); ++i) {
            if (chunk.choices[i] == Choice::no) continue;
            auto& line = lines_[{chunk.key.job, chunk.key.channel,
                                 static_cast<Outcome>(chunk.fates.outcomes[i]),
                                 static_cast<Reason>(chunk.fates.reasons[i])}];
            if (held) {
                ++line.held;
            } else if (chunk.choices[i] == Choice::called_off) {
                ++line.called_off;
            } else if (chunk.choices[i] == Choice::elsewhere) {
                ++line.elsewhere;
            } else if (chunk.choices[i] == Choice::told_since) {
                ++line.told_since;
            } else {
                ++line.people;
            }
        }
    }

    /// Chunks of which one must know who is in them.
    void look() {
        if (waiting_.empty()) return;
        KeyArrays keys;
        for (const auto& chunk : waiting_) keys.add(chunk.key);
        const auto rows = work_.exec_params(
            "SELECT c.recipients FROM unnest($1::uuid[], $2::smallint[], $3::int[]) "
            "WITH ORDINALITY AS w(job_id, channel, number, position) "
            "JOIN chunk c USING (job_id, channel, number) ORDER BY w.position",
            keys.jobs.text(), keys.channels.text(), keys.numbers.text());
        for (std::size_t i = 0; i < waiting_.size(); ++i) {
            const auto row = rows.at(static_cast<pqxx::result::size_type>(i));
            postgres::parse_array(row[0].c_str(), waiting_[i].recipients);
        }
        chooser_.choose(waiting_);
        for (const auto& chunk : waiting_) count(chunk, false);
        waiting_.clear();
    }

    pqxx::transaction_base& work_;
    Chooser chooser_;
    std::map<std::string, Known, std::less<>> jobs_;
    std::map<CountKey, ReplayCount> lines_;
    std::vector<ChunkChoice> waiting_;
};

}  // namespace

std::vector<ReplayCount> count_replay(Connection& connection, const ReplayFilter& filter) {
    Snapshot work{connection.raw()};
    exec_filtered(work,
                  "DECLARE counted NO SCROLL CURSOR FOR "
                  "SELECT j.id, j.system, j.kind, coalesce(j.expires_at <= app_now(), false), "
                  "c.channel, c.number, c.size, c.outcomes, c.reasons, c.causes, "
                  "c.state = 'claimed' "
                  "FROM job j JOIN chunk c ON c.job_id = j.id WHERE " FANFARE_CHOSEN_JOBS
                  "AND " FANFARE_CHOSEN_CHUNKS,
                  filter);
    Counts counts{work, filter};
    while (true) {
        const auto rows = work.exec(fmt::format("FETCH {} FROM counted", chunks_counted_at_once));
        if (rows.empty()) return counts.finish();
        for (const auto& row : rows) counts.add(row);
    }
}

ReplaySummary sum_up(std::span<const ReplayCount> counts, bool lives_anew) {
    struct Sum {
        ReplaySum people;
        std::set<std::string_view> jobs;
    };
    std::map<std::tuple<Channel, Outcome, Reason>, Sum> sums;
    Sum all;
    for (const auto& count : counts) {
        const bool leaves = count.has_expired && !lives_anew;
        for (auto* const sum : {&sums[{count.channel, count.outcome, count.reason}], &all}) {
            auto& people = sum->people;
            (leaves ? people.expired : people.people) += count.people;
            people.elsewhere += count.elsewhere;
            people.told_since += count.told_since;
            people.called_off += count.called_off;
            people.held += count.held;
            if (!leaves && count.people > 0) sum->jobs.insert(count.job);
        }
    }
    ReplaySummary summary;
    for (auto& [key, sum] : sums) {
        sum.people.jobs = static_cast<std::int64_t>(sum.jobs.size());
        summary.lines.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), sum.people});
    }
    all.people.jobs = static_cast<std::int64_t>(all.jobs.size());
    summary.all = all.people;
    return summary;
}

std::vector<ChosenPeople> chosen_people(Connection& connection, const ReplayFilter& filter,
                                        const std::string& job, std::int64_t limit) {
    Snapshot work{connection.raw()};
    auto one = filter;
    one.jobs = {job};
    exec_filtered(work,
                  "DECLARE chosen NO SCROLL CURSOR FOR "
                  "SELECT c.job_id, c.channel, c.number, c.recipients, c.outcomes, c.reasons, "
                  "c.causes FROM job j JOIN chunk c ON c.job_id = j.id WHERE " FANFARE_CHOSEN_JOBS
                  "AND " FANFARE_CHOSEN_CHUNKS
                  "AND c.state <> 'claimed' ORDER BY c.channel, c.number",
                  one);
    const Chooser chooser{work, one};
    std::vector<ChosenPeople> found;
    while (limit > 0) {
        const auto rows = work.exec(fmt::format("FETCH {} FROM chosen", chunks_with_people / 10));
        if (rows.empty()) break;
        std::vector<ChunkChoice> chunks;
        for (const auto& row : rows) {
            postgres::TextArray recipients;
            postgres::parse_array(row[3].c_str(), recipients);
            const Fates fates{row, 4, recipients.elements.size()};
            chunks.push_back({read_key(row), fates, std::move(recipients), {}});
        }
        chooser.choose(chunks);
        for (const auto& chunk : chunks) {
            if (limit <= 0) break;
            ChosenPeople people{chunk.key.channel, {}};
            for (std::size_t i = 0; i < chunk.choices.size(); ++i) {
                if (chunk.choices[i] != Choice::taken) continue;
                people.recipients.emplace_back(chunk.recipients.elements[i]);
            }
            limit -= static_cast<std::int64_t>(people.recipients.size());
            if (!people.recipients.empty()) found.push_back(std::move(people));
        }
    }
    return found;
}

}  // namespace fanfare::ledger
