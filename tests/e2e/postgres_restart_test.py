#!/usr/bin/env python3
"""PostgreSQL crashes twice in the middle of a job, on a server of this test's own: nothing is lost."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import CHANNELS, ROOT, EndToEnd, main, say, until


class PostgresRestart(EndToEnd):
    def stack(self, *arguments):
        done = subprocess.run([ROOT / "scripts/stack", *arguments, "--dir", self.dir], text=True,
                              capture_output=True, timeout=200,
                              env={**os.environ, "FANFARE_STACK_DIR": str(self.dir), "FANFARE_SKIP_SETUP": "1"})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="fanfare-e2e-pg-"))
        self.dir.chmod(0o711)
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.addCleanup(self.stack, "down")
        self.stack("up", "--no-kafka")
        self.url = re.search(r"FANFARE_TEST_DATABASE_URL='?([^'\s]+)", self.stack("env")).group(1)

    def test_crashes_in_the_middle(self):
        run = self.new_run(database_url=self.url)
        run.people(4000)
        run.tune("email", chunk=20, chunks=4, concurrency=2)
        run.tune("sms", chunk=16, chunks=8, concurrency=50)
        run.tune("push", chunk=25, chunks=8, concurrency=50)
        run.sim.control(all={"latency_ms": 100})
        worker = run.worker()
        job = run.publish(run.job())
        for told, how in ((1500, "--immediate"), (5000, "--kill")):
            until(lambda: sum(run.told(job).values()) >= told, f"{told} accepted", 60, 0.02)
            self.stack("restart", "postgres", how)
        run.wait_settled(job)
        counts = self.assert_accounted(run, job, once=CHANNELS)
        for channel in CHANNELS:
            self.assertEqual(counts[channel], {"sent": 4000})
        self.assertEqual(worker.end(), 0)
        say(f"    {counts}")


if __name__ == "__main__":
    main()
