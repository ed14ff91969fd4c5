"""What is due: found in time, published in time, and what the systems' own tables answer."""

from . import frame
from .panels import GREEN, PER_MINUTE, PER_S, RED, Query, bad_above, chart, grid, number, row, states
from .queries import KIND, SYSTEM, each, increase, is_, one, per_minute, quantile, rate, total

NOTIFICATIONS = "fanfare_notifications_total"


def now(made):
    made.with_row(row("Now"))
    made.with_panel(number("Overdue", "Notifications that are due and not published.", "short",
                           Query(total(one("fanfare_notifications_overdue")), "overdue"), runbook="fanfareoverdue",
                           steps=bad_above(1, 100)))
    made.with_panel(number("Oldest that is overdue", "How long the oldest of them has been due and known.", "s",
                           Query(total(one("fanfare_notifications_overdue_seconds"), how="max"), "oldest"),
                           runbook="fanfareoverdue", steps=bad_above(10, 30)))
    made.with_panel(number("Waiting", "Notifications that are scheduled for later.", "short",
                           Query(total(each("fanfare_notifications_waiting"), how="max"), "waiting")))
    made.with_panel(number("Rows that cannot be used", "Rows that due queries gave last and that cannot be used.", "short",
                           Query(f"sum(max by (system, kind) ({each('fanfare_due_rows_unusable', SYSTEM, KIND)}))", "rows"),
                           runbook="fanfareduerowsunusable", steps=bad_above(1)))
    made.with_panel(number("Rows of outboxes", "Rows of outboxes that are published and that no worker has taken.", "short",
                           Query(total(one("fanfare_outbox_untaken_rows", SYSTEM)), "rows"), runbook="fanfareoutboxwaits",
                           steps=bad_above(1000, 10000)))
    made.with_panel(number("Oldest in an outbox", "The age of the oldest row that a producer could not publish.", "s",
                           Query(total(each("fanfare_outbox_unpublished_seconds", SYSTEM), how="max"), "oldest"),
                           steps=bad_above(30, 300), runbook="fanfareoutboxwaits"))


def publishing(made):
    made.with_row(row("Published in time"))
    made.with_panel(chart("Lag", "From when a notification is due and known to the broker's acknowledgement: half of them, 90 and 99 of"
                          " 100.", "s",
                          *(Query(quantile(share, each("fanfare_schedule_lag_seconds_bucket")), legend)
                            for share, legend in ((0.5, "half"), (0.9, "90 of 100"), (0.99, "99 of 100"))),
                          runbook="fanfareschedulelate", steps=bad_above(5, 30)))
    made.with_panel(chart("Overdue", "Notifications that are due and not published.", "short",
                          Query(total(one("fanfare_notifications_overdue")), "overdue"), runbook="fanfareoverdue",
                          steps=bad_above(1, 100)))
    made.with_panel(chart("Waiting", "Notifications that are scheduled for later.", "short",
                          Query(total(each("fanfare_notifications_waiting"), how="max"), "waiting")))
    made.with_panel(chart("What became of notifications", "A minute: found, changed, cancelled, stopped (by their own"
                          " rows), expired, published, rejected, failed; of an outbox; and jobs that were published again.", PER_MINUTE,
                          Query(f"{per_minute(each(NOTIFICATIONS, SYSTEM, KIND), 'what')} > 0", "{{what}}"), stacked=True, runbook="a-job-never-came"))
    made.with_panel(chart("Published, by kind", "Notifications that were published, a minute.", PER_MINUTE,
                          Query(per_minute(each(NOTIFICATIONS, SYSTEM, KIND, is_("what", "published")), "system", "kind"),
                                "{{system}} {{kind}}"), stacked=True))
    made.with_panel(states("Who shows the whole", "The producer that shows what is one number for all programs. Exactly one should.",
                           Query(total(each("fanfare_elected"), "instance", how="max"), "{{instance}}"), span=8,
                           mapping={1: ("elected", GREEN), 0: ("not", "text")}, runbook="fanfarenobodycounts"))


def tables(made):
    made.with_row(row("The systems' own tables"))
    made.with_panel(chart("Due queries", "95 of 100 due queries take at most this.", "s",
                          Query(quantile(0.95, each("fanfare_due_query_seconds_bucket", SYSTEM, KIND), "system", "kind"),
                                "{{system}} {{kind}}"), runbook="fanfareschedulelate", steps=bad_above(1, 5)))
    made.with_panel(chart("Due queries that fail", "Due queries that ended in a fault, a second.", PER_S,
                          Query(rate(each("fanfare_due_query_failures_total", SYSTEM, KIND), "system", "kind"), "{{system}} {{kind}}"),
                          runbook="fanfareduequeryfailing", steps=bad_above(0.01)))
    made.with_panel(chart("Rows that cannot be used", "Rows that the due query gave last and that cannot be used.", "short",
                          Query(total(each("fanfare_due_rows_unusable", SYSTEM, KIND), "system", "kind", how="max"),
                                "{{system}} {{kind}}"), runbook="fanfareduerowsunusable", steps=bad_above(1)))
    made.with_panel(chart("Outboxes", "How long ago the oldest row was published that no worker has taken, and how old the oldest is that"
                          " could not be published.", "s",
                          Query(total(one("fanfare_outbox_oldest_seconds", SYSTEM), "system", how="max"), "{{system}} not taken"),
                          Query(total(each("fanfare_outbox_unpublished_seconds", SYSTEM), "system", how="max"),
                                "{{system}} not published"), span=12, steps=bad_above(30, 300), runbook="fanfareoutboxwaits"))
    made.with_panel(states("Clock", "Whether the database's clock is steady. While it is doubted nothing new is begun.",
                           Query(total(each("fanfare_clock_doubted"), "job", "instance", how="max"), "{{job}} {{instance}}"), span=12,
                           mapping={0: ("steady", GREEN), 1: ("doubted", RED)}, runbook="fanfareclockdoubted"))
    made.with_panel(grid("By kind", "What became of notifications in the time that is shown.", "short",
                         *(Query(increase(each(NOTIFICATIONS, SYSTEM, KIND, 'kind!=""', is_("what", what)), "system", "kind"), what)
                           for what in ("found", "changed", "published", "cancelled", "stopped", "expired", "rejected", "failed")),
                         order=("system", "kind")))


def dashboard():
    made = frame.new("schedule", "Schedule", "What is due: found in time and published in time.", "instance", "system", "kind")
    for part in (now, publishing, tables):
        part(made)
    return made
