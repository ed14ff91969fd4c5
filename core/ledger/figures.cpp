#include "core/ledger/figures.hpp"

#include <pqxx/nontransaction>

namespace fanfare::ledger {
namespace {

/// One row a figure: what it is, two words, three codes, a number and an age in seconds.
constexpr const char* figures_sql =
    "WITH moment AS MATERIALIZED (SELECT app_now() AS now), "
    // Channels none of whose accounts may begin anything.
    "shut AS MATERIALIZED (SELECT a.channel FROM unnest($1::text[], $2::smallint[]) "
    "  AS a (name, channel) LEFT JOIN pause p ON p.what = 'account' AND p.name = a.name "
    "  AND is_in_force(p) GROUP BY a.channel HAVING bool_and(p.id IS NOT NULL)) "
    "SELECT 'moves', system, kind, channel, from_outcome, to_outcome, people, 0::float8 "
    " FROM outcome_moves "
    // By job first: so few are asked whether they are paused.
    "UNION ALL SELECT 'backlog', '', '', channel, lane, CASE WHEN waiting = 0 AND pauses.there "
    "  AND (channel IN (SELECT s.channel FROM shut s) "
    "   OR is_paused(job_id, channel, '')) THEN 3 ELSE waiting END AS w, "
    "  sum(people)::bigint, "
    "  greatest(extract(epoch FROM max(now) - min(next_at)), 0)::float8 "
    " FROM (SELECT c.job_id, c.channel, c.lane, m.now, min(c.next_at) AS next_at, "
    "   CASE WHEN c.state = 'claimed' THEN 2 WHEN c.next_at > m.now THEN 1 ELSE 0 END AS waiting, "
    "   sum(coalesce(c.tally[1], c.size) + coalesce(c.tally[12], 0)) AS people "
    "  FROM chunk c CROSS JOIN moment m WHERE c.state <> 'done' "
    "  GROUP BY c.job_id, c.channel, c.lane, m.now, waiting) open "
    " CROSS JOIN (SELECT EXISTS (SELECT FROM pause) AS there) pauses GROUP BY channel, lane, w "
    "UNION ALL SELECT 'jobs', '', '', lane, (state = 'sending')::int, 0, count(*), 0 "
    " FROM job WHERE state IN ('planning', 'sending') GROUP BY lane, state "
    "UNION ALL SELECT 'outbox', system, '', 0, 0, 0, count(*), "
    "  extract(epoch FROM max(now - first_at))::float8 "
    " FROM outbox_row CROSS JOIN moment GROUP BY system "
    "UNION ALL SELECT 'overdue', '', '', 0, 0, 0, count(*), "
    "  coalesce(extract(epoch FROM max(now - greatest(due_at, created_at))), 0)::float8 "
    " FROM notification CROSS JOIN moment WHERE state IN ('scheduled', 'publishing') "
    "  AND due_at <= now "
    "UNION ALL SELECT 'pauses', '', '', 0, 0, 0, count(*), 0 FROM pause p WHERE is_in_force(p) "
    "UNION ALL SELECT 'kept', '', '', 0, 0, 0, 0, "
    "  coalesce(extract(epoch FROM min(day)), 0)::float8 FROM job WHERE dropped_at IS NULL "
    "UNION ALL SELECT 'replays', '', '', count(*) FILTER (WHERE finished_at IS NULL)::int, 0, 0, "
    "  count(*), 0 FROM replay";

std::optional<Outcome> read_outcome(const pqxx::field& field) {
    const auto code = field.as<int>();
    if (code < 0 || code >= static_cast<int>(outcome_count)) return std::nullopt;
    return static_cast<Outcome>(code);
}

Moves read_moves(const pqxx::row& row) {
    return {.system = row[1].c_str(),
            .kind = row[2].c_str(),
            .channel = static_cast<Channel>(row[3].as<int>()),
            .from = read_outcome(row[4]),
            .to = read_outcome(row[5]),
            .people = row[6].as<std::int64_t>()};
}

void add(Figures& figures, const pqxx::row& row) {
    const std::string_view what = row[0].c_str();
    const auto code = row[3].as<int>();
    const auto number = row[6].as<std::int64_t>();
    const auto age = row[7].as<double>();
    if (what == "moves") {
        figures.moves.push_back(read_moves(row));
    } else if (what == "backlog") {
        figures.backlog.push_back({static_cast<Channel>(code), static_cast<Lane>(row[4].as<int>()),
                                   static_cast<Waiting>(row[5].as<int>()), number, age});
    } else if (what == "jobs") {
        figures.jobs.push_back({static_cast<Lane>(code), row[4].as<int>() == 1, number});
    } else if (what == "outbox") {
        figures.outboxes.push_back({row[1].c_str(), number, age});
    } else if (what == "overdue") {
        figures.overdue = number;
        figures.overdue_s = age;
    } else if (what == "pauses") {
        figures.pauses = number;
    } else if (what == "kept") {
        figures.oldest_day = age;
    } else {
        figures.replays = number;
        figures.replays_open = code;
    }
}

}  // namespace

Figures read_figures(Connection& connection, std::span<const NamedAccount> accounts) {
    postgres::ArrayLiteral names, codes;
    for (const auto& account : accounts) {
        names.add(account.name);
        codes.add(static_cast<std::int64_t>(account.channel));
    }
    pqxx::nontransaction work{connection.raw()};
    Figures figures;
    for (const auto& row : work.exec_params(figures_sql, names.text(), codes.text())) {
        add(figures, row);
    }
    return figures;
}

std::size_t fold_moves(Connection& connection, int limit) {
    pqxx::nontransaction work{connection.raw()};
    // In one order: two that fold do not wait for each other in a circle.
    return work
        .exec_params(
            "WITH gone AS (DELETE FROM outcome_move WHERE ctid = ANY(ARRAY("
            "  SELECT ctid FROM outcome_move LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING *), "
            "added AS (INSERT INTO outcome_total AS t "
            "  SELECT system, kind, channel, from_outcome, to_outcome, sum(people) FROM gone "
            "  GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5 "
            "  ON CONFLICT (system, kind, channel, from_outcome, to_outcome) "
            "  DO UPDATE SET people = t.people + excluded.people) SELECT count(*) FROM gone",
            limit)[0][0]
        .as<std::size_t>();
}

}  // namespace fanfare::ledger
