#!/usr/bin/env python3
"""docs/tutorial.md, typed as it stands, but for the build: tutorial_test.py ROOT BIN_DIR"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

ROOT, BIN = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
SKIPPED = 77


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Tutorial(unittest.TestCase):
    def test_each_step_does_what_it_says(self):
        blocks = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "docs/tutorial.md").read_text(), re.M | re.S)
        self.assertIn("scripts/build release", blocks[0])
        self.assertIn("PATH=", blocks[1])
        folder = pathlib.Path(tempfile.mkdtemp(prefix="fanfare-tutorial-"))
        folder.chmod(0o711)  # The server of PostgreSQL may be another user's.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FANFARE_")}
        environment |= {"TRIAL": str(folder / "trial"), "PROMETHEUS_PORT": str(free_port()),
                        "PATH": f"{BIN}:{os.environ['PATH']}"}
        self.addCleanup(self.end, folder, environment)
        steps = [f"echo '=== step {number}'\n{block}" for number, block in enumerate(blocks[2:], 3)]
        typed = subprocess.run(["bash", "-euo", "pipefail", "-c", "\n".join(steps)], cwd=ROOT, env=environment,
                               capture_output=True, text=True, timeout=400)
        self.assertEqual(typed.returncode, 0, typed.stdout[-3000:] + typed.stderr[-3000:])
        self.assertIn("200 members: two mails each", typed.stdout)
        self.assertIn("FanfareExpiring", typed.stdout)
        self.assertFalse((folder / "trial").exists(), "the last step leaves nothing behind")

    @staticmethod
    def end(folder, environment):
        for pid in folder.glob("trial/*.pid"):
            try:
                os.kill(int(pid.read_text()), signal.SIGTERM)
            except (OSError, ValueError):
                pass
        if (folder / "trial/stack").exists():
            subprocess.run([ROOT / "scripts/stack", "down", "--dir", folder / "trial/stack"], cwd=ROOT, env=environment,
                           capture_output=True, timeout=120)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if shutil.which("prometheus", path=os.environ["PATH"] + ":/usr/sbin") is None:
        print("NOT JUDGED: there is no Prometheus; scripts/setup check brings it")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1], verbosity=2)
