#!/usr/bin/env python3
"""Seeded chaos: every part dies, stops and lies in turn while jobs are sent; then everything must settle without a hand,
and the simulator knows who was really told what.

    eval "$(scripts/stack env)"; FANFARE_BIN_DIR=build/ci/bin python3 tests/e2e/chaos.py --rounds 20 --seed 7
"""

import argparse
import random
import signal
import subprocess
import sys
import time
import unittest
from collections import Counter

import broker
from api_client import Backend
from harness import BIN, CHANNELS, FINAL, say, until
from own_stack import OwnStack

LEASE_S = 4
SETTLE_S = 240
DOUBTFUL = {"sent", "delivered", "opened", "clicked", "unknown"}
RATES = {"lose_before_rate": 0.01, "error_rate": 0.01, "lose_after_rate": 0.01, "malformed_rate": 0.01}
CALM = {name: 0 for name in RATES}
FUNCTIONS = """
CREATE TABLE chaos (slow_s float8 NOT NULL, failing boolean NOT NULL);
INSERT INTO chaos VALUES (0, false);
CREATE FUNCTION chaos_wait() RETURNS int LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(slow_s) FROM chaos WHERE slow_s > 0; RETURN 1; END';
CREATE FUNCTION chaos_ok() RETURNS boolean LANGUAGE plpgsql AS
    'BEGIN IF (SELECT failing FROM chaos) THEN RAISE ''chaos'' USING ERRCODE = ''22000''; END IF; RETURN true; END';
"""
SYSTEM = """
audiences:
  followers: >
    SELECT follower_id AS recipient_id FROM followers
    CROSS JOIN (SELECT chaos_wait()) AS slow WHERE followed_id = :user_id
contacts:
  email: >
    SELECT id AS recipient_id, email AS address, locale, time_zone, username AS name FROM users
    WHERE id = ANY(:recipients) AND chaos_ok()
  sms: >
    SELECT id AS recipient_id, phone AS address, locale, time_zone, username AS name FROM users
    WHERE id = ANY(:recipients) AND chaos_ok()
  push: >
    SELECT u.id AS recipient_id, t.token AS address, u.locale, u.time_zone, u.username AS name FROM users u
    LEFT JOIN push_tokens t ON t.user_id = u.id WHERE u.id = ANY(:recipients) AND chaos_ok()
kinds:
  generic:
    lane: bulk
    audience: followers
    channels: [email]
    person_defaults: {name: there}
"""
REMINDER = """
  show.reminder:
    audience: followers
    times: [starts_at]
    person_defaults: {name: there}
    collapse_key: "show-{{show_id}}"
"""


class Chaos(OwnStack):
    """One round: `seed` decides what happens, and when."""

    seed, people, jobs, events = 1, 300, 3, 4

    def runTest(self):
        self.dice = random.Random(self.seed)
        self.told_of, self.in_doubt, self.happened = [], set(), Counter()
        self.start()
        for _ in range(self.jobs):
            self.order()
        for _ in range(self.events):
            self.pass_time(0.2, 1.5)
            event = self.dice.choice([self.kill, self.stop, self.terminate, self.outage, self.wipe, self.delete,
                                      self.slow, self.failing, self.lying, self.remove_kind, self.repeat])
            self.happened[event.__name__] += 1
            event()
        self.calm()
        self.settle()
        self.judge()

    # The stage.

    def start(self):
        run = self.run_ = self.own_run(sim=["--seed", str(self.seed)])
        run.db.psql(FUNCTIONS)
        run.people(self.people)
        run.system(SYSTEM + REMINDER)
        run.short_leases(lease_ms=LEASE_S * 1000)
        run.tune("email", chunk=20, chunks=4, concurrency=2)
        run.tune("sms", chunk=16, chunks=8, concurrency=20)
        run.tune("push", chunk=25, chunks=8, concurrency=20)
        policy = self.policy = self.dice.choice(["hold", "reconcile"])
        run.settings["worker"].setdefault("channels", {}).setdefault("email", {})["on_doubt"] = policy
        run.settings["worker"]["drain_max_ms"] = 5000
        run.settings["producer"]["republish_after_ms"] = 3000
        run.with_links()
        run.with_clients()
        run.sim.control(all={"latency_ms": 50})
        self.producer = run.producer()
        self.workers = [run.worker(ready_s=None) for _ in range(self.dice.choice([2, 3]))]

    def pass_time(self, least_s, most_s):
        """The faults come at moments of the dice's choice; nothing is awaited here."""
        time.sleep(self.dice.uniform(least_s, most_s))

    def order(self):
        """A job by the API, sent again until it is accepted, as a backend does."""
        run, key = self.run_, f"chaos-{len(self.told_of)}"
        job = {k: v for k, v in run.job().items() if k not in ("version", "id", "idempotency_key")}

        def accepted():
            try:
                status, document, _ = Backend(run.front(), "shop").post("/v1/jobs", job, Idempotency_Key=key)
            except OSError:
                return None
            return document["id"] if status == 202 else None
        self.told_of.append(until(accepted, "the order to be accepted", SETTLE_S, 0.5))

    def note_doubt(self):
        """Who is somebody's at this moment may be in doubt afterwards."""
        try:
            self.in_doubt |= self.run_.claimed()
        except RuntimeError:
            pass

    # What happens.

    def victim(self):
        return self.dice.randrange(len(self.workers))

    def kill(self):
        i = self.victim()
        self.note_doubt()
        self.workers[i].kill()
        self.note_doubt()
        self.workers[i] = self.run_.worker(ready_s=None)

    def stop(self):
        worker = self.workers[self.victim()]
        worker.signal(signal.SIGSTOP)
        self.note_doubt()
        self.pass_time(LEASE_S + 1, LEASE_S + 3)
        self.note_doubt()
        worker.signal(signal.SIGCONT)

    def terminate(self):
        i = self.victim()
        self.assertEqual(self.workers[i].end(timeout_s=30), 0)
        self.workers[i] = self.run_.worker(ready_s=None)

    def outage(self):
        self.note_doubt()
        self.stack("stop", "postgres", "--immediate")
        self.pass_time(LEASE_S + 1, 2 * LEASE_S)
        self.stack("start", "postgres")
        self.note_doubt()

    def wipe(self):
        self.stack("wipe", "kafka")

    def delete(self):
        broker.delete_topics(self.run_.brokers, self.run_.topics)

    def slow(self):
        self.run_.db.psql(f"UPDATE chaos SET slow_s = {LEASE_S + 2};")
        self.order()

    def failing(self):
        self.run_.db.psql("UPDATE chaos SET failing = true;")
        self.pass_time(1, 3)
        self.run_.db.psql("UPDATE chaos SET failing = false;")

    def lying(self):
        self.run_.sim.control(all=RATES)
        self.pass_time(1, 3)
        self.run_.sim.control(all=CALM)

    def remove_kind(self):
        i = self.victim()
        self.workers[i].end(timeout_s=30)
        self.run_.system(SYSTEM)
        self.workers[i] = self.run_.worker(ready_s=None)
        self.pass_time(1, 3)
        self.workers[i].end(timeout_s=30)
        self.run_.system(SYSTEM + REMINDER)
        self.workers[i] = self.run_.worker(ready_s=None)

    def repeat(self):
        """Records that are published once more, as they were."""
        bodies = self.run_.db.rows("SELECT job_id, body FROM api_request WHERE body IS NOT NULL")
        try:
            broker.publish(self.run_.brokers, self.run_.name + ".jobs",
                           [(job.encode(), body.encode()) for job, body in bodies], timeout_s=10)
        except RuntimeError:
            pass  # The topic is gone at this moment.

    # The end.

    def calm(self):
        self.run_.db.psql("UPDATE chaos SET slow_s = 0, failing = false;")
        self.run_.sim.control(all={**CALM, "latency_ms": 0})

    def settle(self):
        ids = ",".join(f"'{job}'" for job in self.told_of)
        open_ = (f"SELECT (SELECT count(*) FROM job WHERE id IN ({ids}) AND state IN ('done', 'failed')) = "
                 f"{len(self.told_of)} AND NOT EXISTS (SELECT FROM chunk WHERE state <> 'done')")
        until(lambda: self.run_.db.value(open_) == "t", lambda: f"seed {self.seed} to settle" + self.run_.progress(),
              SETTLE_S, 0.5)

    def judge(self):
        run, found = self.run_, Counter()
        lost_answers = Counter()
        for job in self.told_of:
            fates = run.fates(job)
            summary = run.sim.summary(job)
            for channel in CHANNELS:
                answers = summary.get(run.providers[channel], {})
                lost_answers[channel] += sum(answers.get(k, 0) for k in ("lost_after", "malformed", "errors"))
                self.judge_channel(job, channel, fates, found)
        say(f"chaos seed {self.seed}: {len(self.workers)} workers, e-mail {self.policy}, {len(self.told_of)} jobs, "
            f"{dict(self.happened)}: {dict(found)}")
        for what in ("lost", "doubled", "falsely sent", "unexpected", "not planned"):
            self.assertEqual(found[what], 0, f"seed {self.seed}: {what}")
        size = {"email": 20, "sms": 1, "push": 1}
        for what in ("unknown without cause", "repeated without cause"):
            most = sum(lost_answers[c] * size[c] for c in CHANNELS)
            self.assertLessEqual(found[what], most, f"seed {self.seed}: {what}")
        verified = subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "verify"], text=True,
                                  capture_output=True, env=run.environment(), timeout=120)
        self.assertEqual(verified.returncode, 0, f"seed {self.seed}: {verified.stdout}{verified.stderr}")

    def judge_channel(self, job, channel, fates, found):
        expected = self.run_.addresses("creator", channel)
        owner = {a: r for r, addresses in expected.items() for a in addresses}
        accepted = self.run_.accepted(channel, job)
        mine = {r: outcome for (c, r), (outcome, _) in fates.items() if c == channel}
        told = {owner[a] for a in accepted if a in owner}
        found["not planned"] += len(set(expected) - set(mine))
        found["unexpected"] += sum(1 for a in accepted if a not in owner)
        found["unexpected"] += sum(1 for r in told if mine.get(r) not in DOUBTFUL)
        found["falsely sent"] += sum(1 for r, o in mine.items() if o in DOUBTFUL - {"unknown"} and r not in told)
        found["lost"] += sum(1 for o in mine.values() if o not in FINAL)
        for outcome, count in Counter(mine.values()).items():
            found[outcome] += count
        unknown = {(channel, r) for r, o in mine.items() if o == "unknown"}
        found["unknown without cause"] += len(unknown - self.in_doubt)
        twice = {(channel, owner[a]) for a, n in accepted.items() if n > 1 and a in owner}
        if channel == "push":
            found["repeated"] += len(twice)
            found["repeated without cause"] += len(twice - self.in_doubt)
        else:
            found["doubled"] += len(twice)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--seed", type=int, default=1, help="of the first round; each further one counts up")
    options.add_argument("--people", type=int, default=Chaos.people)
    options.add_argument("--jobs", type=int, default=Chaos.jobs)
    options.add_argument("--events", type=int, default=Chaos.events)
    asked = options.parse_args()
    Chaos.people, Chaos.jobs, Chaos.events = asked.people, asked.jobs, asked.events
    suite = unittest.TestSuite()
    for seed in range(asked.seed, asked.seed + asked.rounds):
        case = Chaos()
        case.seed = seed
        suite.addTest(case)
    result = unittest.TextTestRunner(verbosity=1).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
