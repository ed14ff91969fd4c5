"""Hours of mixed load without faults: orders by the API, by Kafka and of a due query, cancels, receipts of every message, replays;
and what the programs and the ledger take up meanwhile. `scripts/soak` runs it."""

import itertools
import os
import re
import subprocess
import threading
import time
from pathlib import Path

from api_client import Backend
from chaos_judge import Judge
from harness import BIN, CHANNELS, MIB, PROVIDERS, say, until
from own_stack import OwnStack

REFUSED = {"sms": "21408", "push": "SENDER_ID_MISMATCH"}
EVERY = 50  # One of so many is refused, until a replay.
REPLAYS_S = 60
SAMPLES = 400  # Of a run.
SETTLE_S = 300


class Soak(OwnStack):
    """Who uses it sets these before."""

    minutes, workers, people, every_s = 5.0, 2, 500, 10.0

    def runTest(self):
        self.samples, self.replays, self.faults, self.cancelled, self.again = [], 0, [], 0, 0
        self.over = threading.Event()
        self.start()
        self.begun = time.monotonic()
        threads = [threading.Thread(target=self.guarded, args=(work,), daemon=True)
                   for work in (self.order_on, self.replay_on)]
        for thread in threads:
            thread.start()
        self.sample_on()
        self.over.set()
        for thread in threads:
            thread.join(200)
        self.settle()
        self.judge()

    def guarded(self, work):
        """A thread's fault ends the run, and is told."""
        try:
            work()
        except Exception as fault:
            self.faults.append(f"{work.__name__}: {fault}")
            self.over.set()

    def now(self):
        return time.monotonic() - self.begun

    def start(self):
        run = self.run_ = self.own_run(sim=["--seed", "1"])
        run.people(self.people)
        run.people(5, creator="few", prefix="f")
        run.with_links()
        run.with_clients()
        run.settings["observe"]["log_level"] = "info"
        self.programs = {"producer": run.producer()}
        self.programs.update((f"worker {number + 1}", run.worker()) for number in range(self.workers))
        for channel, share in (("email", {"opened_rate": 0.4, "clicked_rate": 0.1}), ("sms", {})):
            provider = PROVIDERS[channel]
            run.sim.control(**{provider: {"webhook_url": f"https://hooks.example.com/webhooks/e2e-{provider}",
                                          "webhook_connect": run.front(), "delivered_rate": 0.95, "duplicate_rate": 0.05,
                                          "reorder_rate": 0.05, **share}})
        self.refuse(True)

    def refuse(self, yes):
        for channel, code in REFUSED.items():
            people = self.run_.addresses("creator", channel)
            refused = {a: code for person in sorted(people)[::EVERY] for a in people[person]} if yes else {}
            self.run_.sim.control(**{PROVIDERS[channel]: {"fail_addresses": refused}})

    # The load.

    def order_on(self):
        shop = Backend(self.run_.front(), "shop")
        for number in itertools.count():
            ways = (self.by_api, self.by_kafka, self.by_query, self.to_few, self.cancelled_again)
            ways[number % len(ways)](shop, number)
            if self.over.wait(self.every_s):
                return

    def by_api(self, shop, number, **more):
        job = {k: v for k, v in self.run_.job(**more).items() if k not in ("version", "id", "idempotency_key")}

        def accepted():
            status, document, _ = shop.post("/v1/jobs", job, Idempotency_Key=f"soak-{number}")
            if status == 503:  # The broker was too slow to answer: once more, with the same key.
                self.again += 1
                return None
            if status != 202:
                raise RuntimeError(f"an order was answered {status}: {document}")
            return document["id"]
        return until(accepted, "an order to be accepted", SETTLE_S, 1)

    def by_kafka(self, *_):
        self.run_.publish(self.run_.job())

    def by_query(self, _, number):
        self.run_.db.psql(f"""INSERT INTO scheduled_shows (id, user_id, title, scheduled_at) VALUES
            ('soak{number}', 'creator', 'Soak', (now() AT TIME ZONE 'UTC') + interval '14 minutes')""")

    def to_few(self, shop, number):
        self.by_api(shop, number, creator="few")

    def cancelled_again(self, shop, number):
        status, *_ = shop.post(f"/v1/jobs/{self.by_api(shop, number)}/cancel", {})
        self.cancelled += status == 200

    def replay_on(self):
        while not self.over.wait(min(REPLAYS_S, self.minutes * 15)):
            job = self.run_.db.value("SELECT job_id FROM delivery JOIN job ON job.id = job_id WHERE outcome = 'refused' "
                                     "AND state = 'done' AND replay_of IS NULL ORDER BY finished_at DESC LIMIT 1")
            if job is None:
                continue  # Nobody is left who was refused.
            self.refuse(False)
            done = subprocess.run([BIN / "fanfare", "-c", self.run_.dir / "fanfare.yaml", "replay", job, "--outcome", "refused",
                                   "--yes", "--because", "mended"], text=True, capture_output=True, timeout=120,
                                  env=self.run_.environment())
            if done.returncode != 0:
                raise RuntimeError(f"fanfare replay: {done.stdout}{done.stderr}")
            until(lambda: self.run_.db.value("SELECT count(*) FROM job WHERE replay_of IS NOT NULL AND state <> 'done'") == "0",
                  "the replay to be done", SETTLE_S, 1)
            self.replays += 1
            self.refuse(True)

    # What it takes up.

    def sample_on(self):
        every_s = max(2.0, self.minutes * 60 / SAMPLES)
        while not self.over.wait(every_s) and self.now() < self.minutes * 60:
            for name, program in self.programs.items():
                program.expect_alive()
            self.samples.append((self.now(), self.sample()))

    def sample(self):
        found = {}
        for name, program in self.programs.items():
            status = Path(f"/proc/{program.child.pid}/status").read_text()
            found["memory", name] = int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024 / MIB
            found["threads", name] = int(re.search(r"Threads:\s+(\d+)", status).group(1))
            found["files", name] = len(os.listdir(f"/proc/{program.child.pid}/fd"))
        size, lines, open_jobs, took = self.run_.db.rows(
            "SELECT pg_database_size(current_database()), (SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND backend_type = 'client backend' AND application_name <> 'e2e'), "
            "(SELECT count(*) FROM job WHERE state NOT IN ('done', 'failed', 'cancelled')), "
            "(SELECT coalesce(max(extract(epoch FROM finished_at - created_at)), 0) FROM job "
            "WHERE finished_at > now() - interval '15 s')")[0]
        found["ledger", "size"] = int(size) / MIB
        found["connections", "to PostgreSQL"] = int(lines)
        found["jobs", "open"], found["latency", "slowest"] = int(open_jobs), float(took)
        for channel, count in self.run_.told_in_all().items():
            found["told", channel] = count
        return found

    def curve(self, kind):
        """By name the points of one kind of sample."""
        names = [name for k, name in self.samples[0][1] if k == kind] if self.samples else []
        return {name: [(at_s, sample[kind, name]) for at_s, sample in self.samples] for name in names}

    # The end.

    def settle(self):
        over = ("SELECT NOT EXISTS (SELECT FROM job WHERE state NOT IN ('done', 'failed', 'cancelled')) "
                "AND NOT EXISTS (SELECT FROM chunk WHERE state <> 'done')")
        until(lambda: self.run_.db.value(over) == "t", lambda: "all to settle" + self.run_.progress(), SETTLE_S, 1)

    def judge(self):
        run, judge = self.run_, Judge(self.run_, "hold", {}, dict.fromkeys(CHANNELS, 1))
        mine = ("SELECT id FROM job WHERE state = 'done' AND replay_of IS NULL AND body->'audience'->'params'->>'user_id' = "
                "'creator'")
        jobs = [job for (job,) in run.db.rows(mine)]
        found = judge.judge(jobs)
        verified = subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "verify"], text=True,
                                  capture_output=True, env=run.environment(), timeout=300)
        wrong = judge.wrong() + self.faults
        failed = run.db.value("SELECT count(*) FROM job WHERE state = 'failed'")
        if failed != "0":
            wrong.append(f"{failed} jobs failed")
        if verified.returncode != 0:
            wrong.append(f"fanfare verify: {verified.stdout}{verified.stderr}")
        for program in self.programs.values():
            if (code := program.end()) != 0:
                wrong.append(f"{program.name} ended with {code}")
        self.verdict = {"minutes": self.minutes, "workers": self.workers, "judged_jobs": len(jobs), "cancelled": self.cancelled,
                        "replays": self.replays, "ordered_again": self.again, **found, "outcomes": dict(judge.outcomes),
                        "memory_mib": {name: [round(v, 1) for v in spread(points)] for name, points in self.curve("memory").items()},
                        "memory_mib_an_hour": {name: round(slope(points), 2) for name, points in self.curve("memory").items()},
                        "wrong": wrong, "stories": judge.stories}
        say(f"    {len(jobs)} jobs judged")
        self.assertEqual(wrong + judge.stories, [])


def spread(points):
    """First, last and largest."""
    values = [value for _, value in points]
    return values[0], values[-1], max(values)


def slope(points):
    """Of the straight line through the second half, an hour: what warms up is over by then."""
    points = points[len(points) // 2:]
    middle_s, middle = (sum(p[i] for p in points) / len(points) for i in (0, 1))
    square = sum((at_s - middle_s) ** 2 for at_s, _ in points)
    return 3600 * sum((at_s - middle_s) * (value - middle) for at_s, value in points) / square if square else 0.0
