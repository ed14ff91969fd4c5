"""One job, as the ledger has it: how far, what became of whom, and why not. No metric names a job: there are too many."""

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard as models

from . import frame
from .panels import CALM, PEOPLE_RATE, Query, Sql, bad_above, bar_list, chart, grid, number, row
from .queries import FLEET, KIND, SYSTEM, rate

OUTCOMES = ("sent", "delivered", "opened", "clicked", "refused", "failed", "expired", "unknown", "suppressed", "opted_out",
            "no_address", "cancelled", "replayed", "retry", "pending")
TOLD, OPEN = "sent + delivered + opened + clicked", "pending + retry"
MINE = "job_id = '${job_id}'"
JOBS = ("SELECT job_id::text AS __value, to_char(min(created_at), 'MM-DD HH24:MI:SS') || ' ' || min(system) || ' ' || min(kind)"
        " || ' ' || left(job_id::text, 8) AS __text FROM job_progress WHERE $__timeFilter(created_at)"
        " GROUP BY job_id ORDER BY min(created_at) DESC LIMIT 200")


def progress(columns, rest=""):
    return Sql(f"SELECT {columns} FROM job_progress WHERE {MINE}{rest}")


def figures(made):
    made.with_row(row("How far"))
    made.with_panel(number("State", "planning, sending, done, cancelled or failed.", "none",
                           progress("min(job_state::text) AS state"), field="state", runbook="a-wrong-text-is-going-out"))
    for title, meaning, sums, steps in (
            ("Planned", "People in the job's chunks, on all channels.", "planned", CALM),
            ("Told", "People whom a provider accepted.", TOLD, CALM),
            ("Not told", "People who were refused, given up, late or are in doubt. A replay can serve them.",
             "refused + failed + expired + unknown", bad_above(1)),
            ("Still open", "People who wait for their first or next attempt.", OPEN, CALM)):
        made.with_panel(number(title, meaning, "short", progress(f"coalesce(sum({sums}), 0)::bigint AS people"), field="people",
                               steps=steps, runbook="mail-failed-for-an-hour-what-now" if title == "Not told" else ""))
    made.with_panel(number("Took", "From the job's first row in the ledger until it was over, or until now.", "s",
                           progress("extract(epoch FROM max(coalesce(finished_at, last_updated_at)) - min(created_at))::float8"
                                    " AS seconds"), field="seconds"))


def fates(made):
    made.with_row(row("What became of whom"))
    made.with_panel(chart("When people were settled", "People with a final outcome, by the last change of their chunk: a receipt or a"
                          " replay of one moves all of the chunk on.", "short",
                          Sql("SELECT $__timeGroupAlias(updated_at, $__interval), channel AS metric, count(*) AS people FROM delivery"
                              f" WHERE {MINE} AND $__timeFilter(updated_at) AND outcome NOT IN ('pending', 'retry')"
                              " GROUP BY 1, 2 ORDER BY 1", format="time_series"),
                          span=16, bars=True, stacked=True, words=("email", "sms", "push")))
    made.with_panel(bar_list("By outcome", "People by outcome, on all channels.", "short",
                             Sql("SELECT o.outcome, sum(o.people)::bigint AS people FROM job_progress CROSS JOIN LATERAL (VALUES "
                                 + ", ".join(f"('{word}', {word})" for word in OUTCOMES)
                                 + f") AS o(outcome, people) WHERE {MINE} GROUP BY 1 HAVING sum(o.people) > 0 ORDER BY 2 DESC"),
                             words=OUTCOMES))
    made.with_panel(grid("By channel", "Planned is the sum of all outcomes, always.", "short",
                         progress("channel, chunks, chunks_done, planned, " + ", ".join(OUTCOMES), " ORDER BY channel"), height=6))


def causes(made):
    made.with_row(row("Why not"))
    made.with_panel(grid("By reason", "Who was not told, by the reason and the one behind it. It looks at every person of the job: seconds"
                         " for a million.", "short",
                         Sql("SELECT channel, outcome, reason, cause, count(*) AS people FROM delivery"
                             f" WHERE {MINE} AND reason <> 'none' GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC LIMIT 100"),
                         span=12, runbook="fanfarerefusedrising"))
    made.with_panel(grid("By account", "Who was served by which account, and what came of it.", "short",
                         Sql("SELECT coalesce(account, 'none') AS account, outcome, count(*) AS people, max(attempts) AS attempts_max"
                             f" FROM delivery WHERE {MINE} GROUP BY 1, 2 ORDER BY 1, 3 DESC"), span=12,
                         runbook="fanfarerequestsfailing"))
    made.with_panel(grid("A hundred who were not told", "People who were refused, given up, late or are in doubt, the latest first."
                         " `fanfare delivery JOB -r PERSON` tells all of one.", "short",
                         Sql("SELECT recipient, channel, outcome, reason, cause, attempts, account, updated_at FROM delivery"
                             f" WHERE {MINE} AND outcome IN ('refused', 'failed', 'expired', 'unknown')"
                             " ORDER BY updated_at DESC, recipient LIMIT 100"), units={"updated_at": "dateTimeAsLocal"},
                         runbook="mail-failed-for-an-hour-what-now"))


def neighbours(made):
    made.with_row(row("All jobs of its kind"))
    made.with_panel(chart("By outcome", "People of all jobs of this job's system and kind who came to an outcome.", PEOPLE_RATE,
                          Query(rate(f"fanfare_outcomes_total{{{FLEET}, {SYSTEM}, {KIND}}}", "outcome") + " > 0", "{{outcome}}"),
                          span=24, words=OUTCOMES))


def dashboard():
    made = frame.new("job", "One job", "One job, as the ledger has it: how far, what became of whom, and why not.")
    made.with_variable(frame.datasource_variable("ledger", "Ledger", "grafana-postgresql-datasource"))
    made.with_variable(builders.QueryVariable("job_id").label("Job").datasource(frame.LEDGER).query(JOBS)
                       .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED))
    for name in ("system", "kind"):
        made.with_variable(builders.QueryVariable(name).hide(models.VariableHide.HIDE_VARIABLE).datasource(frame.LEDGER)
                           .query(f"SELECT min({name}) FROM job_progress WHERE {MINE}")
                           .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED))
    for part in (figures, fates, causes, neighbours):
        part(made)
    return made
