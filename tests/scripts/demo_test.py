#!/usr/bin/env python3
"""`scripts/demo --keep`, small, and each line that it prints to be typed: demo_test.py ROOT PRESET"""

import glob
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

ROOT, PRESET = pathlib.Path(sys.argv[1]), sys.argv[2]


class Demo(unittest.TestCase):
    def test_what_keep_prints_works_as_printed(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="fanfare-demo-"))
        folder.chmod(0o711)  # The server of PostgreSQL may be another user's.
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        environment = {**os.environ, "FANFARE_DEMO_DIR": str(folder)}
        demo = subprocess.run(
            [ROOT / "scripts/demo", "--keep", "--followers", "300", "--people", "1000", "--preset", PRESET],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=500)
        self.addCleanup(self.end, folder, environment)
        self.assertEqual(demo.returncode, 0, demo.stdout[-2000:] + demo.stderr[-3000:])
        self.assertIn("lost 0, duplicated 0", demo.stdout)
        printed = demo.stdout.split("Left running.")[1]
        lines = [line.strip() for line in printed.splitlines() if line.startswith("    ")]
        typed = [line for line in lines if line.startswith(("/", "curl"))]
        self.assertEqual(len(typed), 8, printed)
        for line in typed:
            with self.subTest(line):
                plain = {name: value for name, value in os.environ.items() if not name.startswith("FANFARE_")}
                line = line.replace("curl ", "curl -fsS ", 1)
                done = subprocess.run(["sh", "-c", line], env=plain, cwd="/", capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertNotEqual(done.stdout, "")
        self.look_at_the_console(printed)
        self.look_at_the_dashboards(printed, lines)
        ended = next(line for line in printed.splitlines() if line.startswith("To end it: "))
        done = subprocess.run(["sh", "-c", ended.removeprefix("To end it: ")], cwd=ROOT, capture_output=True, text=True,
                              timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)

    def look_at_the_console(self, printed):
        url = re.search(r"http://\S+/console$", printed, re.M).group()
        token = re.search(r"the token (\S+)", printed).group(1)
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        page = browser.open(url, timeout=30).read().decode()
        action = re.search(r'<form[^>]* action="([^"]+)"', page).group(1)
        hidden = dict(re.findall(r'<input type="?hidden"? name="([^"]+)" value="([^"]*)"', page))
        form = urllib.parse.urlencode({**hidden, "token": token}).encode()
        jobs = browser.open(urllib.request.Request(urllib.parse.urljoin(url, action), form, {
            "Origin": url.removesuffix("/console")}), timeout=30).read().decode()
        self.assertIn("Friday Night Live", jobs)

    def look_at_the_dashboards(self, printed, lines):
        """The Prometheus that is printed has what they ask for, and takes the alerts; the files are there."""
        line, = [line for line in lines if line.startswith("prometheus ")]
        source, files = re.search(r"^In Grafana: a data source (\S+), then import (\S+)\.$", printed, re.M).groups()
        self.assertEqual(len(glob.glob(files)), 6, files)
        if shutil.which("prometheus") is None:
            print("NOT TRIED: the line of the dashboards; scripts/setup check brings a Prometheus", file=sys.stderr)
            return
        with subprocess.Popen(["sh", "-c", "exec " + line], stderr=subprocess.PIPE, text=True) as prometheus:
            said = threading.Thread(target=prometheus.stderr.read, daemon=True)  # Or it would fill the pipe.
            said.start()
            try:
                for query, wanted in (("sum(up)", 2), ('sum(fanfare_request_recipients_total{verdict="ok"}) > bool 0', 1)):
                    self.wait_for(prometheus, f"{source}/api/v1/query?query={urllib.parse.quote(query)}", wanted)
                with urllib.request.urlopen(f"{source}/api/v1/rules", timeout=30) as answer:
                    self.assertGreater(len(json.load(answer)["data"]["groups"]), 0)
            finally:
                prometheus.terminate()
                said.join(30)

    def wait_for(self, process, url, wanted):
        deadline, found = time.monotonic() + 120, None
        while time.monotonic() < deadline:
            self.assertIsNone(process.poll(), "Prometheus ended")
            try:
                with urllib.request.urlopen(url, timeout=30) as answer:
                    found = json.load(answer)["data"]["result"]
                if found and float(found[0]["value"][1]) == wanted:
                    return
            except OSError:
                pass  # Not yet.
            time.sleep(0.5)
        self.fail(f"{url}: {found}")

    @staticmethod
    def end(folder, environment):
        for name in ("worker", "producer"):
            try:
                os.kill(int((folder / "run" / f"{name}.pid").read_text().split()[0]), signal.SIGTERM)
            except (OSError, ValueError):
                pass
        subprocess.run([ROOT / "scripts/stack", "down", "--dir", folder / "stack"], cwd=ROOT, env=environment,
                       capture_output=True, timeout=120)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
