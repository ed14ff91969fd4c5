"""A world in which programs are killed between two steps: the shipped programs, with a library before theirs that kills them
where a test has armed it to, and with a database, topics and a simulator of their own. See tests/crash/killing.cpp."""

import mmap
import struct
import subprocess
import time
from collections import Counter
from pathlib import Path

from crash_points import POINTS
from harness import BIN, CHANNELS, FINAL, ROOT, SLOW, Run, until

KILLING = BIN.parent / "crash/killing.so"
ARMED_BYTES = 256
PEOPLE, CHUNK = 6, 2
LEASE_MS, TIMEOUT_MS, SESSION_MS = 3000, 1000, 2000
START_S, DEATH_S, SETTLE_S = 120, 120, 240
AGAIN_S = 3  # Nobody has come by: there is more to do.
START_AGAIN = 69
KILLED = -9
TOLD = {"sent", "delivered", "opened", "clicked"}
SYSTEM = """
audiences:
  followers: SELECT follower_id AS recipient_id FROM followers WHERE followed_id = :user_id
contacts:
  email: SELECT id AS recipient_id, email AS address, locale, time_zone, username AS name FROM users
  sms: SELECT id AS recipient_id, phone AS address, locale, time_zone, username AS name FROM users
  push: |
    SELECT u.id AS recipient_id, t.token AS address, u.locale, u.time_zone, u.username AS name
      FROM users u LEFT JOIN push_tokens t ON t.user_id = u.id
kinds:
  show.reminder: {audience: followers, times: [starts_at], person_defaults: {name: there}}
  capped:
    {audience: followers, templates: show.reminder, times: [starts_at], person_defaults: {name: there}, channels: [email],
     at_most: {count: 90, per_hours: 24}, cancels: [show.reminder]}
  fallen:
    {audience: followers, templates: show.reminder, times: [starts_at], person_defaults: {name: there}, channels: [push],
     fallback: {push: email}, on_doubt: {push: hold}}
schedules:
  show.reminder: |
    SELECT id AS subject, scheduled_at AT TIME ZONE 'UTC' AS occurrence, created_at AT TIME ZONE 'UTC' AS due_at,
           scheduled_at AT TIME ZONE 'UTC' AS expires_at, json_build_object('user_id', user_id) AS params,
           json_build_object('show_id', id, 'user_id', user_id, 'username', 'Mira', 'title', title,
                             'starts_at', to_char(scheduled_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS data
      FROM scheduled_shows WHERE status = 'scheduled' AND created_at <= :horizon AT TIME ZONE 'UTC'
outbox: fanfare_outbox
"""


class Session:
    """One psql that stays: a process for each question would be most of what a world costs."""

    END = "-- over --"

    def __init__(self, url):
        self.psql = subprocess.Popen(
            ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-P", "null=\\N", "-d", url], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def rows(self, query):
        self.psql.stdin.write(f"{query};\n\\echo {self.END}\n")
        self.psql.stdin.flush()
        found = []
        for line in self.psql.stdout:
            line = line.rstrip("\n")
            if line == self.END:
                return found
            if "ERROR:" in line:
                raise AssertionError(line)
            found.append(line.split("\t"))
        raise AssertionError("psql ended")

    def value(self, query):
        found = self.rows(query)
        return found[0][0] if found else None

    def close(self):
        self.psql.stdin.close()
        self.psql.wait(30)


class DiedAsArmed(Exception):
    """While it was still given work."""


class World:
    """`workers` and, where asked for, a producer, all of which die where they are armed to and are begun anew at once."""

    def __init__(self, policies, workers=1, producer=False, prepare=None):
        self.run = Run(sim=["--seed", "5"])
        self.session, self.begun, self.is_provoking = None, set(), False
        try:
            self._prepare(policies, producer, prepare)
            self.programs = ["worker"] * workers + ["producer"] * producer
            self.programs = [(name, self._begin(name)) for name in self.programs]
            until(self.is_ready, "programs to be ready", START_S, 0.2)
        except BaseException:
            self.run.show_logs()
            self.run.stop()
            raise

    def _prepare(self, policies, producer, prepare):
        run = self.run
        self.armed = run.dir / "armed"
        self.armed.write_bytes(bytes(ARMED_BYTES))
        with open(self.armed, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), ARMED_BYTES)
        environment = run.environment
        run.environment = lambda **more: environment(
            LD_PRELOAD=str(KILLING), FANFARE_CRASH_FILE=str(self.armed), **more)
        run.people(PEOPLE)
        run.system(SYSTEM)
        run.db.psql((ROOT / "docs/examples/outbox.sql").read_text())
        run.short_leases(LEASE_MS, TIMEOUT_MS)
        for channel in CHANNELS:
            run.tune(channel, concurrency=1)
            run.settings["worker"].setdefault("channels", {})[channel] = {
                "chunk_recipients_max": CHUNK, "on_doubt": policies[channel]}
        run.settings["worker"]["republish_after_ms"] = 1000
        run.settings["database"]["connections"] = 3  # Made anew for each case.
        run.settings["kafka"]["client"] = {"session.timeout.ms": str(SESSION_MS), "heartbeat.interval.ms": "300"}
        run.settings["producer"].update({"lease_ms": 2000, "republish_after_ms": 3000})
        if producer:
            run.with_links()
            run.with_clients()
        if prepare:
            prepare(self)
        self.session = Session(run.db.url)

    def _begin(self, name):
        start = self.run.worker if name == "worker" else self.run.producer
        return start(ready_s=None)

    # Death.

    def arm(self, point, passings=1):
        moment, call, pattern = POINTS[point]
        self.map[4:ARMED_BYTES] = struct.pack("12s16s224s", moment.encode(), call.encode(), pattern.encode())
        self.map[:4] = struct.pack("<i", passings)

    def disarm(self):
        self.map[:4] = bytes(4)

    def is_hit(self):
        return struct.unpack("<i", self.map[:4])[0] <= 0

    def dead(self):
        """The index of a program that has died, as it was told to. Who found no Kafka at its start is begun anew, as an
        orchestrator does it, and so is who was killed because its end took too long."""
        for index, (name, process) in enumerate(self.programs):
            if process.is_alive():
                continue
            if process.child.returncode == KILLED and self.is_hit():
                return index
            if process.child.returncode not in (KILLED, START_AGAIN):
                raise AssertionError(f"{process.name} ended with {process.child.returncode}")
            self.programs[index] = (name, self._begin(name))
        return None

    def is_ready(self):
        try:
            return self.dead() is None and all(self.run.is_ready(process) for _, process in self.programs)
        except AssertionError:  # It died between the two, where it is armed to.
            if self.dead() is None:
                raise
            return False

    def kill_at(self, point, passings, provoke, at_once=True, look=None):
        """Gives the programs work until one of them dies there, notes whose requests were under way, and begins it anew.
        Not at once: what is there already may do. `look`: at what the dead one has left."""
        self.is_interrupted = False
        self.arm(point, passings)
        if at_once:
            self.give_work(provoke)
        given, deadline = time.monotonic(), time.monotonic() + DEATH_S * SLOW
        while (index := self.dead()) is None:
            if time.monotonic() > deadline:
                self.disarm()
                raise AssertionError(f"nobody has passed {point} {passings} times")
            if time.monotonic() > given + AGAIN_S * SLOW and not self.is_hit():
                self.give_work(provoke)
                given = time.monotonic()
            time.sleep(0.02)  # A look at a process, not at time.
        self.note_begun()  # At once: on a slow machine somebody takes over before it is quiet.
        until(self.is_quiet, "what the dead have asked to be answered", 30, 0.05)
        self.note_begun()
        if look:
            look()
        self.begin_anew(index)
        if self.is_interrupted:  # The work is for whoever is begun anew.
            until(self.is_ready, "programs to be ready", START_S, 0.2)
            provoke()

    def give_work(self, provoke):
        self.is_provoking, self.is_interrupted = True, False
        try:
            provoke()
        except DiedAsArmed:
            self.is_interrupted = True
        finally:
            self.is_provoking = False

    def begin_anew(self, index):
        """One that dies where it is armed to while it is asked to end stays: the dead are looked for elsewhere."""
        name, process = self.programs[index]
        if process.is_alive() and process.end() == KILLED:
            return
        self.programs[index] = (name, self._begin(name))

    def publish(self, *arguments, **more):
        """As a backend does, until the broker has it: published twice is one job."""
        job = self.run.job(*arguments, **more)

        def published():
            try:
                return self.run.publish(job)
            except RuntimeError:
                return None
        return until(published, "the broker to take a job", 60, 0.5)

    def is_quiet(self):
        """PostgreSQL carries out what a program had sent when it died, and ends its connections after that."""
        established = {int(line.split()[1].rsplit(":")[-1], 16) for line in
                       Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "01"}
        return all(int(port) in established for (port,) in self.session.rows(
            "SELECT client_port FROM pg_stat_activity WHERE datname = current_database() AND client_port > 0"))

    def note_begun(self):
        self.begun |= {tuple(row) for row in self.session.rows(
            "SELECT c.job_id, ch.name, u.recipient FROM chunk c JOIN channel ch ON ch.code = c.channel "
            "CROSS JOIN LATERAL unnest(c.recipients) WITH ORDINALITY AS u(recipient, position) "
            "WHERE c.state = 'claimed' AND c.begun IS NOT NULL AND get_byte(c.begun, (u.position - 1)::integer) = 1")}

    # Judgement.

    def settle(self, jobs, also="true"):
        ids = ",".join(f"'{job}'" for job in jobs)
        query = (f"SELECT (SELECT count(*) FROM job WHERE id IN ({ids}) AND state IN ('done', 'failed', 'cancelled')) = "
                 f"{len(jobs)} AND NOT EXISTS (SELECT FROM chunk WHERE state <> 'done') AND "
                 f"NOT EXISTS (SELECT FROM job WHERE state IN ('planning', 'sending')) AND {also}")

        self.wait(query, lambda: "jobs to settle" + self.run.progress())

    def wait(self, query, what):
        def answered():
            if self.dead() is not None:
                raise DiedAsArmed if self.is_provoking else AssertionError("somebody has died unasked")
            return self.session.value(query) == "t"
        until(answered, what, SETTLE_S, 0.1)

    def fates(self, job):
        rows = self.session.rows(f"SELECT channel, recipient, outcome FROM delivery WHERE job_id = '{job}'")
        found = {(c, r): o for c, r, o in rows}
        if len(found) != len(rows):
            raise AssertionError(f"{job}: somebody has two outcomes")
        return found

    def judge(self, job, policies, channels, expected=None, untold=(), dead=frozenset()):
        """What is not as promised, in words; counts in self.seen whom a policy tells again or leaves in doubt. `untold`:
        outcomes with which somebody may end who was not told; `dead`: whom nothing can reach."""
        fates, wrong = self.fates(job), []
        for channel in channels:
            everybody = self.people(channel) if expected is None else expected[channel]
            accepted = self.run.accepted(channel, job)
            mine = {r: o for (c, r), o in fates.items() if c == channel}
            told = {everybody[a] for a in accepted if a in everybody}
            twice = {everybody[a] for a, n in accepted.items() if n > 1 and a in everybody}
            begun = {r for (j, c, r) in self.begun if j == job and c == channel}
            unknown = {r for r, o in mine.items() if o == "unknown"}
            in_doubt = policies[channel] != "resend"
            wrong += [f"{len(people)} {what} on {channel}: {sorted(people)[:3]}" for what, people in (
                ("lost", set(everybody.values()) - {r for r, o in mine.items() if o in FINAL}),
                ("strangers", set(accepted) - set(everybody)),
                ("falsely sent", {r for r, o in mine.items() if o in TOLD} - told),
                ("unexpectedly told", told - {r for r, o in mine.items() if o in TOLD | {"unknown"}}),
                ("not told, and not in doubt", {r for r, o in mine.items() if o not in untold} - told - unknown),
                ("doubled", twice if in_doubt else twice - begun),
                ("in doubt without a request", unknown - (begun if in_doubt else begun & dead))) if people]
            self.seen["unknown"] += len(unknown)
            self.seen["told again"] += len(twice)
            self.seen.update(o for o in mine.values() if o in untold)
        return wrong

    def people(self, channel):
        """Address -> person, of everybody."""
        known = self.__dict__.setdefault("_people", {})
        if channel not in known:
            known[channel] = {a: r for r, found in self.run.addresses("creator", channel).items() for a in found}
        return known[channel]

    @staticmethod
    def at_last():
        """What a world looks at when its cases are over, in words."""
        return []

    @property
    def seen(self):
        return self.__dict__.setdefault("_seen", Counter())

    def adds_up(self):
        return [f"what was counted is not what is there: {row}" for row in self.session.rows("SELECT * FROM outcome_difference")]

    def stop(self):
        self.disarm()
        if self.session:
            self.session.close()
        self.map.close()
        self.run.stop()
