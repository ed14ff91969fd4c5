"""The parts that chaos happens to: programs that are begun anew when they end, a line to PostgreSQL that can be cut, orders
that keep coming, and what the simulator has accepted each second."""

import signal
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from api_client import Backend
from chaos_judge import POLICIES
from chaos_machines import Machines
from chaos_plan import BATCH, EVERY_S, LEASE_S
from chaos_services import Services
from harness import BIN, say, until
from own_stack import OwnStack

SETTLE_S = 300
END_S = 60  # From SIGTERM to the end; drain_max_ms is 5,000, and a machine may be busy.
START_AGAIN = 69  # Kafka was away at the start: docs/operations.md.
OPEN_JOBS = 3  # So many are under way at any time.
CALM = {"latency_ms": 50, "jitter_ms": 0, "lose_before_rate": 0, "error_rate": 0, "lose_after_rate": 0, "malformed_rate": 0,
        "error_after_rate": 0, "throttle_rate": 0}
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


class Stage:
    """What happens to the machinery, one after the other, while everything else goes on."""

    def __init__(self):
        self._line = ThreadPoolExecutor(1)
        self._asked = []

    def ask(self, work, *arguments):
        self._asked.append(self._line.submit(work, *arguments))
        return self._asked[-1]

    def finish(self):
        for asked in self._asked:
            asked.result(600)

    def close(self):
        self._line.shutdown(cancel_futures=True)


class World(Services, Machines, OwnStack):
    """Who uses it sets `seed`, `minutes`, `workers`, `people` (of each job), `policy`, `every_s` (from fault to fault), `older`
    (the programs of another version, for every other worker) and with_more() before."""

    seed, minutes, workers, people, policy, every_s, older = 1, 1.0, 2, 300, "mixed", EVERY_S, None

    def start(self):
        self.all_servers()
        run = self.run_ = self.own_run(sim=["--seed", str(self.seed), *self.simulator_options()])
        run.db.psql(FUNCTIONS)
        run.people(self.people)
        run.system(SYSTEM + REMINDER)
        run.short_leases(lease_ms=LEASE_S * 1000)
        run.tune("email", chunk=BATCH["email"], chunks=4, concurrency=2)
        run.tune("sms", chunk=16, chunks=8, concurrency=20)
        run.tune("push", chunk=25, chunks=8, concurrency=20)
        for channel, policy in POLICIES[self.policy].items():
            run.settings["worker"]["channels"][channel]["on_doubt"] = policy
        run.settings["worker"]["drain_max_ms"] = 5000
        run.settings["producer"]["republish_after_ms"] = 3000
        run.settings["observe"]["log_level"] = "info"
        run.with_links()
        run.with_clients()
        run.sim.control(all=CALM)
        self.connect()
        self.prepare_machines()
        self.holders = []
        self.stage, self.enough, self.ending = Stage(), threading.Event(), {}
        self.addCleanup(self.stage.close)
        self.jobs, self.samples, self.died, self.started_again = [], [], [], 0
        self.in_doubt, self.doubt, self.doubtful = defaultdict(set), threading.Event(), False
        self.programs, self.withheld = [self.program(slot) for slot in range(self.workers + 1)], set()
        self.began_at = dict.fromkeys(range(self.workers + 1), time.monotonic())
        self.begun = time.monotonic()
        self.threads = [threading.Thread(target=work, daemon=True) for work in (self.order_on, self.sample_on, self.note_doubt_on)]
        for thread in self.threads:
            thread.start()

    def now(self):
        return time.monotonic() - self.begun

    def version(self, slot):
        return self.older if self.older and slot % 2 == 0 else BIN

    def program(self, slot, ready_s=60):
        """The producer is 0, workers count from 1. They die with the thread that starts them: always the test's."""
        self.run_.more_environment = self.environment_of(slot)
        return self.run_.worker(ready_s, self.version(slot)) if slot else self.run_.producer(ready_s)

    def begin_program(self, slot):
        self.ending.pop(slot, None)
        if self.now() < self.wrong_until:
            self.withheld.add(slot)
            return
        self.withheld.discard(slot)
        self.programs[slot] = self.program(slot, ready_s=None)
        self.began_at[slot] = time.monotonic()

    def ask_to_end(self, slot):
        program = self.programs[slot]
        if not program.port_file.exists():  # It does not know the signal yet.
            program.kill()
            self.begin_program(slot)
        elif slot not in self.ending:
            self.ending[slot] = time.monotonic() + END_S
            program.signal(signal.SIGCONT)
            program.child.terminate()

    def tend(self):
        """Whoever has ended is begun anew, as an orchestrator does; who ended unasked, badly or late is noted, but for those
        that found no Kafka at their start."""
        for slot, program in enumerate(self.programs):
            if slot in self.withheld:
                self.begin_program(slot)
                continue
            late = time.monotonic() > self.ending.get(slot, float("inf"))
            if program.is_alive() and not late:
                continue
            if not late and program.child.returncode == START_AGAIN:
                self.started_again += 1
            elif late or slot not in self.ending or program.child.returncode != 0:
                self.died.append(f"{program.name} {'would not end' if late else f'ended with {program.child.returncode}'} "
                                 f"at {self.now():.1f} s")
                say(f"    {self.died[-1]}")
            program.kill()
            self.begin_program(slot)

    def machinery(self, what, service, *how):
        """scripts/stack; a service that does not start in time, on a machine that is busy, is begun once more."""
        for left in (2, 1, 0):
            try:
                self.stack(what, service, *how)
                return
            except AssertionError as fault:
                say(f"    {self.now():7.1f} s  {what} {service}: {fault}")
                if not left:
                    raise
                what, how = "start", ()

    # What goes on beside it.

    def order_on(self):
        """A new order whenever fewer than so many jobs are open, sent again until it is accepted, as a backend does."""
        while not self.enough.is_set():
            try:
                done = int(self.run_.db.value("SELECT count(*) FROM job WHERE state IN ('done', 'failed')"))
                if len(self.jobs) - done < OPEN_JOBS:
                    self.order()
                    continue
            except RuntimeError:
                pass  # PostgreSQL is away.
            self.enough.wait(0.3)

    def order(self):
        run, key = self.run_, f"chaos-{len(self.jobs)}"
        job = {k: v for k, v in run.job().items() if k not in ("version", "id", "idempotency_key")}

        def accepted():
            try:
                status, document, _ = Backend(run.front(), "shop").post("/v1/jobs", job, Idempotency_Key=key)
            except (OSError, ValueError):
                return None
            return document["id"] if status == 202 else None
        self.jobs.append(until(accepted, "the order to be accepted", SETTLE_S, 0.5))

    def sample_on(self):
        while not self.enough.wait(1):
            told = self.run_.told_in_all()
            self.samples.append((self.now(), told))

    def note_doubt_on(self):
        """Who is in a request when a fault comes or goes, and every second while one lasts, may be in doubt afterwards."""
        while not self.enough.is_set():
            if self.doubt.wait(1) or self.doubtful:
                self.doubt.clear()
                if not self.note_doubt():  # Again at once: a sweeper takes over what was left as soon as PostgreSQL is back.
                    self.doubt.set()
                    self.enough.wait(0.02)

    def note_doubt(self):
        """False when nobody can be asked."""
        try:
            for job, channel, person in self.run_.db.rows(
                    "SELECT c.job_id, ch.name, u.recipient FROM chunk c JOIN channel ch ON ch.code = c.channel "
                    "CROSS JOIN LATERAL unnest(c.recipients) WITH ORDINALITY AS u(recipient, position) "
                    "WHERE c.state = 'claimed' AND c.begun IS NOT NULL "
                    "AND get_byte(c.begun, (u.position - 1)::integer) = 1"):
                self.in_doubt[job, channel].add(person)
            return True
        except RuntimeError:
            return False  # PostgreSQL is away.

    def stop_ordering(self):
        self.enough.set()
        for thread in self.threads:
            thread.join(60)
        self.assertFalse(any(thread.is_alive() for thread in self.threads), "an order is not accepted")

    def settle(self):
        """Seconds until every job is over and no chunk is open; None when they do not become so."""
        ids, begun = ",".join(f"'{job}'" for job in self.jobs), time.monotonic()
        over = (f"SELECT (SELECT count(*) FROM job WHERE id IN ({ids}) AND state IN ('done', 'failed')) = {len(self.jobs)} "
                f"AND NOT EXISTS (SELECT FROM chunk WHERE state <> 'done')")
        while time.monotonic() - begun < SETTLE_S:
            self.tend()
            if self.run_.db.value(over) == "t":
                return time.monotonic() - begun
            time.sleep(0.5)  # A program that ends meanwhile is begun anew.
        say(f"not settled:{self.run_.progress()}")
        return None
