"""A PostgreSQL and a Kafka of the test's own, which it may stop, kill and wipe."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import ROOT, EndToEnd, say


class OwnStack(EndToEnd):
    services = ()  # Options of scripts/stack up.

    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="fanfare-e2e-own-"))
        self.dir.chmod(0o711)
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.addCleanup(self.stack, "down")
        self.begin()
        found = dict(re.findall(r"export (\w+)='?([^'\s]+)", self.stack("env")))
        self.url, self.brokers = found["FANFARE_TEST_DATABASE_URL"], found.get("FANFARE_TEST_KAFKA_BROKERS")

    def begin(self):
        """Once more where it does not come up, which is no fault of Fanfare's; what its logs say is shown."""
        try:
            self.stack("up", *self.services)
        except AssertionError as fault:
            say(f"    the stack did not come up: {fault}")
            for log in sorted(self.dir.glob("failed-*")):
                say(f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-20:]))
            self.stack("up", *self.services)

    def stack(self, *arguments):
        done = subprocess.run([ROOT / "scripts/stack", *arguments, "--dir", self.dir], text=True,
                              capture_output=True, timeout=240,
                              env={**os.environ, "FANFARE_STACK_DIR": str(self.dir), "FANFARE_SKIP_SETUP": "1"})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def own_run(self, **options):
        return self.new_run(database_url=self.url, brokers=self.brokers, **options)
