#!/usr/bin/env python3
"""What `cmake --install` and `cpack` bring, installed apart and used from there: package_test.py CMAKE CPACK BUILD_DIR ROOT

Where systemd-analyze, dpkg-shlibdeps or man is missing that is left out, and the exit code is 77."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from image import lacks, stem

CMAKE, CPACK = sys.argv[1:3]
BUILD, ROOT = (pathlib.Path(argument).resolve() for argument in sys.argv[3:5])
SKIPPED = 77
PROGRAMS = ("fanfare", "fanfare-producer", "fanfare-worker")
EXPOSURE_MAX = 12  # Tenths. An ordinary service has 96; less than 10 is for what speaks to no network.
missing = set()


def run(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300, **more)


def has(*tools):
    gone = {tool for tool in tools if shutil.which(tool) is None}
    missing.update(gone)
    return not gone


def files_below(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="fanfare-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.root)
        # The prefix ends in usr, as Debian's does: settings are beside it.
        cls.usr, cls.etc = cls.root / "usr", cls.root / "etc/fanfare"
        done = run(CMAKE, "--install", BUILD, "--prefix", cls.usr)
        assert done.returncode == 0, done.stdout + done.stderr
        cls.all = files_below(cls.root)

    def fanfare(self, *words, program="fanfare", **more):
        return run(self.usr / "bin" / program, *words, env={"PATH": os.environ["PATH"], **more}, cwd=self.root)

    def in_order(self):
        secrets = self.etc / "secrets"
        (secrets / "database_url").write_text("postgresql://fanfare@127.0.0.1:1/fanfare")
        self.addCleanup((secrets / "database_url").unlink)

    def test_everything_is_there(self):
        wanted = {"etc/fanfare/fanfare.yaml", "usr/share/bash-completion/completions/fanfare",
                  "usr/share/zsh/vendor-completions/_fanfare", "usr/share/fish/vendor_completions.d/fanfare.fish",
                  "usr/share/fanfare/dashboards/alerts.yml", "usr/share/fanfare/systems/shows/system.yaml",
                  "usr/share/doc/fanfare/operations.md", "usr/share/doc/fanfare/openapi.yaml",
                  "usr/share/doc/fanfare/examples/outbox.sql", "usr/lib/systemd/system/fanfare-migrate.service",
                  "usr/lib/systemd/system/fanfare-worker@.service",
                  "usr/lib/systemd/system/fanfare-.service.d/hardened.conf"}
        wanted |= {f"usr/bin/{name}" for name in PROGRAMS} | {f"usr/share/man/man1/{name}.1.gz" for name in PROGRAMS}
        wanted |= {f"usr/lib/systemd/system/{name}.service" for name in PROGRAMS[1:]}
        shown = {f"usr/share/fanfare/dashboards/{file.name}" for file in (ROOT / "dashboards").iterdir()
                 if file.suffix in (".json", ".yml")}
        self.assertEqual({name for name in self.all if name.startswith("usr/share/fanfare/dashboards/")}, shown)
        for here, there in (("config/migrations", "migrations"), ("templates", "templates")):
            wanted |= {f"usr/share/fanfare/{there}/{name}" for name in files_below(ROOT / here)}
        self.assertEqual(wanted - self.all, set())
        self.assertFalse([name for name in self.all if "sim" in pathlib.Path(name).name.split(".")[0].split("-")],
                         "the simulator is for tests")
        for folder in ("systems", "templates", "secrets"):
            self.assertEqual(list((self.etc / folder).iterdir()), [], "what is installed asks nothing of anybody's tables")
        self.assertEqual((self.etc / "secrets").stat().st_mode & 0o777, 0o750)

    def test_the_programs_run_from_there(self):
        for name in PROGRAMS:
            shown, built = self.fanfare("--version", program=name), run(BUILD / "bin" / name, "--version")
            self.assertEqual((shown.returncode, shown.stdout, shown.stderr), (0, built.stdout, ""))
            self.assertIn(str(self.etc / "fanfare.yaml"), self.fanfare("--help", program=name).stdout)

    def test_settings_lack_the_database_and_nothing_else(self):
        done = self.fanfare("config", "check")
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stderr, r"(?s)^\S+/etc/fanfare/fanfare.yaml:\d+: database.url\b.*\n1 problems\n$")
        self.in_order()
        done = self.fanfare("config", "check")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        # Wherever one stands: an installed program takes no settings out of somebody's folder.
        stranger = self.root / "stranger"
        (stranger / "config").mkdir(parents=True)
        self.addCleanup(shutil.rmtree, stranger)
        (stranger / "config/fanfare.yaml").write_text("nonsense: [")
        done = run(self.usr / "bin/fanfare", "config", "check", cwd=stranger, env={"PATH": os.environ["PATH"]})
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_system_is_set_up_as_the_docs_say(self):
        self.in_order()
        text = (ROOT / "docs/operations.md").read_text()
        lines = re.findall(r"^cp -r /usr/share/fanfare/\S+ /etc/fanfare/\S+$", text, re.M)
        self.assertEqual(len(lines), 2)
        for line in lines:
            done = run("bash", "-c", line.replace("/usr/share", f"{self.usr}/share").replace("/etc/fanfare", str(self.etc)))
            self.assertEqual(done.returncode, 0, done.stderr)
        for folder in ("systems", "templates"):
            self.addCleanup(lambda folder=self.etc / folder: [shutil.rmtree(each) for each in folder.iterdir()])
        done = self.fanfare("config", "check")
        self.assertEqual(done.returncode, 78)
        wrong = [line for line in done.stderr.splitlines()[:-1] if "a channel with an account" not in line]
        self.assertEqual(wrong, [], "only accounts are wanted")

    def test_migrations_are_found(self):
        self.in_order()
        done = self.fanfare("db", "migrate")
        self.assertEqual(done.returncode, 69, done.stderr)  # Nobody listens there: the folder was found.
        shutil.move(self.usr / "share/fanfare/migrations", self.root / "elsewhere")
        self.addCleanup(shutil.move, self.root / "elsewhere", self.usr / "share/fanfare/migrations")
        done = self.fanfare("--config", self.etc / "fanfare.yaml", "db", "migrate")
        self.assertEqual(done.returncode, 66, done.stderr)

    def test_settings_that_are_there_are_somebodys(self):
        settings = self.etc / "fanfare.yaml"
        before = settings.read_text()
        self.addCleanup(settings.write_text, before)
        settings.write_text("# mine\n")
        done = run(CMAKE, "--install", BUILD, "--prefix", self.usr)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Left alone", done.stdout)
        self.assertEqual(settings.read_text(), "# mine\n")
        self.assertEqual((self.usr / "share/fanfare/fanfare.yaml").read_text(), before)

    def test_pages_say_what_the_programs_say(self):
        if not has("man"):
            self.skipTest("no man")
        for name in PROGRAMS:
            page = self.usr / f"share/man/man1/{name}.1.gz"
            shown = run("man", "--warnings", "-E", "ascii", "-l", page, env={"PATH": os.environ["PATH"], "MANWIDTH": "200", "LC_ALL": "C"})
            self.assertEqual((shown.returncode, shown.stderr), (0, ""))
            text = re.sub(r".\x08", "", shown.stdout)
            self.assertNotIn(str(BUILD), text)
            for option in re.findall(r"^ +(?:-\w,)?(--[\w-]+)", self.fanfare("--help", program=name).stdout, re.M):
                self.assertIn(option, text)
        text = re.sub(r".\x08", "", run("man", "-l", self.usr / "share/man/man1/fanfare.1.gz").stdout)
        for words in ("db migrate", "suppress import", "completion bash"):
            self.assertRegex(text, rf"(?m)^ +{words}$")

    def test_units(self):
        if not has("systemd-analyze"):
            self.skipTest("no systemd-analyze")
        folder = self.usr / "lib/systemd/system"
        units = sorted(folder.glob("fanfare-*.service"))
        self.assertEqual(len(units), 4)
        paths = {"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{folder}:/usr/lib/systemd/system:/lib/systemd/system"}
        named = [unit if "@" not in unit.name else unit.with_name("fanfare-worker@9470.service") for unit in units]
        done = run("systemd-analyze", "verify", "--man=no", *named, env=paths)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        done = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", *named, env=paths)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:] + done.stderr)
        print(*re.findall(r"Overall exposure level.*", done.stdout), sep="\n")

    def test_units_give_time_to_drain(self):
        text = (ROOT / "config/fanfare.yaml").read_text()
        worker, producer = (int(number) / 1000 for number in re.findall(r"drain_max_ms: (\d+)", text))
        folder = self.usr / "lib/systemd/system"
        for name, drain in (("fanfare-worker", worker), ("fanfare-worker@", worker), ("fanfare-producer", producer)):
            unit = (folder / f"{name}.service").read_text()
            self.assertGreaterEqual(int(re.search(r"TimeoutStopSec=(\d+)", unit)[1]), drain + 10)
            self.assertIn(f"ExecStart={self.usr}/bin/{name.rstrip('@')} --config {self.etc}/fanfare.yaml\n", unit)
            self.assertIn("Requires=fanfare-migrate.service\n", unit)
        self.assertIn("FANFARE_OBSERVE_PORT=%i", (folder / "fanfare-worker@.service").read_text())


class Package(unittest.TestCase):
    def test_debian(self):
        if not has("dpkg-shlibdeps", "dpkg-deb", "file"):
            self.skipTest("no dpkg-dev, or no file")
        with tempfile.TemporaryDirectory(prefix="fanfare-package-") as folder:
            self.look_at(pathlib.Path(folder))

    def look_at(self, folder):
        # Pressing takes longer than all the rest, and is not ours to test.
        done = run(CPACK, "--config", BUILD / "CPackConfig.cmake", "-B", folder, "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=none",
                   "-D", f"CPACK_OUTPUT_FILE_PREFIX={folder}", cwd=folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        package, = folder.glob("*.deb")
        fields = dict(re.findall(r"^(\S+): (.*)$", run("dpkg-deb", "--field", package).stdout, re.M))
        self.assertEqual(fields["Package"], "fanfare")
        version = run(BUILD / "bin/fanfare", "--version").stdout.split()[0]
        self.assertRegex(fields["Version"], rf"^{re.escape(version)}(\+git\d{{12}}\.[0-9a-f]{{10}})?$")
        self.assertIn(fields["Version"], package.name)
        depends = {each.split()[0] for each in fields["Depends"].split(", ")}
        self.assertLessEqual({"librdkafka", "libpqxx", "adduser", "tzdata", "ca-certificates"}, {stem(name) for name in depends})
        libraries = {re.sub(r"-(protobuf|fmt)\d+(t64)?$", "", name) for name in depends}  # Virtual: with what it was built.
        self.assertEqual(lacks(libraries - {"adduser"}), set(), "the image has the same libraries")
        control = folder / "control"
        run("dpkg-deb", "--control", package, control)
        self.assertEqual((control / "conffiles").read_text(), "/etc/fanfare/fanfare.yaml\n")
        for script in ("postinst", "prerm", "postrm"):
            self.assertTrue(os.access(control / script, os.X_OK))
        listing = run("dpkg-deb", "--contents", package).stdout
        self.assertRegex(listing, r"drwxr-x--- root/root .* \./etc/fanfare/secrets/\n")
        self.assertFalse([line for line in listing.splitlines() if " root/root " not in line])
        run("dpkg-deb", "--extract", package, folder / "tree")
        unit = (folder / "tree/usr/lib/systemd/system/fanfare-worker.service").read_text()
        self.assertIn("ExecStart=/usr/bin/fanfare-worker --config /etc/fanfare/fanfare.yaml\n", unit, "not where it was staged")
        self.assertNotIn("fanfare-sim", listing)
        self.assertLess((folder / "tree/usr/bin/fanfare").stat().st_size, (BUILD / "bin/fanfare").stat().st_size, "stripped")


if __name__ == "__main__":
    passed = unittest.main(argv=sys.argv[:1], exit=False).result.wasSuccessful()
    if missing:
        print("NOT JUDGED: what is for", ", ".join(sorted(missing)), file=sys.stderr)
    sys.exit(1 if not passed else SKIPPED if missing else 0)
