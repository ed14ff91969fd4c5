"""What a measurement stands on: programs, a PostgreSQL and a Kafka of its own, and the request that a worker sends."""

import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ("fanfare-worker", "fanfare-producer", "fanfare-sim")


def say(text):
    print(text, file=sys.stderr, flush=True)


def build(root, preset):
    """The folder of its programs."""
    subprocess.run([root / "scripts/build", preset, *PROGRAMS], check=True, stdout=sys.stderr)
    return root / "build" / preset / "bin"


def other_build(revision, folder, preset):
    """A build of another revision: a worktree of its own, or a folder of programs as it is."""
    if Path(revision, "fanfare-worker").exists():
        return Path(revision).resolve()
    tree = Path(folder, "tree")
    subprocess.run(["git", "-C", ROOT, "worktree", "add", "--detach", tree, revision], check=True, stdout=sys.stderr)
    return build(tree, preset)


# A broker that lives for minutes spends more on compiling itself than on serving: half of its CPU, up to a third of all that
# jobs of five people take. One that serves for weeks has compiled long ago.
YOUNG_BROKER = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"


def stack(command, folder):
    os.environ.setdefault("FANFARE_KAFKA_JVM", YOUNG_BROKER)
    subprocess.run([ROOT / "scripts/stack", command, "--dir", folder], check=command == "up", stdout=sys.stderr)


def use(folder):
    shell = subprocess.run(["bash", "-c", f'eval "$("{ROOT}/scripts/stack" env --dir {folder})"; env -0'],
                           check=True, capture_output=True, text=True)
    os.environ.update(line.split("=", 1) for line in shell.stdout.split("\0") if "=" in line)


@contextlib.contextmanager
def services():
    """A PostgreSQL and a Kafka of one's own, in the environment until the end."""
    folder = tempfile.mkdtemp(prefix="fanfare-bench-")
    os.chmod(folder, 0o711)
    try:
        stack("up", folder)
        use(folder)
        yield
    finally:
        stack("down", folder)
        shutil.rmtree(folder, ignore_errors=True)


def measure(arguments, programs):
    """One run in a process of its own, so that nothing of the run before is left."""
    done = subprocess.run([sys.executable, *map(str, arguments)],
                          env={**os.environ, "FANFARE_BIN_DIR": str(programs), "PYTHONDONTWRITEBYTECODE": "1"},
                          stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"bench: {' '.join(map(str, arguments[1:]))} failed")
    return json.loads(done.stdout.splitlines()[-1])


def spread(values, digits):
    middle, low, high = (f"{v:,.{digits}f}" for v in (statistics.median(values), min(values), max(values)))
    return f"{middle} ({low} to {high})"


def ratios(ours, theirs):
    """Of each round, whose measurements met the same machine."""
    return [one / other for one, other in zip(ours, theirs)]


def first_line(*command):
    if not shutil.which(command[0]):
        return ""
    return subprocess.run(command, capture_output=True, text=True).stdout.strip().partition("\n")[0]


def number_in(text):
    """Of a version's line: psql (PostgreSQL) 15.18 (Debian ...), h2load nghttp2/1.52.0."""
    found = re.search(r"(?<![\w.])v?(\d+(?:\.\d+)+)", text)
    return found[1] if found else ""


def circumstances():
    """What the figures were measured on and of."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return {"date": first_line("date", "+%F"), "commit": first_line("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"),
            "system": release.get("PRETTY_NAME", "").strip('"'), "cores": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "postgres": number_in(first_line("psql", "--version")),
            "node": number_in(first_line("node", "--version")), "redis": number_in(first_line("redis-server", "--version")),
            "nghttp2": number_in(first_line("h2load", "--version")), "load": os.getloadavg()[0]}
