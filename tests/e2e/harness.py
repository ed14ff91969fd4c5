"""Runs the real programs against the real PostgreSQL and Kafka, and asks the simulator what happened.

A test derives from EndToEnd and gets `self.run_`: a database, topics, a consumer group and a simulator of
its own. Needs FANFARE_BIN_DIR, FANFARE_TEST_DATABASE_URL and FANFARE_TEST_KAFKA_BROKERS:

    eval "$(scripts/stack env)"; FANFARE_BIN_DIR=build/ci/bin python3 tests/e2e/fan_out_test.py
"""

import contextlib
import ctypes
import fcntl
import functools
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import accounts
import api_client
import broker
import postgres

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("FANFARE_BIN_DIR", ROOT / "build/ci/bin")).resolve()
SERVICES = ("FANFARE_TEST_DATABASE_URL", "FANFARE_TEST_KAFKA_BROKERS")
CHANNELS = ("email", "sms", "push")
PROVIDERS = {"email": "mailgun", "sms": "twilio", "push": "fcm"}
FINAL = {"sent", "delivered", "opened", "clicked", "refused", "suppressed", "opted_out", "no_address",
         "expired", "cancelled", "failed", "unknown", "replayed"}
PARTITIONS = 3
AWAY = 69  # The exit code of a program that did not find what it needs (docs/operations.md).
# Itself, where `psql` is a script that looks for it.
PSQL = str(max(Path("/usr/lib/postgresql").glob("*/bin/psql"), default="psql"))
LOG_TAIL = 40
_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def say(text):
    print(text, file=sys.stderr, flush=True)


def use_lent_stack():
    """CTest lends a test one of the stacks that scripts/test started; without it there is only one."""
    lent = re.fullmatch(r"id:(\w+),slots:\d", os.environ.get("CTEST_RESOURCE_GROUP_0_STACKS", ""))
    for name in SERVICES if lent else ():
        if (value := os.environ.get(f"{name}_{lent[1]}")) is not None:
            os.environ[name] = value


use_lent_stack()

# How many times as long as usual everything may take: sanitized programs take their time.
SLOW = int(os.environ.get("FANFARE_SLOW", "1"))


# At least so long is waited for what must come: machines differ, and whatever comes is not waited for any longer.
PATIENCE_S = 300


def until(condition, what, timeout_s=60, every_s=0.05, within_s=None):
    """What `condition` gives as soon as it is true; fails with `what` when it does not become so. within_s: a bound that is
    part of what is promised, since something else would make it true later."""
    timeout_s = (within_s or max(timeout_s, PATIENCE_S)) * SLOW
    deadline = time.monotonic() + timeout_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s} s for: {what() if callable(what) else what}")
        time.sleep(every_s)


def free_port():
    """One below the kernel's range for outgoing connections, so that nobody takes it before it is used."""
    while True:
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", 10_000 + secrets.randbelow(10_000)))
            return one.getsockname()[1]


class Lag:
    """How long at most the machine kept somebody waiting who wanted to run at once: `with Lag() as lag`."""

    most_s = 0.0

    def __enter__(self):
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._measure, daemon=True)
        self._thread.start()
        return self

    def _measure(self):
        wanted_s = 0.01
        while True:
            began = time.monotonic()
            if self._over.wait(wanted_s):
                return
            self.most_s = max(self.most_s, time.monotonic() - began - wanted_s)

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def allows(self, seconds):
        """What is promised within so many seconds passes through four programs, each of which may have been kept waiting."""
        return seconds + 4 * self.most_s


def merge(into, changes):
    """Puts `changes` into the map `into`, level by level."""
    for key, value in changes.items():
        if isinstance(value, dict):
            merge(into.setdefault(key, {}), value)
        else:
            into[key] = value
    return into


class Database:
    """Questions through kept connections, scripts through psql."""

    def __init__(self, url):
        self.url = url
        self._connections = postgres.Connections(url)

    def psql(self, script, *arguments):
        done = subprocess.run(
            [PSQL, "-X", "-q", "-A", "-t", "-F", "\t", "-P", "null=\\N", "-v", "ON_ERROR_STOP=1", "-d",
             self.url, *arguments, "-f", "-"], input=script, text=True, capture_output=True, timeout=240)
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr.strip()}\n{script[:400]}")
        return done.stdout

    def rows(self, query):
        if self._connections.url != self.url:  # It has moved.
            self._connections = postgres.Connections(self.url)
        return self._connections.rows(query)

    def value(self, query):
        found = self.rows(query)
        return found[0][0] if found else None

    def load(self, table, rows):
        """COPY of rows of text, None for NULL."""
        lines = ("\t".join("\\N" if field is None else str(field) for field in row) for row in rows)
        self.psql(f"COPY {table} FROM STDIN;\n" + "".join(line + "\n" for line in lines) + "\\.\n")

    @staticmethod
    def migrations(upto=None):
        """What `fanfare db migrate` does, for programs look at what it has noted; upto: the first so many files."""
        steps = ["SET synchronous_commit = off;",  # What comes after waits for the disk.
                 "CREATE TABLE schema_migration (name text PRIMARY KEY, checksum text NOT NULL, "
                 "applied_at timestamptz NOT NULL DEFAULT now());"]
        for file in sorted((ROOT / "config/migrations").glob("*.sql"))[:upto]:
            text = file.read_text()
            note = f"INSERT INTO schema_migration VALUES ('{file.stem}', '{hashlib.md5(text.encode()).hexdigest()}');"
            steps.append(f"BEGIN;\n{text}\n{note}\nCOMMIT;")
        return "\n".join(steps)

    def beside(self, name):
        """Another database of the same server."""
        parts = urllib.parse.urlsplit(self.url)
        return Database(urllib.parse.urlunsplit(parts._replace(path="/" + name)))

    def create(self, name, upto=None):
        """A database with the ledger in it: a copy of one that the first test on this server makes, which costs a third.
        The first so many migrations only: made anew."""
        migrations = self.migrations(upto)
        if upto is not None:
            self.psql(f"CREATE DATABASE {name};")
            self.beside(name).psql(migrations)
            return
        origin = "e2e_ledger_" + hashlib.md5(migrations.encode()).hexdigest()[:16]
        server = hashlib.md5(self.url.encode()).hexdigest()[:16]
        with open(Path(tempfile.gettempdir()) / f"fanfare-{origin}-{server}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.value(f"SELECT 1 FROM pg_database WHERE datname = '{origin}'"):
                self.psql(f"DROP DATABASE IF EXISTS {origin}_draft; CREATE DATABASE {origin}_draft;")
                self.beside(f"{origin}_draft").psql(migrations)
                self.psql(f"ALTER DATABASE {origin}_draft RENAME TO {origin};")
        self.psql(f"CREATE DATABASE {name} TEMPLATE {origin};")


MIB = 1 << 20
RSS_MAX = 96 * MIB  # What a program may hold, whatever is sent to it.
if SLOW > 1:
    RSS_MAX *= 12  # With a sanitizer's shadow and what it keeps of freed memory.


def die_with_the_test():
    _libc.prctl(_PDEATHSIG, signal.SIGKILL)


class Process:
    """A program in a session of its own, ended by its own id. It dies with the test."""

    def __init__(self, name, arguments, log, environment):
        self.name, self.log = name, log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(
                [str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=environment, start_new_session=True, preexec_fn=die_with_the_test)

    def is_alive(self):
        return self.child.poll() is None

    def expect_alive(self):
        if not self.is_alive():
            raise AssertionError(f"{self.name} ended with {self.child.returncode}")

    def signal(self, number):
        self.child.send_signal(number)

    def kill(self):
        self.child.kill()
        self.child.wait(30)

    def peak_bytes(self):
        """The most memory it has ever held."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024

    def ask_to_end(self):
        if self.is_alive():
            self.child.send_signal(signal.SIGCONT)
            self.child.terminate()

    def end(self, timeout_s=180):
        """SIGTERM; the exit code. A program that does not end is killed, and that is a failure."""
        self.ask_to_end()
        return self.ended(timeout_s)

    def ended(self, timeout_s=180):
        try:
            return self.child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end within {timeout_s} s of SIGTERM") from None


class Simulator:
    """fanfare-sim: every provider, and the oracle."""

    def __init__(self, run, arguments):
        self._ports, self.ca = run.dir / "ports.json", run.dir / "ca.pem"
        self.process = run.start("sim", BIN / "fanfare-sim", "--ports-file", self._ports, "--ca-file",
                                 self.ca, *arguments)

    @functools.cached_property
    def ports(self):
        until(lambda: self._ports.exists() or not self.process.is_alive(), "the simulator's ports", 60)
        return json.loads(self._ports.read_text())

    def call(self, path, body=None, post=False):
        data = json.dumps(body).encode() if body is not None else (b"" if post else None)
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports['admin']}{path}", data=data)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as fault:
            raise RuntimeError(f"{path}: {fault.code} {fault.read().decode()}") from None

    def control(self, **providers):
        """control(mailgun={...}, all={...})"""
        self.call("/control", {("*" if p == "all" else p): s for p, s in providers.items()})

    def hold(self):
        self.call("/control/hold", post=True)

    def release(self):
        self.call("/control/release", post=True)

    def parked(self, provider):
        """How many requests wait for their answer to be released."""
        return json.loads(self.call("/control"))[provider]["parked"]

    def reset(self):
        self.call("/oracle/reset", post=True)

    def summary(self, job=None):
        found = json.loads(self.call("/oracle/summary" + (f"?job={job}" if job else "")))
        return found.get("providers", found)

    def count(self, provider, name, job=None):
        return self.summary(job).get(provider, {}).get(name, 0)

    def accepted(self, provider, job):
        """Address -> how often it was told."""
        text = self.call(f"/oracle/accepted?provider={provider}&job={job}")
        return {address: int(count) for address, count in
                (line.rsplit("\t", 1) for line in text.splitlines())}

    def events(self, provider, job):
        """Address -> the weightiest event that was told of it and taken."""
        text = self.call(f"/oracle/events?provider={provider}&job={job}")
        return dict(line.rsplit("\t", 1) for line in text.splitlines())


class Run:
    """One database, one topic prefix, one simulator, and the programs that use them."""

    def __init__(self, *, sim=(), kafka=True, database_url=None, brokers=None, system="shows", upto=None):
        self.dir = Path(tempfile.mkdtemp(prefix="fanfare-e2e-"))
        self.processes = []
        self.lent = (database_url is None, brokers is None and kafka)  # What goes on, and must forget it.
        self.name = "e2e_" + secrets.token_hex(6)
        self.maintenance = Database(database_url or self._needed("FANFARE_TEST_DATABASE_URL"))
        self.brokers = (brokers or self._needed("FANFARE_TEST_KAFKA_BROKERS")) if kafka else "embedded"
        self.topics = [f"{self.name}.{t}" for t in ("jobs", "dead", "receipts", "chunks.urgent",
                                                   "chunks.normal", "chunks.bulk")]
        self.providers = dict(PROVIDERS)
        self.system_url = {}
        self.tokens = {}
        self.more_environment = {}  # Of programs that begin from now on.
        self.db = self.maintenance.beside(self.name)
        self.sim = Simulator(self, sim)
        self.maintenance.create(self.name, upto)
        self.db.psql((ROOT / f"tests/fixtures/{system}.sql").read_text())
        self.settings = self._settings()
        self.system_url = {f"FANFARE_{system.upper()}_URL": self.db.url}
        self.system((ROOT / f"config/systems/{system}/system.yaml").read_text(), system)

    @staticmethod
    def _needed(name):
        if name not in os.environ:
            raise RuntimeError(f'{name} is not set: eval "$(scripts/stack env)", or use scripts/test')
        return os.environ[name]

    def _settings(self):
        return {
            "kafka": {"brokers": self.brokers, "topic_prefix": self.name, "group": self.name,
                      "partitions": PARTITIONS, "client": {"session.timeout.ms": "6000"}},
            "database": {"url": {"env": "FANFARE_DATABASE_URL"}},
            "systems_dir": str(ROOT / "config/systems"),
            "templates_dir": str(ROOT / "templates"),
            "callback_url": "https://hooks.example.com",
            "worker": {"sweep_interval_ms": 200, "republish_after_ms": 2000, "backoff_first_ms": 100,
                       "backoff_max_ms": 1000},
            "producer": {"poll_interval_ms": 200},
            "observe": {"log_level": "debug"},
            "accounts": [accounts.account(self, provider) for provider in PROVIDERS.values()]}

    def use(self, channel, provider):
        """Serves a channel by another provider than the usual one."""
        self.providers[channel] = provider
        self.settings["accounts"][CHANNELS.index(channel)] = accounts.account(self, provider)

    def with_links(self):
        """References are signed, the producer takes webhooks and unsubscribes."""
        self.settings["link_key"] = {"env": "E2E_LINK_KEY"}
        self.settings["producer"]["http"] = {"port": 0, "port_file": str(self.dir / "front.port")}

    def with_clients(self):
        """The producer serves the API, to everyone in api_client.TOKENS."""
        self.settings["producer"]["clients"] = api_client.clients()
        self.tokens = api_client.environment()

    def front(self):
        """Where the producer listens."""
        return f"http://127.0.0.1:{int((self.dir / 'front.port').read_text())}"

    def system(self, text, name="shows"):
        """This system alone, as the text has it."""
        folder = self.dir / "served" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "system.yaml").write_text(text)
        self.settings["systems_dir"] = str(folder.parent)

    def account(self, channel):
        return self.settings["accounts"][CHANNELS.index(channel)]

    def tune(self, channel, *, concurrency=None, per_second=None, timeout_ms=None, chunk=None, chunks=None):
        """Settings of one channel, before a program starts."""
        account = self.account(channel)
        for where, key, value in ((account["rate"], "concurrency", concurrency),
                                  (account["rate"], "per_second", per_second),
                                  (account, "timeout_ms", timeout_ms)):
            if value is not None:
                where[key] = value
        limits = {k: v for k, v in (("chunk_recipients_max", chunk), ("chunks_in_flight_max", chunks)) if v}
        if limits:
            merge(self.settings["worker"], {"channels": {channel: limits}})

    def short_leases(self, lease_ms=4000, timeout_ms=1500):
        self.settings["worker"]["lease_ms"] = lease_ms
        for channel in CHANNELS:
            self.tune(channel, timeout_ms=timeout_ms)

    # Programs.

    def environment(self, **more):
        return {"PATH": os.environ["PATH"], "FANFARE_DATABASE_URL": self.db.url,
                **accounts.ENVIRONMENT, **self.system_url, **self.tokens, **self.more_environment,
                **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}, **more}

    def start(self, name, program, *arguments, **environment):
        index = sum(1 for p in self.processes if p.name.startswith(name))
        process = Process(f"{name}{index}", [program, *arguments], self.dir / f"{name}{index}.log",
                          self.environment(**environment))
        self.processes.append(process)
        return process

    def write_settings(self):
        """In one step: a program that has just been started may be reading it."""
        draft = self.dir / "fanfare.yaml.new"
        draft.write_text(json.dumps(self.settings, indent=1))
        draft.replace(self.dir / "fanfare.yaml")

    def _program(self, name, program, ready_s, folder):
        """Begun again, as whoever runs it does, where Kafka or PostgreSQL did not answer in time at its start."""
        self.write_settings()
        for left in (2, 1, 0):
            process = self._begin(name, program, folder)
            if not ready_s:
                break
            until(lambda: left and self.found_nobody(process) or self.is_ready(process), f"{process.name} to be ready", ready_s)
            if process.child.poll() != AWAY:
                break
        return process

    @staticmethod
    def found_nobody(process):
        if process.child.poll() != AWAY:
            return False
        say(f"    {process.name} ended with {AWAY}: what it needs was away at its start")
        return True

    def _begin(self, name, program, folder):
        port_file = self.dir / f"{name}-{secrets.token_hex(3)}.port"
        process = self.start(name, folder / program, "-c", self.dir / "fanfare.yaml",
                             FANFARE_OBSERVE_PORT_FILE=str(port_file))
        process.port_file = port_file
        return process

    def worker(self, ready_s=60, folder=BIN):
        return self._program("worker", "fanfare-worker", ready_s, folder)

    def workers(self, count):
        """So many that begin at once."""
        begun = [self.worker(ready_s=None) for _ in range(count)]
        for number, worker in enumerate(begun):
            until(lambda: self.found_nobody(worker) or self.is_ready(worker), f"{worker.name} to be ready", 60)
            if not worker.is_alive():
                begun[number] = self.worker()
        return begun

    def producer(self, ready_s=60, folder=BIN):
        return self._program("producer", "fanfare-producer", ready_s, folder)

    def is_listening(self, process):
        process.expect_alive()
        return process.port_file.exists()

    def is_ready(self, process):
        process.expect_alive()
        try:
            return bool(self.http(process, "/readyz"))
        except (OSError, ValueError):
            return False

    def http(self, process, path):
        port = int(process.port_file.read_text())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.read().decode() or "ok"

    # What a backend does.

    def people(self, count, creator="creator", prefix="p", email=True, sms=True, push=True):
        """`count` followers of `creator`, reachable on the given channels."""
        digits = max(6, len(str(count)))
        self.db.psql(f"""
            INSERT INTO users (id, username) VALUES ('{creator}', 'Mira') ON CONFLICT DO NOTHING;
            INSERT INTO users (id, username, email, phone, locale, time_zone)
            SELECT '{prefix}' || lpad(n::text, {digits}, '0'), 'viewer' || n,
                   CASE WHEN {email} THEN '{prefix}' || n || '@example.com' END,
                   CASE WHEN {sms} THEN '+1555' || lpad(n::text, 7, '0') END,
                   (ARRAY['en', 'de', NULL])[1 + n % 3], (ARRAY['Europe/Berlin', 'UTC', NULL])[1 + n % 3]
            FROM generate_series(1, {count}) n;
            INSERT INTO followers (follower_id, followed_id)
            SELECT '{prefix}' || lpad(n::text, {digits}, '0'), '{creator}' FROM generate_series(1, {count}) n;
            INSERT INTO push_tokens (user_id, token)
            SELECT '{prefix}' || lpad(n::text, {digits}, '0'),
                   CASE WHEN {self.providers["push"] == "apns"} THEN md5('{prefix}' || n) || md5(n::text)
                        ELSE 'token-{prefix}-' || n END
            FROM generate_series(1, {count}) n WHERE {push};
            ANALYZE users, followers, push_tokens;""")

    def job(self, creator="creator", channels=CHANNELS, **more):
        """A job as a backend writes it: everyone who follows `creator`."""
        key = str(uuid.uuid4())
        starts = datetime.now(timezone.utc) + timedelta(minutes=20)
        return {"version": 1, "id": key, "idempotency_key": "e2e-" + key, "system": "shows",
                "kind": "show.reminder", "audience": {"name": "followers", "params": {"user_id": creator}},
                "channels": list(channels),
                "data": {"show_id": "s1", "user_id": creator, "username": "Mira",
                         "title": "Friday <Night> & Co", "starts_at": starts.strftime("%Y-%m-%dT%H:%M:%SZ")},
                **more}

    def publish(self, *jobs, brokers=None):
        """Jobs as dicts or bytes; the id of the last one."""
        broker.publish(brokers or self.brokers, self.name + ".jobs", [
            (b"k%d" % i, job if isinstance(job, bytes) else json.dumps(job).encode())
            for i, job in enumerate(jobs)])
        return jobs[-1]["id"] if isinstance(jobs[-1], dict) else None

    # What the ledger says.

    def state(self, job):
        return self.db.value(f"SELECT state FROM job WHERE id = '{job}'")

    def claimed(self):
        """(channel, recipient) of all chunks that are somebody's now."""
        return {(c, r) for c, r in self.db.rows(
            "SELECT ch.name, unnest(c.recipients) FROM chunk c JOIN channel ch ON ch.code = c.channel "
            "WHERE c.state = 'claimed'")}

    def begun(self):
        """(channel, recipient) of all whose request may be under way."""
        return {(c, r) for c, r in self.db.rows(
            "SELECT ch.name, u.recipient FROM chunk c JOIN channel ch ON ch.code = c.channel "
            "CROSS JOIN LATERAL unnest(c.recipients) WITH ORDINALITY AS u(recipient, position) "
            "WHERE c.state = 'claimed' AND c.begun IS NOT NULL "
            "AND get_byte(c.begun, (u.position - 1)::integer) = 1")}

    def told(self, job):
        """How many messages the simulator has accepted for a job, by channel."""
        found = self.sim.summary(job)
        return {c: found.get(self.providers[c], {}).get("accepted", 0) for c in CHANNELS}

    def told_in_all(self):
        found = self.sim.summary()
        return {c: found.get(self.providers[c], {}).get("accepted", 0) for c in CHANNELS}

    def accepted(self, channel, job):
        """Address -> how often the channel's provider has accepted it."""
        return self.sim.accepted(self.providers[channel], job)

    def progress(self):
        return "\n" + self.db.psql("SELECT j.id, j.state, j.planned, c.channel, c.state, count(*), sum(size) "
                                   "FROM job j LEFT JOIN chunk c ON c.job_id = j.id GROUP BY 1,2,3,4,5 "
                                   "ORDER BY 1,4,5 LIMIT 40")

    def wait_settled(self, *jobs, timeout_s=120, within_s=None):
        """Until every job is over and no chunk of it is open."""
        ids = ",".join(f"'{job}'" for job in jobs)
        query = (f"SELECT (SELECT count(*) FROM job WHERE id IN ({ids}) AND state IN ('done','cancelled','failed'))"
                 f" = {len(jobs)} AND NOT EXISTS (SELECT 1 FROM chunk WHERE job_id IN ({ids}) AND state <> 'done')")
        until(lambda: self.db.value(query) == "t", lambda: "jobs to settle" + self.progress(), timeout_s, 0.1, within_s)

    def fates(self, job):
        """(channel, recipient) -> (outcome, reason), of everyone planned."""
        rows = self.db.rows(f"SELECT channel, recipient, outcome, reason FROM delivery WHERE job_id = '{job}'")
        found = {(c, r): (o, why) for c, r, o, why in rows}
        if len(found) != len(rows):
            raise AssertionError(f"job {job}: somebody is in two chunks")
        return found

    def addresses(self, creator, channel):
        """Follower -> addresses, as the database has them; everyone who follows."""
        column = {"email": "u.email", "sms": "u.phone", "push": "t.token"}[channel]
        join = "LEFT JOIN push_tokens t ON t.user_id = u.id" if channel == "push" else ""
        found = {}
        for person, address in self.db.rows(
                f"SELECT f.follower_id, {column} FROM followers f JOIN users u ON u.id = f.follower_id {join} "
                f"WHERE f.followed_id = '{creator}'"):
            known = found.setdefault(person, set())
            if address is not None:
                known.add(address)
        return found

    def idle(self):
        """True when no program has a connection to the database any more."""
        return self.db.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                             f"AND application_name <> '{postgres.NAME}' AND backend_type = 'client backend'") == "0"

    # The end.

    def stop(self, wait=False):
        """All programs at once; the simulator answers them to their end. What they leave goes while the next test
        begins, unless somebody waits for it."""
        faults = []
        for group in (self.processes[1:], self.processes[:1]):
            for process in group:
                process.ask_to_end()
            for process in group:
                try:
                    process.ended()
                except AssertionError as fault:
                    faults.append(str(fault))
        cleaning = threading.Thread(target=self._clean)
        cleaning.start()
        if wait:
            cleaning.join()
        if faults:
            raise AssertionError("; ".join(faults))

    def _clean(self):
        for lent, clean in zip(self.lent, (
                lambda: self.maintenance.psql(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE);"),
                lambda: broker.delete_topics(self.brokers, self.topics))):
            try:
                if lent:
                    clean()
            except Exception as fault:  # A broken service must not hide what the test found.
                say(f"cleaning up: {fault}")

    def show_logs(self):
        for process in self.processes:
            lines = process.log.read_text(errors="replace").splitlines()
            say(f"--- {process.name} (exit {process.child.returncode}), the last lines of {process.log}")
            for line in lines[-LOG_TAIL:]:
                say("    " + line[:400])


class EndToEnd(unittest.TestCase):
    """A test with a Run. Logs are shown and kept when it fails."""

    maxDiff = 2000

    def run(self, result=None):
        self.runs_ = []
        known = len(result.failures) + len(result.errors)
        super().run(result)
        failed = len(result.failures) + len(result.errors) > known
        for run in self.runs_:
            if failed:
                run.show_logs()
            else:
                shutil.rmtree(run.dir, ignore_errors=True)

    def new_run(self, **options):
        run = Run.__new__(Run)
        run.dir, run.processes = None, []
        try:
            run.__init__(**options)
        finally:
            if run.dir:
                self.runs_.append(run)
                self.addCleanup(run.stop)
        return run

    def wait_told(self, run, job, total, timeout_s=90):
        """Until the providers have accepted so many messages of all channels together."""
        until(lambda: sum(run.told(job).values()) >= total, lambda: f"{total} accepted" + run.progress(),
              timeout_s, 0.02)

    @staticmethod
    @contextlib.contextmanager
    def locked(run, statement):
        """What `statement` locks stays so within."""
        with subprocess.Popen([PSQL, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", run.db.url], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            holder.stdin.write(f"BEGIN; {statement}; SELECT 'locked';\n")
            holder.stdin.flush()
            for line in holder.stdout:
                if line.strip() == "locked":
                    break
            yield
            holder.stdin.write("ROLLBACK;\n")
            holder.stdin.close()

    # Assertions.

    def assert_same(self, found, expected, what):
        """Two sets, and what differs in a few words."""
        missing, surplus = sorted(expected - found), sorted(found - expected)
        if missing or surplus:
            self.fail(f"{what}: {len(missing)} missing {missing[:5]}, {len(surplus)} too many {surplus[:5]}")

    def assert_sound(self, run, job):
        """What is true of every settled job: planned is the sum of outcomes, all are final, every
        person is in the ledger once, and whom the ledger calls sent the provider has accepted."""
        fates = run.fates(job)
        open_ = [k for k, (outcome, _) in fates.items() if outcome not in FINAL]
        self.assertEqual(open_[:5], [], f"{len(open_)} have no final outcome")
        planned = json.loads(run.db.value(f"SELECT array_to_json(planned) FROM job WHERE id = '{job}'"))
        by_channel = Counter(channel for channel, _ in fates)
        self.assertEqual(planned, [by_channel[c] for c in CHANNELS], "planned = the sum of outcomes")
        for channel, count, total in run.db.rows(
                "SELECT channel, planned, sent+delivered+opened+clicked+refused+suppressed+opted_out+no_address+"
                f"expired+cancelled+failed+unknown+replayed FROM job_progress WHERE job_id = '{job}'"):
            self.assertEqual((int(count), int(total)), (by_channel[channel],) * 2, f"tallies of {channel}")
        self.assert_moves_add_up(run)
        return fates

    def assert_moves_add_up(self, run):
        """For every outcome: who came less who left is who the ledger holds, at any moment."""
        self.assertEqual(run.db.rows("SELECT * FROM outcome_difference"), [], "what was counted is not what is there")

    def assert_accounted(self, run, job, creator="creator", channels=CHANNELS, once=("email", "sms")):
        """Beside assert_sound(): everyone who follows is planned; sent means accepted; accepted means
        sent or unknown; nobody is told twice on the channels of `once`. Returns outcomes counted."""
        fates = self.assert_sound(run, job)
        counts = {}
        for channel in channels:
            expected = run.addresses(creator, channel)
            accepted = run.accepted(channel, job)
            mine = {r: o for (c, r), (o, _) in fates.items() if c == channel}
            self.assert_same(set(mine), set(expected), f"planned on {channel}")
            owner = {a: r for r, addresses in expected.items() for a in addresses}
            self.assert_same(set(accepted) - set(owner), set(), f"strangers told on {channel}")
            told = {owner[a] for a in accepted}
            sent = {r for r, o in mine.items() if o == "sent"}
            unknown = {r for r, o in mine.items() if o == "unknown"}
            self.assert_same(sent - told, set(), f"recorded as sent but never told on {channel}")
            self.assert_same(told - sent - unknown, set(), f"told, but the ledger denies it, on {channel}")
            self.assert_same({r for r, o in mine.items() if o == "no_address"},
                             {r for r, a in expected.items() if not a}, f"no_address on {channel}")
            if channel in once:
                twice = sorted(a for a, n in accepted.items() if n > 1)
                self.assertEqual(twice[:5], [], f"{len(twice)} told twice on {channel}")
            counts[channel] = Counter(mine.values())
        return counts

    def assert_told_once(self, run, job, creator="creator", channels=CHANNELS):
        """Nothing went wrong: everybody with an address was told once, on every device, and the ledger
        says exactly that."""
        counts = self.assert_accounted(run, job, creator, channels, once=channels)
        self.assertEqual(run.state(job), "done")
        for channel in channels:
            expected = {a for addresses in run.addresses(creator, channel).values() for a in addresses}
            self.assert_same(set(run.accepted(channel, job)), expected, f"told on {channel}")
            self.assertEqual(set(counts[channel]) - {"sent", "no_address"}, set(), f"outcomes of {channel}")
        return counts


def main(at_once=1):
    """The tests that are named, or all of the file; where they wait more than they work, so many at once."""
    if at_once > 1:
        module, wanted = sys.modules["__main__"], [name for name in sys.argv[1:] if name[0] != "-"]
        loader = unittest.defaultTestLoader
        found = loader.loadTestsFromNames(wanted, module) if wanted else loader.loadTestsFromModule(module)
        names = [test.id().removeprefix("__main__.") for test in _each(found)]
        if len(names) > 1:
            sys.exit(_run_at_once(names, at_once))
    unittest.main(verbosity=2)


def _each(suite):
    for test in suite:
        yield from _each(test) if isinstance(test, unittest.TestSuite) else (test,)


def _run_at_once(names, most):
    """Each in a process of its own, whose words are said when it is over; how many have failed."""
    running, failed = [], 0
    accounts.rsa_key()  # Which they all use.
    while names or running:
        while names and len(running) < most:
            said = tempfile.TemporaryFile("w+")
            running.append((subprocess.Popen([sys.executable, sys.argv[0], names.pop(0)], stdout=said, stderr=said,
                                             preexec_fn=die_with_the_test), said))
        over = until(lambda: [one for one in running if one[0].poll() is not None], "a test to end", 3600)
        for one in over:
            running.remove(one)
            with one[1] as said:
                said.seek(0)
                say(said.read())
            failed += one[0].returncode != 0
    return failed
