"""What bench/scale computes with, and where each number is from.

To measure again, on a machine with nothing else to do (docs/performance.md):

    scripts/bench --json --share 5             people a second; CPU seconds, also of the loop and of Kafka; WAL, ledger
    python3 bench/run.py email --share 5 --uuids        the same for ids of 36 random characters; push, sms
    scripts/bench --only email --statements    which statements PostgreSQL spends its time on
    pg_test_fsync                              what a flush takes

Nothing here was chosen so that the model gives what was measured.
"""

import dataclasses
from dataclasses import dataclass

from scale_model import Machines, Traffic

# People a second on two quiet cores, and of how many, 2026-12-01: means of two runs of --share 5; tiny: the median of three of
# --share 1, 903 jobs of five.
MEASURED = {"email": (500_000, 200_700), "push": (100_000, 35_200), "sms": (100_000, 29_760), "tiny": (10_000, 4_515)}
OFF_MAX = 0.15  # How far the model may be off before a test fails.

# What receipts cost was measured on a machine that built other things, where the same work costs more: as much as `tiny` did then,
# 4.55 instead of 3.1 ms a job.
QUIET = 3.1 / 4.55


@dataclass(frozen=True)
class Used:
    """CPU microseconds a person (seconds a million), as bench/run.py told them; bytes a person."""

    worker: float
    postgres: float
    simulator: float
    kafka: float  # without what it uses when nothing happens
    wal_bytes: float
    ledger_bytes: float


# 2026-12-01, PostgreSQL 15, Kafka 3.9.2, two quiet cores: means of two runs of --share 5 (email, push, sms), medians of three of
# --share 1 (tiny). Ids are those of the bench: seven characters, one after the other.
BENCH = {"email": Used(2.7, 3.2, 0.5, 2.6, 10.4, 10.6),
         "push": Used(14.0, 18.9, 5.5, 5.7, 54, 26),
         "sms": Used(20.6, 17.6, 8.2, 6.7, 88, 37),
         "tiny": Used(102, 157, 8.0, 76, 1_525, 810)}
# Two runs of each with --uuids: larger to read, to write and to keep.
UUIDS = {"email": Used(3.2, 6.2, 0.5, 3.0, 42, 40),
         "push": Used(14.7, 16.6, 5.6, 3.8, 69, 58),
         "sms": Used(21.2, 21.6, 8.2, 4.7, 79, 62)}

# Shares of PostgreSQL's time by what for (--statements): planning (of tiny jobs intake too), claim, contacts and suppressions, mark,
# record. Shares of the worker's by thread: planner, others, event loop.
SHARES = {"email": ((0.327, 0.025, 0.369, 0.041, 0.238), (0.08, 0.70, 0.22)),
          "push": ((0.067, 0.038, 0.667, 0.136, 0.092), (0.01, 0.36, 0.63)),
          "sms": ((0.133, 0.113, 0.173, 0.329, 0.252), (0.015, 0.45, 0.535)),
          "tiny": ((0.586, 0.077, 0.008, 0.127, 0.202), (0.07, 0.555, 0.375))}

# people a chunk, chunks in flight, people a request, requests at once (config/fanfare.yaml, tests/e2e/accounts.py), lanes, people a fetch
SHAPE = {"email": (1_000, 8, 1_000, 8, 8, 5_000), "push": (200, 32, 1, 100, 32, 5_000),
         "sms": (128, 8, 1, 64, 8, 5_000), "tiny": (5, 8, 5, 8, 64, 160)}


def traffic(name: str, used: Used) -> Traffic:
    plan, claim, contacts, mark, record = (used.postgres * share for share in SHARES[name][0])
    planner, pool, loop = (used.worker * share for share in SHARES[name][1])
    chunk, in_flight, request, permits, lanes, fetch = SHAPE[name]
    return Traffic(chunk=chunk, in_flight=in_flight, request=request, permits=permits, lanes=lanes, fetch=fetch,
                   plan_us=plan, claim_us=claim, contacts_us=contacts, mark_us=mark, record_us=record,
                   planner_us=planner, pool_us=pool, loop_us=loop, simulator_us=used.simulator,
                   kafka_us=used.kafka, wal_bytes=used.wal_bytes, ledger_bytes=used.ledger_bytes)


TRAFFIC = {name: traffic(name, used) for name, used in BENCH.items()}
# One host, for `scripts/bench`. Flush: the least that pg_test_fsync said (fdatasync: 1.0, 2.4, 3.1 ms)
# while others used the disk. Of 25 jobs of one
# person, one after the other, the quickest was planned after 15.5 ms and closed after 53.5: what the model's own steps do not
# explain of it is the way through Kafka, intake and closing.
HERE = Machines(one_host=True, postgres_cores=2, flush_s=0.001, before_s=0.014, announce_s=0.035)

# Nobody has tried these: PostgreSQL and workers on hosts of their own in one data centre, cores like ours, providers far away.
ANSWER_S = {"email": 0.2, "push": 0.05, "sms": 0.1}  # one request
PERMITS = {"email": 8, "push": 500, "sms": 500}  # accounts[].rate.concurrency; more than 8 of a thousand are not in flight
TRAFFIC_AWAY = {name: dataclasses.replace(traffic(name, used), permits=PERMITS[name]) for name, used in UUIDS.items()}
AWAY = {name: Machines(one_host=False, worker_cores=2, flush_s=0.0005, trip_s=0.0005, answer_s=answer_s, before_s=0.014,
                       announce_s=0.035) for name, answer_s in ANSWER_S.items()}

# A day: shares of its messages (assumed), its busiest hour beside its mean (assumed), how long the ledger keeps (database.keep_days).
DAY_SHARES = {"email": 0.30, "push": 0.65, "sms": 0.05}
PEAK = 4
KEEP_DAYS = 90


@dataclass(frozen=True)
class Receipts:
    """One event of a provider, by one webhook (Mailgun, Twilio). Microseconds of CPU, busy machine; bytes."""

    share = {"email": 1.0, "sms": 1.0}  # receipts a message (assumed): delivered
    producer: float = 153
    kafka: float = 300
    worker: float = 58
    # 20,000 receipts of 20 chunks, at once: many for one chunk are one change of it ...
    postgres_together: float = 43
    wal_together: float = 25
    # ... and one by one, each in a transaction of its own: the statement alone, by hand, on chunks of a thousand.
    postgres_apart: float = 430
    wal_apart: float = 1_780


RECEIPTS = Receipts()
