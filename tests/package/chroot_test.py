#!/usr/bin/env python3
"""The Debian package in a bare Debian of this machine's release, as a stranger gets it: built by cpack, installed by apt, used,
removed, purged.

usage: tests/package/chroot_test.py [BUILD_DIR]    default: build/release

Needs root, debootstrap, dpkg-dev, a mirror of Debian and some minutes, so only `scripts/test --all` runs it. Where something is missing it
says so and ends with 77. FANFARE_DEBIAN_MIRROR names the mirror. With FANFARE_TEST_DATABASE_URL (scripts/stack env) the installed
programs also make a ledger there, with FANFARE_TEST_KAFKA_BROKERS they start, are ready and end. The chroot is below TMPDIR, and is gone at
the end; what is mounted there is so only while it is needed.
"""

import contextlib
import os
import pathlib
import platform
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release").resolve()
MIRROR = os.environ.get("FANFARE_DEBIAN_MIRROR", "http://deb.debian.org/debian")
SKIPPED = 77
# Where it is built it can be installed: the libraries of another release have other names.
RELEASE = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
PROGRAMS = ("fanfare", "fanfare-producer", "fanfare-worker")
MOUNTS = (("proc", "proc"), ("dev", "bind"), ("dev/pts", "bind"))
# What apt, dpkg and their triggers write whatever is installed.
OF_THE_SYSTEM = re.compile(r"^(var/(lib/(dpkg|apt)|cache|log)/|etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$|etc/ld\.so\.cache$|"
                           r"tmp/|run/|root/)")


def skip(why):
    print(f"NOT TESTED: the Debian package in a bare Debian, because {why}", file=sys.stderr)
    sys.exit(SKIPPED)


def look_around():
    """What it takes is here, or nothing is tried."""
    if os.geteuid() != 0:
        skip("only root can make a chroot")
    if RELEASE not in ("bookworm", "trixie"):
        skip(f"this is neither Debian 12 nor 13, but '{RELEASE}'")
    for tool, package in (("debootstrap", "debootstrap"), ("cpack", "cmake"), ("dpkg-shlibdeps", "dpkg-dev"), ("file", "file"),
                          ("mount", "mount")):
        if shutil.which(tool) is None:
            skip(f"there is no {tool}: apt-get install {package}")
    if not (BUILD / "CPackConfig.cmake").exists() or not (BUILD / "deploy/package/fanfare.1.gz").exists():
        skip(f"{BUILD} holds no whole build: scripts/build {BUILD.name}")
    try:
        urllib.request.urlopen(f"{MIRROR}/dists/{RELEASE}/Release", timeout=30).close()
    except (OSError, urllib.error.URLError) as fault:
        skip(f"{MIRROR} does not answer ({fault})")


def run(*command, timeout=600, **more):
    return subprocess.run([str(word) for word in command], text=True, capture_output=True, timeout=timeout, **more)


def must(*command, **more):
    done = run(*command, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


class Chroot(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="fanfare-chroot-"))
        cls.addClassCleanup(cls.remove)
        cls.versions = {name: must(BUILD / "bin" / name, "--version") for name in PROGRAMS}
        must("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", cls.folder, "-D", f"CPACK_OUTPUT_FILE_PREFIX={cls.folder}",
             cwd=cls.folder)
        cls.package, = cls.folder.glob("*.deb")
        cls.root = cls.folder / "debian"
        must("debootstrap", "--variant=minbase", RELEASE, cls.root, MIRROR, timeout=1500)
        shutil.copy("/etc/resolv.conf", cls.root / "etc/resolv.conf")
        (cls.root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
        (cls.root / "usr/sbin/policy-rc.d").chmod(0o755)
        shutil.copy(cls.package, cls.root / "root")

    @classmethod
    def remove(cls):
        """Never through something that is mounted there."""
        with open("/proc/mounts") as mounts:
            held = [line.split()[1] for line in mounts if line.split()[1].startswith(f"{cls.folder}/")]
        if held:
            print(f"LEFT BEHIND, for it is mounted: {held}", file=sys.stderr)
        else:
            shutil.rmtree(cls.folder)

    @classmethod
    @contextlib.contextmanager
    def mounted(cls):
        with contextlib.ExitStack() as stack:
            for name, kind in MOUNTS:
                must("mount", *(("--bind", f"/{name}") if kind == "bind" else ("-t", kind, kind)), cls.root / name)
                stack.callback(must, "umount", cls.root / name)
            yield

    def inside(self, command, code=0, user="root", text=None):
        """What a shell in the chroot prints, without anything of this environment."""
        done = run("chroot", self.root, "setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "bash", "-c", command, input=text,
                   env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "HOME": "/"}, cwd="/")
        self.assertEqual(done.returncode, code, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done.stdout + done.stderr

    def files(self):
        """What stands in it, but for what is mounted there."""
        found = set()
        for folder, folders, names in os.walk(self.root):
            where = pathlib.Path(folder).relative_to(self.root)
            if where == pathlib.Path("."):
                folders[:] = [name for name in folders if name not in ("proc", "dev", "sys")]
            found |= {str(where / name) for name in folders + names}
        return {name for name in found if not OF_THE_SYSTEM.match(name)}

    def test_a_strangers_way(self):
        with self.mounted():
            self.inside("apt-get update -q && apt-get install -qy --no-install-recommends man-db zsh fish")
            # What it needs, so that what is there afterwards is its own.
            needed = re.search(r"^Depends: (.*)$", must("dpkg-deb", "--field", self.package), re.M)[1]
            self.inside("apt-get install -qy --no-install-recommends " + " ".join(
                each.split()[0] for each in needed.split(", ")))
            before = self.files()
            self.install()
            self.programs()
            self.papers()
            self.completion()
            self.settings()
            if os.environ.get("FANFARE_TEST_DATABASE_URL"):
                self.ledger()
            else:
                print("NOT TESTED: a ledger made by the installed programs, because FANFARE_TEST_DATABASE_URL is not set")
            if os.environ.get("FANFARE_TEST_DATABASE_URL") and os.environ.get("FANFARE_TEST_KAFKA_BROKERS"):
                self.running()
            else:
                print("NOT TESTED: the installed programs at work, because FANFARE_TEST_KAFKA_BROKERS is not set")
            self.upgrade_keeps_settings()
            self.removed_and_purged(before)

    def install(self):
        self.inside(f"apt-get install -qy --no-install-recommends /root/{self.package.name}")
        self.assertRegex(self.inside("dpkg-query --show fanfare"), r"^fanfare\t\d")
        self.assertEqual(self.inside("stat --format='%U:%G %a' /etc/fanfare/secrets"), "root:fanfare 750\n")

    def programs(self):
        for name in PROGRAMS:
            self.assertNotIn("not found", self.inside(f"ldd /usr/bin/{name}"))
            self.assertEqual(self.inside(f"{name} --version"), self.versions[name])
            self.assertIn("/etc/fanfare/fanfare.yaml", self.inside(f"{name} --help"))

    def papers(self):
        for name in PROGRAMS:
            page = re.sub(r".\x08", "", self.inside(f"man --encoding=ascii {name}"))
            self.assertRegex(page, rf"(?is)^{name}\(1\).*--config")
        for name in ("fanfare/dashboards/alerts.yml", "doc/fanfare/operations.md"):
            self.assertGreater((self.root / "usr/share" / name).stat().st_size, 0, name)
        self.assertTrue((self.root / "usr/lib/systemd/system/fanfare-worker@.service").exists())

    def completion(self):
        """Each shell finds it by itself, where a package puts it; what it offers is tests/scripts/completion_test.py's to look at."""
        self.assertEqual(self.inside("""
            . /usr/share/bash-completion/completions/fanfare
            [[ $(complete -p fanfare) == *" -F _fanfare "* ]] && COMP_WORDS=(fanfare pub) COMP_CWORD=1
            _fanfare fanfare pub fanfare; printf '%s\\n' "${COMPREPLY[@]}\""""), "publish\n")
        self.assertEqual(self.inside("zsh -c 'autoload -U compinit; compinit -u -D; print $_comps[fanfare]'"), "_fanfare\n")
        self.assertEqual(self.inside("HOME=/tmp fish -c 'complete -C \"fanfare pub\"' | cut -f1"), "publish\n")

    def settings(self):
        """What is shipped lacks the database and nothing else; then the lines of docs/operations.md."""
        self.assertRegex(self.inside("fanfare config check", code=78), r"/etc/fanfare/fanfare.yaml:\d+: database.url\b.*\n1 problems")
        text = (ROOT / "docs/operations.md").read_text()
        secret, *copies = re.findall(r"^(?:install -m 0640|cp -r /usr/share/fanfare).*$", text, re.M)
        self.assertEqual(len(copies), 2)
        url = os.environ.get("FANFARE_TEST_DATABASE_URL", "postgresql://fanfare@127.0.0.1:1/fanfare")
        self.name = "chroot_" + secrets.token_hex(4)
        self.url = re.sub(r"/\w+(?=\?|$)", f"/{self.name}", url)
        self.inside(re.sub(r"postgresql://\S+", self.url, secret))
        self.assertEqual(self.inside("stat --format='%U:%G %a' /etc/fanfare/secrets/database_url"), "root:fanfare 640\n")
        self.assertEqual(self.inside("fanfare config check", user="fanfare").count("problem"), 0)
        self.inside("fanfare config check", code=78, user="daemon")
        for line in copies:
            self.inside(line)
        said = self.inside("fanfare config check", code=78, user="fanfare")
        self.assertEqual([line for line in said.splitlines() 
                          if not line.startswith("time zones: ") and "a channel with an account" not in line and "problems" not in line], [])
        self.inside("rm -r /etc/fanfare/systems/shows /etc/fanfare/templates/*")

    def ledger(self):
        server = os.environ["FANFARE_TEST_DATABASE_URL"]
        must("psql", "-qX", "-d", server, "-c", f"CREATE DATABASE {self.name}")
        self.addCleanup(must, "psql", "-qX", "-d", server, "-c", f"DROP DATABASE {self.name} WITH (FORCE)")
        self.assertIn("to apply: fanfare db migrate", self.inside("fanfare db status", code=1, user="fanfare"))
        self.assertIn("001_ledger", self.inside("fanfare db migrate", user="fanfare"))
        self.inside("fanfare db status", user="fanfare")
        self.inside("fanfare config check --database", user="fanfare")
        self.assertIn("everyone has exactly one outcome", self.inside("fanfare verify", user="fanfare"))

    def running(self):
        """A worker and a producer as their units start them, until they are ready."""
        for name in PROGRAMS[1:]:
            log, port = self.folder / f"{name}.log", f"/tmp/{name}.port"
            variables = {"FANFARE_KAFKA_BROKERS": os.environ["FANFARE_TEST_KAFKA_BROKERS"], "FANFARE_KAFKA_TOPIC_PREFIX": self.name,
                         "FANFARE_KAFKA_GROUP": self.name, "FANFARE_OBSERVE_PORT_FILE": port}
            with log.open("w") as out:
                process = subprocess.Popen(
                    ["chroot", str(self.root), "setpriv", "--reuid=fanfare", "--regid=fanfare", "--init-groups", f"/usr/bin/{name}",
                     "--config", "/etc/fanfare/fanfare.yaml"], stderr=out, cwd="/", env={"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C", **variables})
            try:
                self.wait_ready(process, pathlib.Path(f"{self.root}{port}"), log)
            finally:
                process.terminate()
                self.assertEqual(process.wait(60), 0, log.read_text()[-2000:])

    def wait_ready(self, process, port, log):
        deadline = time.monotonic() + 120
        while True:
            self.assertIsNone(process.poll(), log.read_text()[-2000:])
            with contextlib.suppress(OSError, ValueError):  # Not yet.
                with urllib.request.urlopen(f"http://127.0.0.1:{int(port.read_text())}/readyz", timeout=10) as answer:
                    return self.assertEqual(answer.status, 200)
            self.assertLess(time.monotonic(), deadline, log.read_text()[-2000:])
            time.sleep(0.2)

    def upgrade_keeps_settings(self):
        self.inside("echo '# mine' >> /etc/fanfare/fanfare.yaml")
        self.inside(f"apt-get install -qy --reinstall /root/{self.package.name}")
        self.assertIn("# mine", (self.root / "etc/fanfare/fanfare.yaml").read_text())

    def removed_and_purged(self, before):
        self.inside("apt-get remove -qy fanfare")
        self.assertFalse((self.root / "usr/bin/fanfare").exists())
        self.assertIn("# mine", (self.root / "etc/fanfare/fanfare.yaml").read_text())
        self.inside("apt-get purge -qy fanfare")
        self.assertEqual(self.files() - before, {"etc/fanfare", "etc/fanfare/secrets", "etc/fanfare/secrets/database_url"}, "only what is ours")
        self.inside("rm -r /etc/fanfare")
        self.install()
        self.inside("apt-get purge -qy fanfare")
        self.assertEqual(self.files() ^ before, set(), "as before it came")
        self.assertNotIn("fanfare", self.inside("dpkg-query --list"))


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1] in ("-h", "--help") else 64)
    look_around()
    unittest.main(argv=sys.argv[:1], verbosity=2)
