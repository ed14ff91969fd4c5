#!/usr/bin/env python3
"""Both programs say so when PostgreSQL or Kafka is away, not at once, and are ready again by themselves. Nobody
is restarted for it: they stay alive."""

import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from harness import ROOT, EndToEnd, main, until


class Readiness(EndToEnd):
    def stack(self, *arguments):
        done = subprocess.run([ROOT / "scripts/stack", *arguments, "--dir", self.dir], text=True,
                              capture_output=True, timeout=200,
                              env={**os.environ, "FANFARE_STACK_DIR": str(self.dir), "FANFARE_SKIP_SETUP": "1"})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="fanfare-e2e-sides-"))
        self.dir.chmod(0o711)
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.addCleanup(self.stack, "down")
        self.stack("up")
        found = self.stack("env")
        self.url, self.brokers = (re.search(rf"FANFARE_TEST_{name}='?([^'\s]+)", found).group(1)
                                  for name in ("DATABASE_URL", "KAFKA_BROKERS"))

    @staticmethod
    def says(process, path):
        port = int(process.port_file.read_text())
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.read().decode().strip()
        except urllib.error.HTTPError as fault:
            return fault.read().decode().strip()

    def test_both_sides_in_both_programs(self):
        run = self.new_run(database_url=self.url, brokers=self.brokers)
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


if __name__ == "__main__":
    main()
