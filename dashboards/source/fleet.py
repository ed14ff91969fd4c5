"""Is everything well, and if not, where: traffic, errors, latency, saturation, then the programs themselves."""

from . import frame
from .panels import GREEN, PEOPLE_RATE, PER_MINUTE, PER_S, RED, REQUEST_RATE, YELLOW, Query, bad_above, chart, good_above, grid, number, row, states
from .queries import CHANNEL, each, is_, one, per_minute, quantile, rate, total

OF_PROGRAMS = " * on (job, instance) group_left (program) fanfare_build_info"
FAILING = ("transient", "ambiguous", "config", "perm_req")


def now(made):
    made.with_row(row("Now"))
    made.with_panel(number(
        "Ready", "Programs that say they are ready, by kind. None of a kind: nothing is sent, or nothing is published.", "none",
        Query(total(each("fanfare_ready") + OF_PROGRAMS, "program"), "{{program}}"), names=True,
        runbook="fanfarenoworker", steps=good_above(1, 1)))
    made.with_panel(number(
        "People due", "People who could be told now and wait for a worker.", "short",
        Query(total(one("fanfare_backlog_recipients", CHANNEL, is_("waiting", "due"))), "due")))
    made.with_panel(number(
        "Oldest that is due", "How long the oldest chunk has been due that nobody has claimed. It grows when workers, rates or the"
        " ledger are too slow.", "s",
        Query(total(one("fanfare_backlog_oldest_seconds", CHANNEL), how="max"), "oldest"),
        runbook="fanfarebacklogold", steps=bad_above(60, 300)))
    made.with_panel(number(
        "Jobs open", "Jobs that are being planned or sent.", "short", Query(total(one("fanfare_open_jobs")), "open")))
    made.with_panel(number(
        "Accounts not used", "Accounts that are paused for their credentials, given a rest by their breaker, or held by an operator.",
        "short", Query(f"count((max by (account) ({each('fanfare_account_paused')}) + max by (account) ({each('fanfare_account_broken')})"
                       f" + max by (account) ({each('fanfare_account_held')})) > 0) or vector(0)", "not used"),
        runbook="fanfareaccountpaused", steps=bad_above(1)))
    made.with_panel(number(
        "Overdue notifications", "Notifications that are due and not published.", "short",
        Query(total(one("fanfare_notifications_overdue")), "overdue"), runbook="fanfareoverdue", steps=bad_above(1, 100)))


def signals(made):
    made.with_row(row("Traffic, errors, latency, saturation"))
    made.with_panel(chart(
        "People told a second", "Traffic: people whom a provider accepted, by channel.", PEOPLE_RATE,
        Query(rate(one("fanfare_outcomes_total", CHANNEL, is_("outcome", "sent")), "channel"), "{{channel}}"),
        span=6, stacked=True, words=("email", "sms", "push")))
    made.with_panel(chart(
        "Requests that fail", "Errors: the share of requests to providers with a fault that passes, a lost answer, a refused request or"
        " refused credentials. Refused recipients do not count.", "percentunit",
        Query(f"{rate(each('fanfare_requests_total', CHANNEL, is_('verdict', *FAILING)), 'account')}"
              f" / {rate(each('fanfare_requests_total', CHANNEL), 'account')}", "{{account}}"),
        span=6, most=1, runbook="fanfarerequestsfailing", steps=bad_above(0.05, 0.2)))
    made.with_panel(chart(
        "Provider latency, 99 of 100", "Latency: 99 of 100 requests are answered within this.", "s",
        Query(quantile(0.99, each("fanfare_request_seconds_bucket"), "account"), "{{account}}"), span=6))
    made.with_panel(chart(
        "Oldest that is due", "Saturation: how long the oldest chunk has been due that nobody has claimed, by channel.", "s",
        Query(total(one("fanfare_backlog_oldest_seconds", CHANNEL), "channel", how="max"), "{{channel}}"), span=6,
        runbook="fanfarebacklogold", steps=bad_above(60, 300), words=("email", "sms", "push")))


def work(made):
    made.with_row(row("Work"))
    made.with_panel(chart(
        "People who wait", "People without a final outcome: due, later (their next attempt, the end of quiet hours), held by a worker,"
        " paused by an operator.", "short",
        Query(total(one("fanfare_backlog_recipients", CHANNEL), "waiting"), "{{waiting}}"), stacked=True))
    made.with_panel(chart(
        "People planned a second", "People who were put into chunks, by channel.", PEOPLE_RATE,
        Query(rate(each("fanfare_planned_total", CHANNEL), "channel"), "{{channel}}"), stacked=True, words=("email", "sms", "push")))
    made.with_panel(chart(
        "Time of a job", "From a job's first row in the ledger to its last outcome, of jobs that are done.", "s",
        Query(quantile(0.5, each("fanfare_job_seconds_bucket", is_("state", "done"))), "half"),
        Query(quantile(0.95, each("fanfare_job_seconds_bucket", is_("state", "done"))), "95 of 100")))
    made.with_panel(chart(
        "Jobs", "Jobs by what workers did with them, a minute.", PER_MINUTE,
        Query(per_minute(each("fanfare_jobs_total"), "what"), "{{what}}"), stacked=True))
    made.with_panel(chart(
        "Jobs open", "Jobs that wait for a planner, and jobs that are being sent, by lane.", "short",
        Query(total(one("fanfare_open_jobs"), "lane", "state"), "{{lane}} {{state}}"), stacked=True))
    made.with_panel(chart(
        "Chunks", "Chunks claimed right now, by channel.", "short",
        Query(total(each("fanfare_chunks_in_flight", CHANNEL), "channel"), "{{channel}} in flight"), stacked=True))


def programs(made):
    made.with_row(row("Programs"))
    made.with_panel(states(
        "Ready", "Whether /readyz says ready, by instance.",
        Query(total(each("fanfare_ready") + OF_PROGRAMS, "program", "instance", how="max"), "{{program}} {{instance}}"),
        mapping={1: ("ready", GREEN), 0: ("not ready", RED)}, span=8, runbook="fanfarenotready"))
    made.with_panel(chart(
        "Processors", "CPU time a second; 1 is one processor.", "none",
        Query(total(f"rate({each('process_cpu_seconds_total')}[$__rate_interval])" + OF_PROGRAMS, "program", "instance"),
              "{{program}} {{instance}}")))
    made.with_panel(chart(
        "Memory", "Memory that is resident.", "bytes",
        Query(total(each("process_resident_memory_bytes") + OF_PROGRAMS, "program", "instance"), "{{program}} {{instance}}")))
    made.with_panel(chart(
        "Files open", "The share of file descriptors that are open, of those that may be.", "percentunit",
        Query(total(f"{each('process_open_fds')} / {each('process_max_fds')}" + OF_PROGRAMS, "program", "instance"),
              "{{program}} {{instance}}"), steps=bad_above(0.7, 0.9)))
    made.with_panel(chart(
        "Connections to PostgreSQL", "The share of a pool's threads, and so of its connections, that are at work just now.", "percentunit",
        Query(f"{total(each('fanfare_postgres_pool_in_use'), 'job', 'pool')} / {total(each('fanfare_postgres_pool_threads'), 'job', 'pool')}",
              "{{job}} {{pool}}"), most=1, steps=((None, GREEN), (0.95, YELLOW))))
    made.with_panel(chart(
        "Work that waits for PostgreSQL", "Work that waits for a thread of a pool, and work that ended in a fault, a second. Both should be"
        " none most of the time.", "short",
        Query(total(each("fanfare_postgres_pool_waiting"), "job", "pool"), "{{job}} {{pool}}"),
        Query(rate(each("fanfare_postgres_pool_errors_total"), "job"), "{{job}}: faults a second"),
        runbook="fanfareledgererrors", steps=bad_above(10, 100)))
    made.with_panel(chart(
        "Records at Kafka", "Records at the broker that workers have not finished, by topic.", "short",
        Query(total(each("fanfare_kafka_lag_records"), "topic"), "{{topic}}"), runbook="fanfareconsumerlag"))
    made.with_panel(chart(
        "HTTP requests", "Requests to producers by status: the API, webhooks, unsubscribe.", REQUEST_RATE,
        Query(f"{rate(each('fanfare_http_requests_total'), 'status')} > 0", "{{status}}"), stacked=True, runbook="fanfarenoroom"))
    made.with_panel(chart(
        "HTTP latency, 99 of 100", "From a request's head to its answer being known, by route.", "s",
        Query(f"{quantile(0.99, each('fanfare_http_request_seconds_bucket'), 'route')} >= 0", "{{route}}"), steps=bad_above(1, 5)))
    made.with_panel(chart(
        "Callers cut off", "Connections that were closed because there were too many: to make room, or because there was none.", PER_S,
        Query(rate(each("fanfare_http_connections_cut_total"), "why"), "{{why}}"), runbook="fanfarenoroom"))
    made.with_panel(chart(
        "Clock", "How far the database's clock is from each worker's.", "s",
        Query(total(f"abs({each('fanfare_clock_skew_seconds')})", "instance", how="max"), "{{instance}}"),
        runbook="fanfareclockskewed", steps=bad_above(1, 5)))
    made.with_panel(chart(
        "Threads", "Threads of each program. They grow with its pools and with nothing else.", "short",
        Query(total(each("process_threads") + OF_PROGRAMS, "program", "instance"), "{{program}} {{instance}}")))
    made.with_panel(number(
        "Certificate ends in", "How long the producer's certificate is good for. No data: it has none, a proxy has.", "s",
        Query(f"min({each('fanfare_http_certificate_expiry_timestamp_seconds')} > 0) - time()", "ends in", instant=True),
        span=4, height=8, runbook="fanfarecertificateending", steps=((None, RED), (7 * 86400, YELLOW), (21 * 86400, GREEN))))
    made.with_panel(number(
        "The ledger reaches back", "How old the oldest job is of whose people the ledger still knows. Older ones are dropped"
        " (database.keep_days), where nothing of them is open. No data: there is none yet.", "s",
        Query(f"time() - ({total(one('fanfare_ledger_oldest_day_timestamp_seconds'))} > 0)", "back", instant=True),
        span=4, height=8))
    made.with_panel(grid(
        "Versions", "What runs: programs, versions, commits, and since when.", "none",
        Query(total(each("fanfare_build_info"), "program", "version", "commit", "instance"), "running"),
        Query(total(each("process_start_time_seconds") + " * 1000", "instance"), "since"),
        units={"since": "dateTimeFromNow"}, hidden=("Value #A",),
        order=("program", "instance", "version", "commit"), span=16))


def dashboard():
    made = frame.new("fleet", "Fleet", "Is everything well, and if not, where.", "instance", "channel")
    for part in (now, signals, work, programs):
        part(made)
    return made
