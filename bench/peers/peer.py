#!/usr/bin/env python3
"""One measurement of one peer, for scripts/bench: a queue of others sends a message to each of the people, to the
simulator of FANFARE_BIN_DIR, on the stack that the environment names. Prints one JSON object.

usage: bench/peers/peer.py PEER CHANNEL --sample FILE [--people N] [--set NAME=VALUE ...]
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests/e2e"), str(HERE.parent)]

import ceilings  # noqa: E402
import harness  # noqa: E402
from meter import TICKS_A_SECOND, Meter, ticks_of  # noqa: E402

PEOPLE, WARM = 20_000, 5_000
# What the same contact queries give, for everybody who follows.
AUDIENCE = {
    "sms": "SELECT f.follower_id AS person, u.phone AS address FROM followers f JOIN users u ON u.id = f.follower_id "
           "WHERE f.followed_id = $1 AND u.phone IS NOT NULL",
    "push": "SELECT f.follower_id AS person, t.token AS address FROM followers f JOIN push_tokens t ON t.user_id = f.follower_id "
            "WHERE f.followed_id = $1"}
# The best of what was tried (bench/peers/README.md): processes that work, requests at once in each, and so on.
SETTINGS = {
    "bullmq": {"sms": {"workers": 1, "concurrency": 100, "connections": 0, "h2": False},
               "push": {"workers": 1, "concurrency": 100, "connections": 0, "h2": False}},
    "graphile-worker": {"sms": {"workers": 2, "concurrency": 50, "connections": 0, "h2": False, "pool": 10, "local": 500,
                                "delay_ms": 0},
                        "push": {"workers": 2, "concurrency": 50, "connections": 0, "h2": False, "pool": 10, "local": 500,
                                 "delay_ms": 0}}}


def installed(peer):
    """Its program, in build/peers/ beside its packages, which come from npm as package-lock.json pins them."""
    folder = ROOT / "build/peers" / peer
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "send.mjs", folder.parent)
    shutil.copy(HERE / peer / "main.mjs", folder)
    known = folder / "node_modules/as-pinned.json"
    pinned = (HERE / peer / "package-lock.json").read_bytes()
    if not known.exists() or known.read_bytes() != pinned:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / peer / name, folder)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True, stdout=sys.stderr)
        known.write_bytes(pinned)
    return folder / "main.mjs"


@contextlib.contextmanager
def redis(run):
    """As BullMQ's documents ask for it: nothing is evicted, and what is lost by a crash is a second's."""
    port, folder = harness.free_port(), run.dir / "redis"
    folder.mkdir()
    child = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes",
                              "--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--save", ""],
                             stdout=open(run.dir / "redis.log", "wb"), stderr=subprocess.STDOUT,
                             preexec_fn=harness.die_with_the_test)
    try:
        harness.until(lambda: subprocess.run(["redis-cli", "-p", str(port), "ping"], capture_output=True).stdout == b"PONG\n",
                      "redis to answer", 60)
        yield f"redis://127.0.0.1:{port}", child
    finally:
        child.terminate()
        child.wait(60)


class Node:
    """A Node process whose lines are read."""

    def __init__(self, run, program, role):
        self.log = run.dir / f"{role}.log"
        self.child = subprocess.Popen(["node", program, role], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      stderr=open(self.log, "ab"), preexec_fn=harness.die_with_the_test,
                                      env={**os.environ, "NODE_ENV": "production", "PEER_SETTINGS": str(run.dir / "peer.json")})

    def line(self):
        found = self.child.stdout.readline().strip()
        if not found:
            raise RuntimeError(f"a peer's process ended: {self.log.read_text()[-2000:]}")
        return found

    def say(self, text):
        self.child.stdin.write(text + "\n")
        self.child.stdin.flush()

    def end(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait(60)


def go(run, peer, channel, people, settings, redis_child):
    program, provider = installed(peer), harness.PROVIDERS[channel]
    filler, nodes = Node(run, program, "fill"), []
    nodes.append(filler)
    try:
        for _ in range(settings["workers"]):
            nodes.append(Node(run, program, "work"))
            assert nodes[-1].line() == "ready"
        assert filler.line() == "warm"
        run.sim.reset()
        meter = Meter(run)

        def spent():
            return {"node": sum(ticks_of(node.child.pid) for node in nodes) / TICKS_A_SECOND,
                    **({"redis": ticks_of(redis_child.pid) / TICKS_A_SECOND} if redis_child else {})}
        before = spent()
        filler.say("go")
        told = json.loads(filler.line())
        used = {name: value - before[name] for name, value in spent().items()}
        theirs = meter.seconds()
    finally:
        for node in nodes:
            node.end()
    counts = run.sim.summary()[provider]
    if counts["accepted"] < people:
        raise RuntimeError(f"{peer}: {counts['accepted']} of {people} were told: {nodes[1].log.read_text()[-2000:]}")
    used["postgres"], sim = theirs["postgres"], theirs["sim"]
    return {"people": people, "seconds": round(told["seconds"], 3), "filled_s": round(told["filled_s"], 3),
            "per_s": round(people / told["seconds"]), "cpu_s": {name: round(value, 2) for name, value in used.items()},
            "sim_cpu_s": round(sim, 2), "own_cpu_s_per_million": round(sum(used.values()) * 1e6 / people, 1),
            "accepted": counts["accepted"], "twice": counts["extra"],
            "settings": settings}


def main():
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("peer", choices=list(SETTINGS))
    reader.add_argument("channel", choices=list(AUDIENCE))
    reader.add_argument("--sample", metavar="FILE", required=True, help="what bench/sample.py wrote")
    reader.add_argument("--people", type=int, default=PEOPLE)
    reader.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="another setting than the usual one")
    options = reader.parse_args()
    settings = {**SETTINGS[options.peer][options.channel],
                **{name: json.loads(value) for name, value in (text.split("=", 1) for text in options.set)}}
    run = harness.Run(kafka=False)
    try:
        run.people(options.people)
        run.people(WARM, creator="warm", prefix="w")
        request = ceilings.request_for(run, json.loads(Path(options.sample).read_text()), options.channel)
        with redis(run) if options.peer == "bullmq" else contextlib.nullcontext((None, None)) as (url, child):
            (run.dir / "peer.json").write_text(json.dumps({
                **settings, "request": request, "database": run.db.url, "redis": url, "audience": AUDIENCE[options.channel]}))
            found = go(run, options.peer, options.channel, options.people, settings, child)
    finally:
        run.stop()
    shutil.rmtree(run.dir, ignore_errors=True)
    print(json.dumps({"scenario": options.channel, **found}))


if __name__ == "__main__":
    main()
