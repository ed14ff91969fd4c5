#!/usr/bin/env python3
"""Both programs say so when PostgreSQL or Kafka is away, not at once, and are ready again by themselves. Nobody
is restarted for it: they stay alive."""

import urllib.error
import urllib.request

from harness import main, until
from own_stack import OwnStack


class Readiness(OwnStack):
    @staticmethod
    def says(process, path):
        port = int(process.port_file.read_text())
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.read().decode().strip()
        except urllib.error.HTTPError as fault:
            return fault.read().decode().strip()

    def test_both_sides_in_both_programs(self):
        run = self.own_run()
        programs = [run.producer(), run.worker()]
        self.stack("restart", "postgres")
        for process in programs:
            self.assertEqual(self.says(process, "/readyz"), "ready", "a blip takes nobody out of service")
        for service, name in (("postgres", "PostgreSQL"), ("kafka", "Kafka")):
            self.stack("stop", service)
            for process in programs:
                until(lambda: name in self.says(process, "/readyz"),
                      lambda: f"{process.name} to miss {name}: {self.says(process, '/readyz')}", 120, 0.5)
                self.assertEqual(self.says(process, "/healthz"), "ok")
            self.stack("start", service)
            for process in programs:
                until(lambda: self.says(process, "/readyz") == "ready",
                      lambda: f"{process.name} to be ready: {self.says(process, '/readyz')}", 120, 0.5)

    def test_a_ledger_that_is_away_at_first_is_looked_at_before_it_is_used(self):
        run = self.own_run()
        run.people(20)
        run.db.psql("UPDATE ledger_compat SET oldest_program = 99")
        self.stack("stop", "postgres")
        programs = [run.producer(ready_s=None), run.worker(ready_s=None)]
        for process in programs:
            until(lambda: run.is_listening(process), f"{process.name} to listen")
            until(lambda: "starting" in self.says(process, "/readyz"), "it to wait")
            self.assertEqual(self.says(process, "/healthz"), "ok")
        self.stack("start", "postgres")
        for process in programs:
            self.assertEqual(process.child.wait(60), 78, process.name)
            self.assertIn("incompatible", process.log.read_text())
        run.db.psql("UPDATE ledger_compat SET oldest_program = 1")
        self.stack("stop", "postgres")
        programs = [run.producer(ready_s=None), run.worker(ready_s=None)]
        ends = run.worker(ready_s=None)
        for process in (*programs, ends):
            until(lambda: run.is_listening(process), f"{process.name} to listen")
        self.assertEqual(ends.end(), 0, "asked to end while it waits")
        self.stack("start", "postgres")
        for process in programs:
            until(lambda: run.is_ready(process), f"{process.name} to be ready", 60)
        job = run.publish(run.job())
        run.wait_settled(job)
        self.assert_told_once(run, job)


if __name__ == "__main__":
    main()
