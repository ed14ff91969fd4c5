#!/usr/bin/env python3
"""docker-compose.yml against the tree: without a Docker engine nobody else would notice that they drifted apart.

usage: tests/scripts/compose_test.py ROOT BIN_DIR
"""

import functools
import re
import subprocess
import sys
import unittest
from pathlib import Path

ROOT, BIN = Path(sys.argv[1]), Path(sys.argv[2])
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
BASE_PACKAGES = {"libc6", "libgcc-s1", "libstdc++6"}


def built() -> list[Path]:
    return sorted(p for p in BIN.glob("fanfare*") if p.is_file())


class Compose(unittest.TestCase):
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
        stage = DOCKERFILE.rsplit("FROM ", 1)[1]
        for program in built():
            needed = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=20).stdout
            paths = re.findall(r"=> (/\S+)", needed)
            header = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, timeout=60).stdout
            for library in re.findall(r"NEEDED.*\[(.*)\]", header):
                path = next((p for p in paths if p.endswith("/" + library)), None)
                if path is None or re.search(r"lib(a|t|ub)san", library):
                    continue
                owner = self.owner(path)
                if owner and owner not in BASE_PACKAGES:
                    self.assertRegex(stage, rf"(?<![\w.-]){re.escape(owner)}(?![\w-])",
                                     f"{program.name} needs {library}")

    @staticmethod
    @functools.cache
    def owner(path: str) -> str | None:
        for name in (path, path.removeprefix("/usr"), "/usr" + path, str(Path(path).resolve())):
            found = subprocess.run(["dpkg", "-S", name], capture_output=True, text=True, timeout=20)
            if found.returncode == 0:
                return found.stdout.split(":")[0]
        return None


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
