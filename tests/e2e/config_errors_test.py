#!/usr/bin/env python3
"""A worker with wrong settings names every mistake at once, ends with 78, and starts nothing."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import BIN, ROOT, main

# Key, what stands there, and a word of what would be right.
MISTAKES = (("worker.lease_ms", "5", "2000"),
            ("worker.attempts_max", "0", "100"),
            ("worker.channels.email.on_doubt", "perhaps", "reconcile"),
            ("kafka.partitions", "many", "1000"),
            ("observe.log_level", "loud", "info"))


class ConfigErrors(unittest.TestCase):
    def refuse(self, program):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "wrong.yaml"
            file.write_text(f"""
database: {{url: {{env: FANFARE_DATABASE_URL}}}}
systems_dir: {ROOT}/config/systems
templates_dir: {ROOT}/templates
kafka: {{brokers: "127.0.0.1:1", partitions: many}}
worker:
  lease_ms: 5
  attempts_max: 0
  channels:
    email: {{on_doubt: perhaps}}
observe: {{log_level: loud, port_file: {folder}/port}}
""")
            done = subprocess.run([BIN / program, "-c", file], text=True, capture_output=True, timeout=20, env={
                "PATH": os.environ["PATH"],
                "FANFARE_DATABASE_URL": "postgresql://nobody:hunter2secret@127.0.0.1:1/none"})
            said = done.stdout + done.stderr
            self.assertEqual(done.returncode, 78, said)
            lines = said.splitlines()
            for key, value, right in MISTAKES:
                found = [line for line in lines if key in line]
                self.assertEqual(len(found), 1, f"{key} in:\n{said}")
                for part in ("wrong.yaml", value, right):
                    self.assertIn(part, found[0])
            self.assertEqual(len(lines), len(MISTAKES), said)
            self.assertNotIn("hunter2secret", said)
            self.assertFalse((Path(folder) / "port").exists(), "it served metrics already")
            self.assertNotIn("127.0.0.1:1", said, "it tried to connect")

    def test_worker(self):
        self.refuse("fanfare-worker")

    @unittest.skipUnless((BIN / "fanfare-producer").exists(), "there is no fanfare-producer")
    def test_producer(self):
        self.refuse("fanfare-producer")


if __name__ == "__main__":
    main()
