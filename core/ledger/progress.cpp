#include "core/ledger/progress.hpp"

#include "core/ledger/chunks.hpp"
#include "core/ledger/fate_rows.hpp"
#include "core/ledger/iso.hpp"
#include "core/ledger/job_lists.hpp"
#include "core/ledger/open_jobs.hpp"
#include "core/ledger/replays.hpp"
#include "core/ledger/snapshot.hpp"

#include <fmt/format.h>
#include <pqxx/binarystring>
#include <pqxx/nontransaction>

#include <map>
#include <numeric>

namespace fanfare::ledger {
namespace {

JobProgress read_job(const pqxx::row& row) {
    return {.job = row[0].c_str(),
            .system = row[1].c_str(),
            .kind = row[2].c_str(),
            .subject = row[11].c_str(),
            .title = row[12].c_str(),
            .state = row[3].c_str(),
            .created_at = row[4].c_str(),
            .age_s = row[5].as<double>(),
            .took_s = row[6].as<double>(),
            .failure = row[7].c_str(),
            .planned = row[8].as<bool>(),
            .incomplete = row[9].as<bool>(),
            .left_out = row[10].as<std::int64_t>(),
            .channels = {},
            .dropped_at = row[14].c_str(),
            .replay_of = row[13].c_str(),
            .replays = {}};
}

constexpr const char* job_columns =
    "SELECT id, system, kind, state, " FANFARE_ISO_SECONDS("created_at") ", "
    "extract(epoch FROM app_now() - created_at)::float8, "
    "extract(epoch FROM coalesce(finished_at, app_now()) - created_at)::float8, "
    "coalesce(failure, ''), planned_at IS NOT NULL, plan_failed_at IS NOT NULL, left_out, "
    FANFARE_SUBJECT_AND_TITLE ", coalesce(replay_of::text, ''), "
    FANFARE_ISO_OR_NONE("dropped_at") " "
    "FROM job ";

/// Fills in the channels of some jobs.
void add_channels(pqxx::transaction_base& work, std::vector<JobProgress>& jobs) {
    postgres::ArrayLiteral ids;
    std::map<std::string, JobProgress*> by_id;
    for (auto& job : jobs) {
        ids.add(job.job);
        by_id[job.job] = &job;
    }
    const auto rows = work.exec_params(
        "SELECT job_id, channel, chunks, chunks_done, planned, pending, sent, delivered, opened, "
        "clicked, refused, suppressed, opted_out, no_address, expired, cancelled, retry, failed, "
        "unknown, replayed FROM job_progress WHERE job_id = ANY($1::uuid[]) "
        "ORDER BY job_id, channel",
        ids.text());
    for (const auto& row : rows) {
        ChannelProgress channel{.channel = row[1].c_str(),
                                .chunks = row[2].as<std::int64_t>(),
                                .chunks_done = row[3].as<std::int64_t>(),
                                .planned = row[4].as<std::int64_t>(),
                                .outcomes = {},
                                .waits_s = {}};
        for (std::size_t i = 0; i < outcome_count; ++i) {
            channel.outcomes[i] = row[static_cast<pqxx::row::size_type>(5 + i)].as<std::int64_t>();
        }
        by_id.at(row[0].c_str())->channels.push_back(std::move(channel));
    }
    const auto waiting = work.exec_params(
        "SELECT c.job_id, ch.name, extract(epoch FROM min(c.next_at) - min(m.now))::float8 "
        "FROM chunk c JOIN channel ch ON ch.code = c.channel "
        "CROSS JOIN (SELECT app_now() AS now) m "
        "WHERE c.job_id = ANY($1::uuid[]) AND c.state <> 'done' GROUP BY c.job_id, ch.name "
        "HAVING bool_and(c.state = 'planned' AND c.next_at > m.now)",
        ids.text());
    for (const auto& row : waiting) {
        for (auto& channel : by_id.at(row[0].c_str())->channels) {
            if (channel.channel == row[1].c_str()) channel.waits_s = row[2].as<double>();
        }
    }
}

std::vector<JobProgress> read_progress(pqxx::transaction_base& work, const pqxx::result& rows) {
    std::vector<JobProgress> jobs;
    for (const auto& row : rows) jobs.push_back(read_job(row));
    add_channels(work, jobs);
    return jobs;
}

/// Everything an audit carries from chunk to chunk.
class Auditor {
public:
    explicit Auditor(pqxx::transaction_base& work) : work_{work} {}

    Audit run(const std::string& job) {
        read_jobs(job);
        work_.exec_params(
            "DECLARE audit NO SCROLL CURSOR FOR SELECT job_id, channel, number, state, size, "
            "cardinality(recipients), outcomes, tally, "
            "recipients[1] COLLATE \"C\" <= lag(recipients[size]) OVER (PARTITION BY job_id, "
            "channel ORDER BY number) COLLATE \"C\" AND number NOT BETWEEN $2 AND $3 "
            "FROM chunk WHERE $1 = '' OR job_id = nullif($1, '')::uuid "
            "ORDER BY job_id, channel, number",
            job, split_begin, split_end - 1);
        while (true) {
            const auto rows = work_.exec("FETCH 500 FROM audit");
            if (rows.empty()) break;
            for (const auto& row : rows) check_chunk(row);
        }
        compare_sums();
        return std::move(audit_);
    }

private:
    struct Planned {
        std::string state;
        std::array<std::int64_t, channel_count> recipients{};
        std::array<std::int64_t, channel_count> chunks{};
        std::array<std::int64_t, channel_count> recipients_found{};
        std::array<std::int64_t, channel_count> chunks_found{};
    };

    void differ(std::string sentence) {
        if (audit_.differences.size() < Audit::differences_max) {
            audit_.differences.push_back(std::move(sentence));
        }
    }

    void read_jobs(const std::string& job) {
        const auto rows = work_.exec_params(
            "SELECT id, state, planned[1], planned[2], planned[3], plan_chunks[1], "
            "plan_chunks[2], plan_chunks[3], dropped_at IS NOT NULL FROM job "
            "WHERE $1 = '' OR id = nullif($1, '')::uuid",
            job);
        for (const auto& row : rows) {
            auto& planned = jobs_[row[0].c_str()];
            planned.state = row[1].c_str();
            if (row[8].as<bool>()) continue;  // Nothing of it is to be found.
            for (pqxx::row::size_type i = 0; i < channel_count; ++i) {
                planned.recipients[i] = row[2 + i].as<std::int64_t>();
                planned.chunks[i] = row[5 + i].as<std::int64_t>();
            }
        }
        audit_.jobs = static_cast<std::int64_t>(rows.size());
    }

    void check_chunk(const pqxx::row& row) {
        const auto channel = row[1].as<std::size_t>();
        const auto size = row[4].as<std::int64_t>();
        auto& job = jobs_.at(row[0].c_str());
        const auto name = fmt::format("job {} {} chunk {}", row[0].c_str(),
                                      to_string(static_cast<Channel>(channel)), row[2].c_str());
        ++audit_.chunks;
        audit_.recipients += size;
        const auto number = row[2].as<std::int32_t>();
        // Splits, and chunks of people whom another channel could not reach, come on top.
        if (number < job.chunks[channel] && (number < split_begin || number >= split_end)) {
            ++job.chunks_found[channel];
        }
        job.recipients_found[channel] += size;
        if (row[5].as<std::int64_t>() != size) {
            differ(fmt::format("{}: size {}, but {} recipients", name, size, row[5].c_str()));
        }
        if (!row[8].is_null() && row[8].as<bool>()) {
            differ(name + ": begins before the chunk before it ends: somebody may be in both");
        }
        check_outcomes(row, name, size);
    }

    void check_outcomes(const pqxx::row& row, const std::string& name, std::int64_t size) {
        std::array<std::int64_t, outcome_count> tally{};
        if (row[7].is_null()) {
            tally[0] = size;
        } else {
            postgres::TextArray counts;
            postgres::parse_array(row[7].c_str(), counts);
            for (std::size_t i = 0; i < outcome_count && i < counts.elements.size(); ++i) {
                tally[i] = std::stoll(std::string{counts.elements[i]});
            }
        }
        if (std::accumulate(tally.begin(), tally.end(), std::int64_t{0}) != size) {
            differ(fmt::format("{}: planned {}, but the tally sums to {}", name, size,
                               std::accumulate(tally.begin(), tally.end(), std::int64_t{0})));
        }
        std::array<std::int64_t, outcome_count> counted{};
        if (row[6].is_null()) {
            counted[0] = size;
        } else {
            const auto counts = count_outcomes(pqxx::binarystring{row[6]}.str());
            std::copy(counts.begin(), counts.end(), counted.begin());
        }
        const bool is_done = std::string_view{row[3].c_str()} == "done";
        for (std::size_t i = 0; i < outcome_count; ++i) {
            const auto outcome = static_cast<Outcome>(i);
            if (tally[i] != counted[i]) {
                differ(fmt::format("{}: {} {} by its tally, {} by its outcomes", name, tally[i],
                                   to_string(outcome), counted[i]));
            }
            if (is_done && !is_final(outcome) && counted[i] != 0) {
                differ(
                    fmt::format("{}: done, but {} still {}", name, counted[i], to_string(outcome)));
            }
        }
        if (!is_done && jobs_.at(row[0].c_str()).state == "done") {
            differ(name + ": not done, but its job is");
        }
    }

    void compare_sums() {
        for (const auto& [id, job] : jobs_) {
            for (const auto channel : channels) {
                const auto i = static_cast<std::size_t>(channel);
                if (job.recipients[i] != job.recipients_found[i]) {
                    differ(fmt::format("job {} {}: planned {}, but its chunks hold {}", id,
                                       to_string(channel), job.recipients[i],
                                       job.recipients_found[i]));
                }
                if (job.chunks[i] != job.chunks_found[i]) {
                    differ(fmt::format("job {} {}: {} chunks planned, but {} found", id,
                                       to_string(channel), job.chunks[i], job.chunks_found[i]));
                }
            }
        }
    }

    pqxx::transaction_base& work_;
    std::map<std::string, Planned> jobs_;
    Audit audit_;
};

}  // namespace

std::optional<JobProgress> load_progress(Connection& connection, const std::string& job) {
    Snapshot work{connection.raw()};
    return load_progress(work, job);
}

std::optional<JobProgress> load_progress(pqxx::transaction_base& work, const std::string& job) {
    const auto rows = work.exec_params(std::string{job_columns} + "WHERE id = $1::uuid", job);
    if (rows.empty()) return std::nullopt;
    std::vector<JobProgress> jobs{read_job(rows[0])};
    add_channels(work, jobs);
    jobs[0].replays = find_replays(work, job);
    return std::move(jobs[0]);
}

std::vector<JobProgress> latest_progress(Connection& connection, const JobFilter& filter,
                                         int limit) {
    Snapshot work{connection.raw()};
    return read_progress(work, exec_listed(work, job_columns, {}, {}, filter, limit));
}

SubjectProgress progress_about(Connection& connection, const std::string& system,
                               const std::string& subject, const std::string& sources, int limit) {
    Snapshot work{connection.raw()};
    SubjectProgress about;
    about.jobs = read_progress(
        work,
        work.exec_params(std::string{job_columns} +
                             "WHERE system = $1 AND subject <> '' AND (subject = $2 OR "
                             "starts_with(subject, $2 || ':')) "
                             "AND ($3 = '' OR body ->> 'source' = ANY(nullif($3, '')::text[])) "
                             "ORDER BY created_at DESC LIMIT $4",
                         system, subject, sources, limit));
    const auto rows = work.exec_params(
        "SELECT state, count(*) FROM notification WHERE system = $1 AND (subject = $2 OR "
        "starts_with(subject, $2 || ':') OR starts_with(subject, $2 || E'\\x1f')) "
        "AND ($3 = '' OR source = ANY(nullif($3, '')::text[])) GROUP BY state",
        system, subject, sources);
    for (const auto& row : rows) {
        about.notifications[row[0].c_str()] = row[1].as<std::int64_t>();
    }
    return about;
}

std::vector<ChannelFate> find_fate(Connection& connection, const std::string& job,
                                   const std::string& recipient) {
    pqxx::nontransaction work{connection.raw()};
    return find_fate(work, job, recipient);
}

std::vector<ChannelFate> find_fate(pqxx::transaction_base& work, const std::string& job,
                                   const std::string& recipient) {
    // Recipients are sorted: first and last of a chunk tell whether to look inside.
    const auto rows = work.exec_params(
        "SELECT " FANFARE_FATE
        "FROM chunk c JOIN channel ch ON ch.code = c.channel "
        "CROSS JOIN LATERAL unnest(c.recipients) WITH ORDINALITY AS u(recipient, position) "
        "WHERE c.job_id = $1::uuid AND c.recipients[1] COLLATE \"C\" <= $2 COLLATE \"C\" "
        "AND c.recipients[c.size] COLLATE \"C\" >= $2 COLLATE \"C\" AND u.recipient = $2 "
        "ORDER BY c.channel",
        job, recipient);
    std::vector<ChannelFate> fates;
    for (const auto& row : rows) fates.push_back(read_fate(row, 0));
    return fates;
}

bool cancel_job(Connection& connection, const std::string& job) {
    pqxx::nontransaction work{connection.raw()};
    return cancel_open(work, job);
}

Audit audit(Connection& connection, const std::string& job) {
    // One snapshot: a chunk that is recorded meanwhile makes no difference.
    Snapshot work{connection.raw()};
    work.exec("SET LOCAL statement_timeout = '10min'");
    return Auditor{work}.run(job);
}

}  // namespace fanfare::ledger
