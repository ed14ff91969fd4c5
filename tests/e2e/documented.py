"""Commands as the documents print them, run in a run's folder."""

import os
import re
import subprocess

from harness import BIN, ROOT, EndToEnd, until


def chapters(document, level=2):
    """Heading -> its blocks of shell commands, in their order."""
    text = (ROOT / "docs" / document).read_text()
    found = {}
    for chapter in re.split(rf"^{'#' * level} ", text, flags=re.M)[1:]:
        heading, body = chapter.split("\n", 1)
        found[heading] = [re.sub(r"^ {3}", "", block, flags=re.M)
                          for block in re.findall(r"^ *```sh\n(.*?)^ *```", body, flags=re.M | re.S)]
    return found


class Documented(EndToEnd):
    def type(self, run, block, **variables):
        """What the commands print; each must end well."""
        (run.dir / "bin").mkdir(exist_ok=True)
        link = run.dir / "bin/fanfare"
        if not link.exists():
            link.symlink_to(BIN / "fanfare")
        environment = run.environment(FANFARE_CONFIG=str(run.dir / "fanfare.yaml"), **variables)
        environment["PATH"] = f"{run.dir}/bin:{os.environ['PATH']}"
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=run.dir, env=environment, text=True,
                              capture_output=True, timeout=240)
        self.assertEqual(done.returncode, 0, f"{block}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def wait_told_on_each(self, job, people):
        """Until the providers have accepted so many messages on each channel."""
        run = self.run_
        until(lambda: min(run.told(job).values()) >= people, lambda: f"{people} to be told" + run.progress(), 90)
