"""A PostgreSQL and a Kafka of the test's own, which it may stop, kill and wipe."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import ROOT, EndToEnd, say


class OwnStack(EndToEnd):
    """One for all tests of a class: what a test has stopped and not started again is started for the next."""

    services = ()  # Options of scripts/stack up.

    @classmethod
    def setUpClass(cls):
        cls.dir = Path(tempfile.mkdtemp(prefix="fanfare-e2e-own-"))
        cls.dir.chmod(0o711)
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)
        cls.addClassCleanup(cls.stack, "down")

    def setUp(self):
        self.begin()
        # Commas come with a backslash before them.
        found = dict(re.findall(r"export (\w+)='?([^'\s]+)", self.stack("env").replace("\\", "")))
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

    @classmethod
    def stack(cls, *arguments):
        done = subprocess.run([ROOT / "scripts/stack", *arguments, "--dir", cls.dir], text=True,
                              capture_output=True, timeout=900,
                              env={**os.environ, "FANFARE_STACK_DIR": str(cls.dir), "FANFARE_SKIP_SETUP": "1"})
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout

    def own_run(self, **options):
        return self.new_run(database_url=self.url, brokers=self.brokers, **options)
