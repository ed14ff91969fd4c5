"""What bench/scale computes with, and where each number is from.

To measure again, on a machine with nothing else to do (docs/performance.md):

    scripts/bench --json                       people a second; CPU seconds, also of the loop and of Kafka; WAL, ledger
    python3 bench/run.py email --share 5 --uuids        the same for ids of 36 random characters; push, sms
    scripts/bench --only email --statements    which statements PostgreSQL spends its time on
    pg_test_fsync                              what a flush takes

CPU seconds, not wall time, are what was taken: the machine built other things meanwhile (load 7 to 13 on two cores). Nothing here
was chosen so that the model gives what was measured.
"""

import dataclasses
from dataclasses import dataclass

from scale_model import Machines, Traffic

# People a second on two quiet cores, and of how many: docs/decisions/0019, medians of five; 517 jobs of five.
MEASURED = {"email": (100_000, 177_000), "push": (20_000, 21_375), "sms": (20_000, 8_151), "tiny": (10_000, 2_585)}
OFF_MAX = 0.15  # How far the model may be off before a test fails.

# CPU on a busy machine is more than on a quiet one: caches are shared, and less is sent together. `tiny` is known on both, without
# what looks at open jobs each second whatever is sent (0.05 s of PostgreSQL in each second): quiet 3.2 ms a job in 4 s (decision 0019),
# 3.1 without; busy 10.53 s for 2,000 jobs in 17 s and 9.53 in 20, 4.83 and 4.27 ms without.
QUIET = 3.1 / 4.55


@dataclass(frozen=True)
class Used:
    """CPU microseconds a person (seconds a million), as bench/run.py told them on the busy machine; bytes a person."""

    worker: float
    postgres: float
    simulator: float
    kafka: float  # without what it uses when nothing happens
    wal_bytes: float
    ledger_bytes: float


# 2026-11-30, PostgreSQL 15, Kafka 3.9.2: means of two runs of --share 5 (email), --share 2.5 (push, sms), 1 (tiny).
# Ids are those of the bench: seven characters, one after the other.
BENCH = {"email": Used(4.5, 6.1, 0.8, 2.6, 11, 11),
         "push": Used(25.1, 48.9, 9.9, 16, 56, 27),
         "sms": Used(98.6, 119.7, 24.0, 21, 184, 100),
         "tiny": Used(291, 687, 18.5, 180, 1_570, 760)}
# One run of each with --uuids: larger to read, to write and to keep.
UUIDS = {"email": Used(5.3, 9.9, 0.8, 2.6, 42, 40),
         "push": Used(26.8, 45.6, 10.2, 16, 71, 60),
         "sms": Used(99.5, 134.8, 23.8, 21, 272, 112)}

# Shares of PostgreSQL's time by what for (--statements; what is not in any statement, shared by their number): planning, claim,
# contacts and suppressions, mark, record. Shares of the worker's by thread (/proc/PID/task): planner, others, event loop.
SHARES = {"email": ((0.34, 0.045, 0.275, 0.085, 0.255), (0.07, 0.66, 0.27)),
          "push": ((0.06, 0.05, 0.57, 0.20, 0.12), (0.01, 0.34, 0.65)),
          "sms": ((0.035, 0.155, 0.355, 0.225, 0.23), (0.005, 0.305, 0.69)),
          "tiny": ((0.30, 0.08, 0.10, 0.21, 0.31), (0.07, 0.55, 0.38))}

# people a chunk, chunks in flight, people a request, requests at once (config/fanfare.yaml, tests/e2e/accounts.py), lanes, people a fetch
SHAPE = {"email": (1_000, 8, 1_000, 8, 8, 5_000), "push": (200, 32, 1, 100, 32, 5_000),
         "sms": (32, 32, 1, 64, 32, 5_000), "tiny": (5, 8, 5, 8, 64, 160)}


def traffic(name: str, used: Used) -> Traffic:
    plan, claim, contacts, mark, record = (used.postgres * QUIET * share for share in SHARES[name][0])
    planner, pool, loop = (used.worker * QUIET * share for share in SHARES[name][1])
    chunk, in_flight, request, permits, lanes, fetch = SHAPE[name]
    return Traffic(chunk=chunk, in_flight=in_flight, request=request, permits=permits, lanes=lanes, fetch=fetch,
                   plan_us=plan, claim_us=claim, contacts_us=contacts, mark_us=mark, record_us=record,
                   planner_us=planner, pool_us=pool, loop_us=loop, simulator_us=used.simulator * QUIET,
                   kafka_us=used.kafka * QUIET, wal_bytes=used.wal_bytes, ledger_bytes=used.ledger_bytes)


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
