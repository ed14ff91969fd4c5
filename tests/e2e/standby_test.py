#!/usr/bin/env python3
"""PostgreSQL fails over to a standby in the middle of a job: with all that was committed, or without the last of it."""

import os
import re
import subprocess
import urllib.parse
from pathlib import Path

from documented import chapters
from harness import CHANNELS, free_port, main, say, until
from own_stack import OwnStack

PEOPLE, PER_S = 2400, 80


class Standby(OwnStack):
    services = ("--no-kafka",)  # Everybody's broker will do.

    def setUp(self):
        super().setUp()
        self.addCleanup(self.stack, "down")  # It is another server by then.

    def as_server(self, *command):
        """As the user that PostgreSQL runs as."""
        if os.geteuid() == 0:
            home = (self.dir / "postgres.home").read_text().strip()
            owner = os.stat(home)
            command = ("setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--init-groups", *command)
        done = subprocess.run([str(word) for word in command], cwd="/", capture_output=True, text=True, timeout=120,
                              env={"PATH": os.environ["PATH"], "PGPASSWORD": (self.dir / "postgres.password").read_text().strip()})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def add_standby(self):
        """A copy of the stack's server that follows it."""
        first = urllib.parse.urlsplit(self.url)
        tools = Path(subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True).stdout.strip() or "/nowhere")
        if not (tools / "pg_ctl").exists():
            tools = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[0]
        self.control, home = tools / "pg_ctl", Path((self.dir / "postgres.home").read_text().strip())
        self.second, self.port = home / "second", free_port()
        self.as_server(tools / "pg_basebackup", "--host=127.0.0.1", f"--port={first.port}", f"--username={first.username}",
                       "--checkpoint=fast", "--write-recovery-conf", f"--pgdata={self.second}")
        self.as_server("sh", "-c", f"echo port = {self.port} >> '{self.second}/fanfare.conf'")
        self.as_server(self.control, "start", "--wait", "--silent", f"--pgdata={self.second}", f"--log={home}/second.log")
        self.addCleanup(self.as_server, self.control, "stop", "--mode=immediate", "--silent", f"--pgdata={self.second}")

    def begin_job(self, synchronous):
        self.add_standby()
        run = self.run_ = self.new_run(database_url=self.url)
        run.people(PEOPLE)
        run.short_leases()
        # Slow enough that the standby can be cut off, and the server stopped, in the middle.
        run.tune("email", chunk=20, chunks=4, concurrency=2, per_second=PER_S)
        run.tune("sms", chunk=16, chunks=8, concurrency=50, per_second=PER_S)
        run.tune("push", chunk=25, chunks=8, concurrency=50, per_second=PER_S)
        run.sim.control(all={"latency_ms": 100})
        if synchronous:
            run.db.psql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            run.db.psql("SELECT pg_reload_conf()")
        until(lambda: run.db.value("SELECT sync_state FROM pg_stat_replication") == ("sync" if synchronous else "async"),
              "the standby to follow", 30)
        first = urllib.parse.urlsplit(run.db.url)
        (line,), = (blocks for heading, blocks in chapters("operations.md").items() if heading == "Failover")
        url = re.search(r'FANFARE_DATABASE_URL="(\S+)"', line).group(1).replace("/fanfare?", f"/{run.name}?")
        for variable, value in (("PASSWORD", first.password), ("FIRST", f"127.0.0.1:{first.port}"),
                                ("SECOND", f"127.0.0.1:{self.port}")):
            url = url.replace(f"${variable}", value)
        run.db.url = url
        run.system_url = {"FANFARE_SHOWS_URL": url}
        run.worker()
        job = run.publish(run.job())
        until(lambda: min(run.told(job).values()) >= 100, lambda: "all channels" + run.progress(), 60, 0.02)
        return run, job

    def promote(self):
        self.stack("stop", "postgres", "--immediate")
        self.assertLess(sum(self.run_.told(self.job).values()), len(CHANNELS) * PEOPLE, "not in the middle")
        self.as_server(self.control, "promote", "--wait", "--silent", f"--pgdata={self.second}")
        self.run_.maintenance.url = urllib.parse.urlunsplit(urllib.parse.urlsplit(self.run_.db.url)._replace(path="/postgres"))

    def test_a_synchronous_one_loses_nothing(self):
        run, self.job = self.begin_job(synchronous=True)
        self.promote()
        run.wait_settled(self.job)
        self.assert_told_once(run, self.job)

    def test_a_tail_that_is_lost_is_told_again(self):
        run, self.job = self.begin_job(synchronous=False)
        before = {(c, a) for c in CHANNELS for a in run.accepted(c, self.job)}
        begun, known = run.begun(), {c: run.addresses("creator", c) for c in CHANNELS}
        under_way = {(c, a) for c, person in begun for a in known[c][person]}
        sent = run.db.value("SELECT pg_current_wal_lsn()")
        until(lambda: run.db.value(f"SELECT replay_lsn >= '{sent}' FROM pg_stat_replication") == "t", "the standby to have it", 30)
        self.as_server("sh", "-c", f"echo \"primary_conninfo = ''\" >> '{self.second}/postgresql.auto.conf'")
        self.as_server(self.control, "reload", "--silent", f"--pgdata={self.second}")
        until(lambda: run.db.value("SELECT count(*) FROM pg_stat_replication") == "0", "the standby to hear no more", 30)
        told = sum(run.told(self.job).values())
        until(lambda: sum(run.told(self.job).values()) > told + 300, "a tail to grow", 60, 0.02)
        self.promote()
        run.wait_settled(self.job)
        counts = self.assert_accounted(run, self.job, once=())
        found = {(c, a): n for c in CHANNELS for a, n in run.accepted(c, self.job).items()}
        twice = {one for one, count in found.items() if count > 1}
        self.assertTrue(twice, "what the chapter warns of")
        self.assert_same(twice & before - under_way, set(), "told before the tail, and again")
        self.assertEqual(max(found.values()), 2)
        say(f"    {len(before)} told before the tail, {len(under_way)} under way; {len(twice)} told twice, {counts}")


if __name__ == "__main__":
    main()
