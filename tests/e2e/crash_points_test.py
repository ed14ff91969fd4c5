#!/usr/bin/env python3
"""Killed between any two steps, programs go on where they were: nobody is lost, nobody is told twice whose policy forbids it,
and every job ends without a hand.

Each case arms a point of crash_points.py, gives the programs of a world work until one dies there, begins that
one anew, waits until everything is settled, and asks the simulator. Worlds stand side by side, cases in one follow another.
FANFARE_CRASH_ONLY is a pattern: only points that match."""

import json
import os
import re
import socket
import threading
import time
import unittest
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import crash_points
from api_client import Backend
from harness import CHANNELS, main, say, until
from crash_points import CAPPED, FALLBACK, JOB, ORDER, OUTBOX, RECEIPTS, REFUSED, REPLAY, SCHEDULED, around
from crash_world import PEOPLE, World

WORLDS = int(os.environ.get("FANFARE_CRASH_WORLDS", "6"))
VERBOSE = "FANFARE_CRASH_VERBOSE" in os.environ
ONLY = os.environ.get("FANFARE_CRASH_ONLY", "")
POLICY_OF = {"hold": "sms", "reconcile": "email", "resend": "push"}
ANY = {"email": "reconcile", "sms": "hold", "push": "resend"}
BEGIN = "after send.mark"


def cases_of(points, passings=(1,)):
    return [((point, n),) for point in points for n in passings if re.search(ONLY, point)]


class Worlds(unittest.TestCase):
    """Runs cases in worlds side by side, each of `kind` (a method that makes one) with a share of the cases."""

    def run_worlds(self, *shares):
        """shares: (what, make a world, carry out and judge one case in it, cases)."""
        began, self.failures_, self.done, self.lock = time.monotonic(), [], 0, threading.Lock()
        parts = [part for part in shares if part[3]]
        with ThreadPoolExecutor(WORLDS) as pool:
            list(pool.map(lambda part: self.run_world(*part), parts))
        say(f"    {self.done} cases in {len(parts)} worlds, {time.monotonic() - began:.0f} s, {len(self.failures_)} wrong")
        self.assertEqual(self.failures_, [])

    def run_world(self, what, make, judge, cases):
        try:
            world = make()
        except Exception as fault:
            return self.note(what, "begin", [repr(fault)])
        try:
            for case in cases:
                began = time.monotonic()
                wrong = self.one(world, judge, case)
                if VERBOSE:
                    say(f"    {time.monotonic() - began:5.1f} s  {what}: {case} {wrong or ''}")
                self.note(what, case, wrong)
                if wrong:  # What follows would only say so again.
                    world.run.show_logs()
                    break
            else:
                self.note(what, "end", self.one(world, lambda each, _: each.at_last() + each.adds_up(), None), 0)
        finally:
            say(f"    {what}: {len(cases)} cases, {dict(world.seen)}")
            world.stop()

    @staticmethod
    def one(world, judge, case):
        try:
            return judge(world, case)
        except (AssertionError, OSError, RuntimeError) as fault:
            return [str(fault)]

    def note(self, what, case, wrong, count=1):
        with self.lock:
            self.done += count
            self.failures_ += [f"{what}, {case}: {each}" for each in wrong]


def spread(cases, worlds):
    return [cases[i::worlds] for i in range(worlds)]


def publisher(world, jobs, **job):
    def provoke():
        jobs.append(world.publish(**job))
    return provoke


def judged_job(policies, channels, **job):
    """Publishes jobs until whoever is armed has died, at each point of the case in turn."""
    def judge(world, case):
        jobs = []
        provoke = publisher(world, jobs, channels=channels, **job)
        for step, (point, passings) in enumerate(case):
            world.kill_at(point, passings, provoke, at_once=step == 0)
        world.settle(jobs)
        return [each for one in jobs for each in world.judge(one, policies, channels)]
    return judge


class Policy(Worlds):
    """Every step of a worker, under one policy on doubt: alone, and with another worker that takes over."""

    def check(self, policy):
        channel = POLICY_OF[policy]
        policies = {c: policy for c in CHANNELS}
        judge = judged_job(policies, [channel])
        points = [*around(JOB), "after job.read", "after chunk.read", "before send.answer"]
        # Who comes after it dies too, when it writes down what the first one has left.
        after_death = [((BEGIN, 1), (point, 1)) for point in around(["send.record", "sweep.fetch", "job.close"])
                       if re.search(ONLY, point)]
        alone = cases_of(points) + after_death
        beside = cases_of(points, (2,))
        shares = [(f"{policy}, one worker", lambda: World(policies), judge, part) for part in spread(alone, 3)]
        if policy == "reconcile":  # As hold, but for its receipts.
            beside = []
        shares += [(f"{policy}, two workers", lambda: World(policies, workers=2), judge, part) for part in spread(beside, 3)]
        self.run_worlds(*shares)

    def test_hold(self):
        self.check("hold")

    def test_reconcile(self):
        self.check("reconcile")

    def test_resend(self):
        self.check("resend")


class Hold(Policy):
    test_reconcile = test_resend = None


class Reconcile(Policy):
    test_hold = test_resend = None


class Resend(Policy):
    test_hold = test_reconcile = None


class Sources(Worlds):
    """Every step of a producer, from each source, and what a worker does with special kinds."""

    def test_each(self):
        def world(**more):
            return lambda: World(ANY, **more)
        email = ["email"]
        capped = judged_job(ANY, email, kind="capped", subject="s1")
        self.run_worlds(
            ("scheduled", world(producer=True), self.scheduled, cases_of(around(SCHEDULED))),
            ("outbox", world(producer=True), self.outbox, cases_of(around(OUTBOX))),
            ("API", world(producer=True), self.api, cases_of(around(ORDER), (1, 2))),
            ("capped", world(), capped, cases_of(around(CAPPED), (1, 2))),
            ("fallback", world(prepare=self.no_tokens), self.fallen, cases_of(around(FALLBACK), (1, 2))))

    @staticmethod
    def scheduled(world, case):
        shows = []

        def provoke():
            shows.append(f"show{uuid.uuid4().hex}")
            world.session.rows(
                f"INSERT INTO scheduled_shows (id, user_id, title, scheduled_at, created_at) VALUES ('{shows[-1]}', 'creator', "
                "'Friday', (now() + interval '1 hour') AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')")
        world.kill_at(*case[0], provoke)
        names = ",".join(f"'{show}'" for show in shows)
        jobs = until(lambda: (lambda found: found if len(found) == len(shows) else None)([j for (j,) in world.session.rows(
            f"SELECT id FROM job WHERE subject IN ({names})")]), f"jobs of {shows}", 60, 0.1)
        world.settle(jobs, f"(SELECT count(*) FROM notification WHERE subject IN ({names}) AND state = 'published') "
                           f"= {len(shows)}")
        return [each for one in jobs for each in world.judge(one, ANY, CHANNELS)]

    @staticmethod
    def outbox(world, case):
        jobs = []

        def provoke():
            job = world.run.job(channels=["email"])
            jobs.append(job["id"])
            text = json.dumps(job).replace("'", "''")
            world.session.rows(f"INSERT INTO fanfare_outbox (job) VALUES ('{text}')")
        world.kill_at(*case[0], provoke)
        world.settle(jobs, "NOT EXISTS (SELECT FROM fanfare_outbox) AND NOT EXISTS (SELECT FROM outbox_row)")
        return [each for one in jobs for each in world.judge(one, ANY, ["email"])]

    @staticmethod
    def api(world, case):
        """A backend that sends its order again, with the same key, until it is taken."""
        orders, jobs = [], {}

        def send(key, order):
            try:
                status, told, _ = Backend(world.run.front(), "shop").post("/v1/jobs", order, Idempotency_Key=key)
            except (OSError, ValueError):
                return None
            if status != 202:
                return None
            return told["id"]

        def provoke():
            key = str(uuid.uuid4())
            order = {k: v for k, v in world.run.job(channels=["email"]).items() if k not in ("version", "id", "idempotency_key")}
            orders.append((key, order))
            jobs[key] = send(key, order)
        world.kill_at(*case[0], provoke)
        for key, order in orders:
            if jobs[key] is None:
                jobs[key] = until(lambda k=key, o=order: send(k, o), "an order to be taken", 60, 0.1)
        world.settle(list(jobs.values()))
        return [each for one in jobs.values() for each in world.judge(one, ANY, ["email"])]

    @staticmethod
    def no_tokens(world):
        world.run.db.psql("DELETE FROM push_tokens")

    @staticmethod
    def fallen(world, case):
        jobs = []
        world.kill_at(*case[0], publisher(world, jobs, kind="fallen", channels=["push"]))
        world.settle(jobs)
        wrong = []
        for job in jobs:
            wrong += world.judge(job, ANY, ["email"])
            unreached = {o for (c, _), o in world.fates(job).items() if c == "push"}
            wrong += [f"push: {unreached}"] if unreached != {"no_address"} else []
        return wrong



class Afterwards(Worlds):
    """What is done of jobs that were sent or refused: receipts, replays, dead letters."""

    def test_each(self):
        self.run_worlds(
            ("receipts", lambda: self.heard(World(ANY, producer=True, prepare=self.same_port)), self.receipts,
             cases_of([*around(RECEIPTS), "after receipt.read"])),
            ("replays", lambda: World(ANY, producer=True), self.replays, cases_of(around(REPLAY))),
            ("refusals", lambda: World(ANY), self.refused, cases_of(around(REFUSED), (1, 2))))

    @staticmethod
    def same_port(world):
        """Webhooks find a producer that was begun anew where the one before was."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            world.run.settings["producer"]["http"]["port"] = free.getsockname()[1]

    @staticmethod
    def heard(world):
        world.run.sim.control(mailgun={
            "hard_bounce_rate": 0.4, "delivered_rate": 1, "webhook_connect": world.run.front(),
            "webhook_url": "https://hooks.example.com/webhooks/e2e-mailgun"})
        return world

    @staticmethod
    def of_their_own(world, **channels):
        """Somebody whom no case before has made unreachable."""
        name = "n" + uuid.uuid4().hex[:8]
        world.run.people(PEOPLE, creator=name, prefix=name, **{"email": False, "sms": False, "push": False, **channels})
        return name

    def receipts(self, world, case):
        jobs, meant = {}, {"delivered": "delivered", "hard_bounced": "refused"}

        def provoke():
            creator = self.of_their_own(world, email=True)
            jobs[world.publish(creator, channels=["email"])] = creator
        world.kill_at(*case[0], provoke)
        world.settle(jobs)
        owners = {job: {a: p for p, found in world.run.addresses(creator, "email").items() for a in found}
                  for job, creator in jobs.items()}

        def differs():
            return [f"{job}: {address} was {event}, {fates[owners[job][address]]}" for job in jobs
                    for fates in [{p: o for (_, p), o in world.fates(job).items()}]
                    for address, event in world.run.sim.events("mailgun", job).items()
                    if fates[owners[job][address]] != meant.get(event)]
        until(lambda: not differs(), lambda: str(differs()[:3]), 120, 0.3)
        bounced = {a for job in jobs for a, event in world.run.sim.events("mailgun", job).items() if event == "hard_bounced"}
        # Written after the outcomes: whoever died in between hears the receipts once more.
        until(lambda: bounced <= {a for (a,) in world.session.rows("SELECT address FROM suppression")},
              "those who bounced to be suppressed", 120, 0.3)
        return [f"{a} was told {n} times" for job in jobs for a, n in world.run.accepted("email", job).items() if n > 1]

    def replays(self, world, case):
        orders, shop = {}, lambda: Backend(world.run.front(), "shop")

        def send(job):
            try:
                return shop().post("/v1/replays", {"jobs": [job], "outcomes": ["refused"], "because": "mended"},
                                   Idempotency_Key=job)[0] == 200
            except (OSError, ValueError):
                return False

        def order():
            job = world.run.job(channels=["sms"])
            body = {k: v for k, v in job.items() if k not in ("version", "id", "idempotency_key")}
            return shop().post("/v1/jobs", body, Idempotency_Key=job["id"])[1]["id"]

        def provoke():
            everybody = world.people("sms")
            world.run.sim.control(twilio={"fail_addresses": {a: "21408" for a in everybody}})
            job = order()
            world.settle([job])
            world.run.sim.control(twilio={"fail_addresses": {}})
            orders[job] = send(job)
        until(lambda: self.answers(shop), "the producer to be there", 60)
        world.kill_at(*case[0], provoke)
        for job in orders:
            until(lambda one=job: orders[one] or send(one), "a replay to be carried out", 60, 0.2)
        world.settle(orders, "NOT EXISTS (SELECT FROM replay WHERE finished_at IS NULL)")
        wrong = []
        for job in orders:
            new = [n for (n,) in world.session.rows(f"SELECT id FROM job WHERE replay_of = '{job}'")]
            if len(new) != 1 or set(world.fates(job).values()) != {"replayed"}:
                wrong.append(f"{job}: replayed by {new}, {Counter(world.fates(job).values())}")
            wrong += [each for one in new for each in world.judge(one, ANY, ["sms"])]
        return wrong

    @staticmethod
    def answers(shop):
        try:
            return shop().get("/v1/jobs?limit=1")[0] == 200
        except (OSError, ValueError):
            return False

    @staticmethod
    def refused(world, case):
        orders, jobs = [], []

        def provoke():
            orders.append(world.publish(kind="nothing.known", channels=["email"]))
        world.kill_at(*case[0], provoke)
        publisher(world, jobs, channels=["email"])()
        world.settle(jobs)
        for order in orders:
            until(lambda one=order: world.session.value(f"SELECT code FROM absent_job WHERE job_id = '{one}'") == "unknown_kind",
                  f"{order} to be refused", 60, 0.2)
        return world.judge(jobs[0], ANY, ["email"])


class Table(unittest.TestCase):
    def test_every_point_has_its_case(self):
        source = "".join(file.read_text() for file in Path(__file__).parent.glob("crash_*_test.py"))
        tried = {name for name in re.findall(r"around\((\w+)\)", source)}
        for name, steps in vars(crash_points).items():
            if isinstance(steps, dict) and name.isupper() and name not in ("POINTS", "ALONE"):
                self.assertIn(name, tried, f"no case kills at {sorted(steps)}")
        for name in crash_points.ALONE:
            self.assertIn(f'"{name}"', source)


if __name__ == "__main__":
    main()
