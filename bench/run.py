#!/usr/bin/env python3
"""One measurement of one scenario, for scripts/bench: the programs of FANFARE_BIN_DIR on the stack that
the environment names. Prints one JSON object."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/e2e"))

import ceilings  # noqa: E402
import harness  # noqa: E402
from meter import Meter  # noqa: E402

PEOPLE = {"email": 100_000, "sms": 20_000, "push": 20_000, "three": 10_000}
CHANNELS = {"email": ["email"], "sms": ["sms"], "push": ["push"], "three": ["email", "sms", "push"]}
TINY_JOBS, TINY_PEOPLE = 2_000, 5
PLANNED_PEOPLE = 1_000_000
IDLE_S = 20


class Ledger:
    """What PostgreSQL has written since it was made, and how much larger the ledger's tables are."""

    SQL = """SELECT pg_current_wal_insert_lsn() - '0/0', sum(pg_total_relation_size(oid)) FROM pg_class
        WHERE relname IN ('job', 'chunk', 'chunk_filter', 'outcome_move')"""

    def __init__(self, database):
        self.database = database
        self.before = self.read()

    def read(self):
        return [int(value) for value in self.database.rows(self.SQL)[0]]

    def figures(self, people):
        wal, tables = (now - before for now, before in zip(self.read(), self.before))
        return {"wal_bytes_a_person": round(wal / people, 1), "ledger_bytes_a_person": round(tables / people, 1)}


class Scenario:
    """Programs with the shipped settings, on the tables of the system `shows`."""

    def __init__(self, statements, uuids=False, covering=False, workers=1, latency_ms=0):
        self.statements, self.uuids, self.covering, self.workers = statements, uuids, covering, workers
        self.run = run = harness.Run(sim=("--set", f"*.latency_ms={latency_ms}"))
        run.settings["worker"], run.settings["producer"] = {}, {}
        run.settings["kafka"].pop("client")
        run.settings["observe"]["log_level"] = "warn"
        # A build of another revision has its own.
        trees = [folder for folder in (harness.BIN, *harness.BIN.parents[:3], ROOT) if (folder / "config/systems").is_dir()]
        run.system((trees[0] / "config/systems/shows/system.yaml").read_text())
        run.settings["templates_dir"] = str(trees[0] / "templates")

    def start(self, people):
        self.run.people(people)
        if self.uuids:
            self.run.db.psql("SET session_replication_role = replica; "  # No look at references on the way.
                             "UPDATE followers SET follower_id = md5(follower_id)::uuid::text; "
                             "UPDATE push_tokens SET user_id = md5(user_id)::uuid::text; "
                             "UPDATE users SET id = md5(id)::uuid::text WHERE id <> 'creator'; "
                             "VACUUM ANALYZE users; VACUUM ANALYZE followers; VACUUM ANALYZE push_tokens;")
        if self.covering:
            self.run.db.psql("CREATE INDEX covering ON users (id) INCLUDE (email, phone, locale, time_zone, username);"
                             "VACUUM ANALYZE users;")
        self.run.producer()
        self.worker, *_ = self.run.workers(self.workers)
        # The worker has its partitions, and every program its connections, once the first job is through.
        self.run.people(3, creator="first", prefix="f")
        self.run.wait_settled(self.run.publish(self.run.job(creator="first")))
        if self.statements:
            self.run.db.psql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT pg_stat_statements_reset();")
        self.meter, self.ledger = Meter(self.run), Ledger(self.run.db)

    def settle(self, jobs, messages):
        """Seconds from publishing until the last job is closed, by the ledger's clock."""
        patience_s = 600 + messages / 5_000
        ids = [job["id"] for job in jobs]
        begun = time.time()
        self.run.publish(*jobs)
        # Asked by an index of what is open, so that asking costs next to nothing of what is measured.
        known = f"SELECT count(*) FROM job WHERE id = ANY('{{{','.join(ids)}}}')"
        harness.until(lambda: self.run.db.value(known) == str(len(ids)), f"{len(ids)} jobs up to {ids[-1]}", patience_s, 1)
        is_open = "SELECT EXISTS (SELECT FROM job WHERE state IN ('planning', 'sending'))"
        harness.until(lambda: self.run.db.value(is_open) == "f", f"{len(ids)} jobs to end", patience_s, 0.25)
        done = int(self.run.db.value(f"SELECT count(*) FROM job WHERE state = 'done' AND id = ANY('{{{','.join(ids)}}}')"))
        assert done == len(ids), f"{done} of {len(ids)} jobs are done"
        ended = float(self.run.db.value("SELECT extract(epoch FROM max(finished_at)) FROM job"))
        return ended - begun

    def figures(self, people, seconds, messages):
        used = self.meter.seconds()
        # Apart: the loop is part of the worker, and Kafka was never in the sum.
        loop, kafka = used.pop("worker_loop"), used.pop("kafka", 0.0)
        ledger = self.ledger.figures(messages)
        found = {"people": people, "seconds": round(seconds, 3), "per_s": round(messages / seconds),
                 "cpu_s": {name: round(value, 2) for name, value in used.items()}, "kafka_cpu_s": round(kafka, 2),
                 "worker_loop_cpu_s": round(loop, 2),
                 "cpu_s_per_million": round(sum(used.values()) * 1e6 / messages, 2),
                 "worker_rss_mib": round(self.worker.peak_bytes() / harness.MIB, 1), **ledger}
        return {**found, **(self.slowest() if self.statements else {})}

    def slowest(self):
        """Where PostgreSQL's time went: milliseconds, calls, the beginning of the statement."""
        rows = self.run.db.rows(
            "SELECT round(total_exec_time), calls, left(regexp_replace(query, '\\s+', ' ', 'g'), 150) "
            "FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid "
            "WHERE d.datname = current_database() ORDER BY total_exec_time DESC LIMIT 15")
        return {"statements": [[float(ms), int(calls), text] for ms, calls, text in rows]}

    def beside(self, measure):
        """What the machine could do, once nothing else is done."""
        for process in self.run.processes[1:]:
            process.end()
        return {"ceilings": measure()}

    def fan_out(self, name, share, sample):
        people, channels = int(PEOPLE[name] * share), CHANNELS[name]
        self.start(people)
        job = self.run.job(channels=channels)
        seconds = self.settle([job], people * len(channels))
        found = self.figures(people, seconds, people * len(channels))
        if sample:
            found.update(self.beside(lambda: ceilings.all_of(self.run, sample, channels, job["id"], share)))
        return found

    def tiny(self, share, sample):
        jobs = int(TINY_JOBS * share)
        self.start(TINY_PEOPLE)
        seconds = self.settle([self.run.job(channels=["email"]) for _ in range(jobs)], TINY_PEOPLE * jobs)
        found = self.figures(TINY_PEOPLE * jobs, seconds, TINY_PEOPLE * jobs)
        found["jobs_per_s"] = round(jobs / seconds, 1)
        return {**found, **(self.beside(lambda: {"commits": ceilings.commits(self.run)}) if sample else {})}

    def plan(self, share, _):
        """One audience becomes chunks, of which none is sent: their channel is held."""
        people = int(PLANNED_PEOPLE * share)
        self.start(people)
        self.run.db.psql("VACUUM followers; INSERT INTO pause (what, name, who, because) VALUES ('channel', 'email', 'bench', 'plan');")
        time.sleep(2)  # Until the worker has read it.
        self.meter = Meter(self.run)
        job = self.run.publish(self.run.job(channels=["email"]))
        span = f"SELECT extract(epoch FROM planned_at - created_at) FROM job WHERE id = '{job}'"
        seconds = float(harness.until(lambda: self.run.db.value(span), "the plan", 600, 0.25))
        return self.figures(people, seconds, people)

    def idle(self, share, _):
        self.start(TINY_PEOPLE)
        time.sleep(5)  # Until whatever the first job left is done.
        self.meter = Meter(self.run)
        begun = time.monotonic()
        time.sleep(IDLE_S * share)
        seconds = time.monotonic() - begun
        used = {name: value for name, value in self.meter.seconds().items() if name not in ("sim", "kafka", "worker_loop")}
        share_of = {name: round(100 * value / seconds, 2) for name, value in used.items()}
        found = self.slowest() if self.statements else {}
        return {**found, "core_percent": round(sum(share_of.values()), 2), "by_program": share_of}


def main():
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("scenario", choices=[*PEOPLE, "tiny", "idle", "plan"])
    reader.add_argument("--share", type=float, default=1.0)
    reader.add_argument("--statements", action="store_true")
    reader.add_argument("--ceilings", metavar="FILE", help="also what the machine could do; bench/sample.py wrote the file")
    reader.add_argument("--covering", action="store_true", help="an index of people that covers what contact queries read")
    reader.add_argument("--workers", type=int, default=1)
    reader.add_argument("--latency", type=int, default=0, metavar="MS", help="how long providers take to answer")
    reader.add_argument("--uuids", action="store_true", help="random ids of 36 characters, as most systems have")
    options = reader.parse_args()
    sample = json.loads(Path(options.ceilings).read_text()) if options.ceilings else None
    scenario = Scenario(options.statements, options.uuids, options.covering, options.workers, options.latency)
    try:
        alone = {"tiny": scenario.tiny, "idle": scenario.idle, "plan": scenario.plan}.get(options.scenario)
        found = alone(options.share, sample) if alone else scenario.fan_out(options.scenario, options.share, sample)
    except BaseException:
        scenario.run.show_logs()
        raise
    finally:
        scenario.run.stop()
    print(json.dumps({"scenario": options.scenario, "workers": options.workers, "latency_ms": options.latency, **found}))


if __name__ == "__main__":
    main()
