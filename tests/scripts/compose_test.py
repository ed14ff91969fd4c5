#!/usr/bin/env python3
"""docker-compose.yml against the tree: without a Docker engine nobody else would notice that they drifted apart.

usage: tests/scripts/compose_test.py ROOT BIN_DIR

Debian's docker-compose, promtool and amtool judge what is theirs. Where one is missing that is left out, and the exit code is 77.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from image import lacks

ROOT, BIN = Path(sys.argv[1]), Path(sys.argv[2])
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
SKIPPED = 77
missing = set()


def built() -> list[Path]:
    return sorted(p for p in BIN.glob("fanfare*") if p.is_file())


def judged_by(name):
    """Leaves a test out, loudly, where a tool is not there."""
    def of(test):
        @functools.wraps(test)
        def tried(self):
            if shutil.which(name) is None:
                missing.add(name)
                self.skipTest(f"{name} is not installed")
            test(self)
        return tried
    return of


def services(text):
    """Each service's lines."""
    block = re.search(r"^services:\n(.*?)(?=^\S|\Z)", text, re.M | re.S).group(1)
    return dict(re.findall(r"^  (\w+):\n((?:    .*\n|\n|  +#.*\n)*)", block, re.M))


def said(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, **more)
    return done.returncode, done.stdout + done.stderr


class Compose(unittest.TestCase):
    @judged_by("docker-compose")
    def test_compose_takes_it(self):
        code, text = said("docker-compose", "--file", ROOT / "docker-compose.yml", "config",
                          env={"PATH": os.environ["PATH"], "FANFARE_COMMIT": "x"})
        self.assertEqual(code, 0, text)
        self.assertNotRegex(text, r"(?i)warn|deprecat|unsupported")
        found = services(text)
        self.assertEqual(set(found), set(services(COMPOSE)))
        for name, lines in found.items():
            with self.subTest(service=name):
                self.assertRegex(lines, r'(?m)memory: ([1-9]\d*[MG]|"[1-9]\d{6,10}")$', "one container must not take the machine's memory")
                self.assertRegex(lines, r"cpus: ")
                self.assertRegex(lines, r"max-size: 10m", "nor its disk")
                self.assertRegex(lines, r"max-file: ")

    def test_images_are_pinned(self):
        for image in re.findall(r"image: (\S+)", COMPOSE) + re.findall(r"^FROM (\S+:\S+)", DOCKERFILE, re.M):
            if not image.endswith(":local"):
                self.assertRegex(image, r":v?\d+\.\d+(\.\d+)?(-[a-z]+)?$", "tomorrow it must be the same one")

    def test_the_simulator_is_apart(self):
        stages = {name: text for name, text in re.findall(r"^FROM \S+ AS (\w+)\n(.*?)(?=^FROM|\Z)", DOCKERFILE, re.M | re.S)}
        self.assertEqual(list(stages)[-1], "fanfare", "what is built where nobody names a stage")
        for name in ("runtime", "fanfare"):
            self.assertNotIn("sim", stages[name])
            self.assertNotIn("deploy/", stages[name], "settings are mounted")
        self.assertRegex(COMPOSE, r"build: &build \{.*target: fanfare\b")
        self.assertIn("target: sim", services(COMPOSE)["sim"])
        self.assertIn("fanfare-sim:local", services(COMPOSE)["sim"])

    @judged_by("promtool")
    def test_prometheus_takes_its_settings(self):
        with tempfile.TemporaryDirectory() as folder:
            for there in re.findall(r"- \./(\S+):/etc/prometheus/\S+:ro", COMPOSE):
                shutil.copy(ROOT / there, folder)
            code, text = said("promtool", "check", "config", f"{folder}/prometheus.yml")
            self.assertEqual(code, 0, text)
            self.assertIn("1 rule files found", text)
        self.assertIn("alertmanager:9093", (ROOT / "deploy/prometheus.yml").read_text())

    @judged_by("amtool")
    def test_alertmanager_takes_its_settings(self):
        settings = ROOT / "deploy/alertmanager.yml"
        code, text = said("amtool", "check-config", settings)
        self.assertEqual(code, 0, text)
        alerts = (ROOT / "dashboards/alerts.yml").read_text()
        for name in re.findall(r"Fanfare\w+", settings.read_text()):
            self.assertIn(f"alert: {name}\n", alerts)

    def test_listens_on_loopback_only(self):
        ports = re.findall(r'"([\d.:]*\d+:\d+)"', " ".join(re.findall(r"ports: \[(.*)\]", COMPOSE)))
        self.assertTrue(ports)
        for port in ports:
            self.assertTrue(port.startswith("127.0.0.1:"), port)

    def test_files_exist(self):
        for path in re.findall(r"- \./([^:\n]+):", COMPOSE) + re.findall(r"dockerfile: ([^},\s]+)", COMPOSE):
            self.assertTrue((ROOT / path).exists(), path)

    def test_secrets_are_made(self):
        maker = (ROOT / "deploy/make-secrets").read_text()
        for name in re.findall(r"file: deploy/secrets/(\w+)", COMPOSE):
            self.assertRegex(maker, rf"secret {name}\b")

    def test_the_simulator_knows_its_options(self):
        program = BIN / "fanfare-sim"
        if not program.exists():
            self.skipTest("fanfare-sim is not built")
        text = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=20).stdout
        block = COMPOSE[COMPOSE.index("- fanfare-sim"):COMPOSE.index("sim-authority:/run/sim")]
        for option in re.findall(r"- (--[\w-]+)", block):
            self.assertIn(option, text, "docker-compose.yml starts fanfare-sim with it")

    def test_the_image_has_the_libraries(self):
        for program in built():
            needed = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=20).stdout
            paths = re.findall(r"=> (/\S+)", needed)
            header = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, timeout=60).stdout
            for library in re.findall(r"NEEDED.*\[(.*)\]", header):
                path = next((p for p in paths if p.endswith("/" + library)), None)
                if path is None or re.search(r"lib(a|t|ub)san", library):
                    continue
                owner = self.owner(path)
                if owner:
                    self.assertEqual(lacks({owner}), set(), f"{program.name} needs {library}")

    @staticmethod
    @functools.cache
    def owner(path: str) -> str | None:
        for name in (path, path.removeprefix("/usr"), "/usr" + path, str(Path(path).resolve())):
            found = subprocess.run(["dpkg", "-S", name], capture_output=True, text=True, timeout=20)
            if found.returncode == 0:
                return found.stdout.split(":")[0]
        return None


if __name__ == "__main__":
    passed = unittest.main(argv=sys.argv[:1], exit=False).result.wasSuccessful()
    if missing:
        print("NOT JUDGED: what is for", ", ".join(sorted(missing)), file=sys.stderr)
    sys.exit(1 if not passed else SKIPPED if missing else 0)
