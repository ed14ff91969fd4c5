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

import harness  # noqa: E402

PEOPLE = {"email": 100_000, "sms": 20_000, "push": 20_000, "three": 10_000}
CHANNELS = {"email": ["email"], "sms": ["sms"], "push": ["push"], "three": ["email", "sms", "push"]}
TINY_JOBS, TINY_PEOPLE = 2_000, 5
IDLE_S = 20
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def ticks_of(pid):
    """What a process has used, without its children; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def reaped_by(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[13]) + int(fields[14])


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Meter:
    """CPU seconds of each program since it was made."""

    def __init__(self, run):
        self.programs = {process.name.rstrip("0123456789"): process.child.pid for process in run.processes}
        data = Path(run.maintenance.value("SHOW data_directory"))
        self.postmaster = int((data / "postmaster.pid").read_text().splitlines()[0])
        self.before = self.read()

    def read(self):
        found = {name: ticks_of(pid) for name, pid in self.programs.items()}
        # Of those that have ended the postmaster knows.
        found["postgres"] = (ticks_of(self.postmaster) + reaped_by(self.postmaster) +
                             sum(ticks_of(child) for child in children_of(self.postmaster)))
        return found

    def seconds(self):
        return {name: (ticks - self.before[name]) / TICKS_A_SECOND for name, ticks in self.read().items()}


class Scenario:
    """Programs with the shipped settings, on the tables of the system `shows`."""

    def __init__(self, statements):
        self.run, self.statements = harness.Run(), statements
        run = self.run
        run.settings["worker"], run.settings["producer"] = {}, {}
        run.settings["kafka"].pop("client")
        run.settings["observe"]["log_level"] = "warn"
        # A build of another revision has its own.
        trees = [folder for folder in (harness.BIN, *harness.BIN.parents[:3]) if (folder / "config/systems").is_dir()]
        run.system((trees[0] / "config/systems/shows/system.yaml").read_text())

    def start(self, people):
        self.run.people(people)
        self.run.producer()
        self.worker = self.run.worker()
        # The worker has its partitions, and every program its connections, once the first job is through.
        self.run.people(3, creator="first", prefix="f")
        self.run.wait_settled(self.run.publish(self.run.job(creator="first")))
        if self.statements:
            self.run.db.psql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT pg_stat_statements_reset();")
        self.meter = Meter(self.run)

    def settle(self, jobs):
        """Seconds from publishing until the last job is closed, by the ledger's clock."""
        ids = [job["id"] for job in jobs]
        begun = time.time()
        self.run.publish(*jobs)
        # Asked by an index of what is open, so that asking costs next to nothing of what is measured.
        known = f"SELECT count(*) FROM job WHERE id = ANY('{{{','.join(ids)}}}')"
        harness.until(lambda: self.run.db.value(known) == str(len(ids)), f"{len(ids)} jobs up to {ids[-1]}", 600, 1)
        is_open = "SELECT EXISTS (SELECT FROM job WHERE state IN ('planning', 'sending'))"
        harness.until(lambda: self.run.db.value(is_open) == "f", f"{len(ids)} jobs to end", 600, 0.25)
        done = int(self.run.db.value(f"SELECT count(*) FROM job WHERE state = 'done' AND id = ANY('{{{','.join(ids)}}}')"))
        assert done == len(ids), f"{done} of {len(ids)} jobs are done"
        ended = float(self.run.db.value("SELECT extract(epoch FROM max(finished_at)) FROM job"))
        return ended - begun

    def figures(self, people, seconds, messages):
        used = self.meter.seconds()
        found = {"people": people, "seconds": round(seconds, 3), "per_s": round(messages / seconds),
                 "cpu_s": {name: round(value, 2) for name, value in used.items()},
                 "cpu_s_per_million": round(sum(used.values()) * 1e6 / messages, 2),
                 "worker_rss_mib": round(self.worker.peak_bytes() / harness.MIB, 1)}
        return {**found, **(self.slowest() if self.statements else {})}

    def slowest(self):
        """Where PostgreSQL's time went: milliseconds, calls, the beginning of the statement."""
        rows = self.run.db.rows(
            "SELECT round(total_exec_time), calls, left(regexp_replace(query, '\\s+', ' ', 'g'), 150) "
            "FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid "
            "WHERE d.datname = current_database() ORDER BY total_exec_time DESC LIMIT 15")
        return {"statements": [[float(ms), int(calls), text] for ms, calls, text in rows]}

    def fan_out(self, name, share):
        people, channels = int(PEOPLE[name] * share), CHANNELS[name]
        self.start(people)
        seconds = self.settle([self.run.job(channels=channels)])
        return self.figures(people, seconds, people * len(channels))

    def tiny(self, share):
        jobs = int(TINY_JOBS * share)
        self.start(TINY_PEOPLE)
        seconds = self.settle([self.run.job(channels=["email"]) for _ in range(jobs)])
        found = self.figures(TINY_PEOPLE * jobs, seconds, TINY_PEOPLE * jobs)
        return {**found, "jobs_per_s": round(jobs / seconds, 1)}

    def idle(self, share):
        self.start(TINY_PEOPLE)
        time.sleep(5)  # Until whatever the first job left is done.
        self.meter = Meter(self.run)
        begun = time.monotonic()
        time.sleep(IDLE_S * share)
        seconds = time.monotonic() - begun
        used = {name: value for name, value in self.meter.seconds().items() if name != "sim"}
        share_of = {name: round(100 * value / seconds, 2) for name, value in used.items()}
        found = self.slowest() if self.statements else {}
        return {**found, "core_percent": round(sum(share_of.values()), 2), "by_program": share_of}


def main():
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("scenario", choices=[*PEOPLE, "tiny", "idle"])
    reader.add_argument("--share", type=float, default=1.0)
    reader.add_argument("--statements", action="store_true")
    options = reader.parse_args()
    scenario = Scenario(options.statements)
    try:
        alone = {"tiny": scenario.tiny, "idle": scenario.idle}.get(options.scenario)
        found = alone(options.share) if alone else scenario.fan_out(options.scenario, options.share)
    except BaseException:
        scenario.run.show_logs()
        raise
    finally:
        scenario.run.stop()
    print(json.dumps({"scenario": options.scenario, **found}))


if __name__ == "__main__":
    main()
