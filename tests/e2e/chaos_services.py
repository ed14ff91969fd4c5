"""Where there is more than one of a service: brokers and PostgreSQL's servers that die one by one, and whoever else uses the
ledger's server, locks its tables and takes its connections."""

import os
import secrets
import signal
import subprocess
import urllib.parse
from pathlib import Path

from harness import BIN, PSQL, die_with_the_test, say
from tcp_proxy import TcpProxy

BROKERS = 3
FULL_DISK = BIN.parent / "crash/full_disk.so"
ROLE = "programs"  # Limits of connections are not for superusers, whom the harness is.
# What every step of a notification's way reads or writes.
TABLES = ("chunk", "job", "bucket", "lease", "api_request", "suppression", "pause", "outcome_move", "notification", "opt_out")


class Lines:
    """One to each server, all with the same faults."""

    def __init__(self, targets):
        self._lines = [TcpProxy(target) for target in targets]
        self.ports = [line.port for line in self._lines]

    def __getattr__(self, name):
        def each(*arguments):
            for line in self._lines:
                getattr(line, name)(*arguments)
        return each


class Services:
    """Its methods that are named in chaos_plan.MORE are faults. `more` has the options of the run."""

    more = ()

    @classmethod
    def with_more(cls, more):
        cls.more = more
        cls.services = (*(("--brokers", str(BROKERS)) if "brokers" in more else ()),
                        *(("--standby",) if "standby" in more else ()))

    def begin(self):
        if "full_disk" in self.more:
            os.environ["FANFARE_FULL_DISK_LIBRARY"] = str(FULL_DISK)
        super().begin()

    def all_servers(self):
        """By this the harness finds the server that takes writes. What it writes itself waits for no standby."""
        if "standby" not in self.more:
            return
        second = (self.dir / "standby.port").read_text().strip()
        self.url = (self.url.replace("/postgres", f",127.0.0.1:{second}/postgres")
                    + "?target_session_attrs=read-write&options=-csynchronous_commit%3Dlocal")

    def connect(self):
        """Programs find the server that takes writes as operations.md has it, each server by a line of its own."""
        run = self.run_
        login, servers = urllib.parse.urlsplit(run.db.url).netloc.split("@")
        self.line = Lines([int(server.split(":")[1]) for server in servers.split(",")])
        self.addCleanup(self.line.stop)
        if "contention" in self.more:
            word = secrets.token_hex(8)
            run.maintenance.psql(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{word}' IN ROLE {login.split(':')[0]};")
            login = f"{ROLE}:{word}"
        url = f"postgresql://{login}@{','.join(f'127.0.0.1:{port}' for port in self.line.ports)}/{run.name}"
        if "standby" in self.more:
            url += "?target_session_attrs=read-write"
        run.system_url = dict.fromkeys((*run.system_url, "FANFARE_DATABASE_URL"), url)

    # Kafka.

    def broker_of(self, fault):
        return f"kafka{1 + int(fault.die * (BROKERS if 'brokers' in self.more else 1))}"

    def files_of(self, fault):
        """Of a node: its folder, and what else begins like it."""
        return self.dir / self.broker_of(fault).replace("kafka1", "kafka")

    def kill_broker(self, fault):
        return self.stage.ask(self.machinery, "restart", self.broker_of(fault), "--kill")

    def restart_broker(self, fault):
        """It hands on what it leads before it ends."""
        return self.stage.ask(self.machinery, "restart", self.broker_of(fault))

    def broker_away(self, fault):
        self.stage.ask(self.machinery, "stop", self.broker_of(fault), "--kill")
        yield
        self.stage.ask(self.machinery, "start", self.broker_of(fault))

    def stop_broker(self, fault):
        """It stands still past its session, and wakes up as a leader that no longer is one."""
        self.stage.ask(self.signal_broker, fault, signal.SIGSTOP)
        yield
        self.stage.ask(self.signal_broker, fault, signal.SIGCONT)

    def signal_broker(self, fault, number):
        os.kill(int(self.files_of(fault).with_suffix(".pid").read_text().split()[0]), number)

    def kafka_full(self, fault):
        """A broker that cannot write ends by itself."""
        flag = self.files_of(fault) / "full"
        self.stage.ask(flag.touch)
        yield
        self.stage.ask(flag.unlink)
        self.stage.ask(self.machinery, "restart", self.broker_of(fault), "--kill")

    # PostgreSQL.

    def failover(self, fault):
        return self.stage.ask(self.fail_over, "--kill" if fault.die < 0.7 else "--immediate")

    def fail_over(self, how):
        try:
            self.stack("failover", how)
        except AssertionError as why:  # Of a machine that is busy: both are begun anew, whichever is the first by now.
            say(f"    {self.now():7.1f} s  failover: {why}")
            self.machinery("start", "postgres")
            self.machinery("start", "standby")

    def postgres_full(self, _):
        """What needs room fails, and the server ends where it cannot write its log ahead."""
        full = []

        def fill():
            home, data = (self.dir / name for name in ("postgres.home", "postgres.data"))
            where = data.read_text().strip() if data.exists() else home.read_text().strip() + "/data"
            full.append(Path(where + ".full"))
            full[0].touch()

        def clear():
            full[0].unlink()
            self.machinery("start", "postgres")
        self.stage.ask(fill)
        yield
        self.stage.ask(clear)

    def standby_away(self, _):
        """No COMMIT is answered meanwhile."""
        self.stage.ask(self.machinery, "stop", "standby", "--immediate")
        yield
        self.stage.ask(self.machinery, "start", "standby")

    def lock_table(self, fault):
        self.note_doubt()  # It cannot be asked for while the table is locked.
        script = (f"SET lock_timeout = '5s'; BEGIN; LOCK TABLE {fault.pick(TABLES)} IN ACCESS EXCLUSIVE MODE; "
                  f"SELECT pg_sleep({fault.lasts_s});")
        self.holders.append(subprocess.Popen([PSQL, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.run_.db.url, "-c", script],
                                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                             preexec_fn=die_with_the_test))
        yield

    def no_connections(self, _):
        """Somebody else has them all, and those of the programs end."""
        self.unless_away(self.run_.db.psql, f"""
            ALTER DATABASE {self.run_.name} CONNECTION LIMIT 0;
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{ROLE}';""")
        yield
        self.spoilt = True
