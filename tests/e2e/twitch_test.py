#!/usr/bin/env python3
"""A real follower graph, scheduled by the real producer: shows of the 50 most followed streamers, all due now.

The graph (five languages, 24,600 streamers) is looked for in $FANFARE_TWITCH_DIR and in shared/data/twitch
beside the checkout; where it is missing a seeded power-law graph takes its place.
"""

import csv
import os
import random
import time
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone
from pathlib import Path

from harness import BIN, CHANNELS, PROVIDERS, ROOT, EndToEnd, main, say, until

LANGUAGES = {"ENGB": ("en-GB", "Europe/London"), "ES": ("es", "Europe/Madrid"), "FR": ("fr", "Europe/Paris"),
             "PTBR": ("pt-BR", "America/Sao_Paulo"), "RU": ("ru", "Europe/Moscow")}
STREAMERS, SEED = 50, 5
TIME_S = 200


def twitch_dir():
    for folder in (os.environ.get("FANFARE_TWITCH_DIR"), ROOT.parent / "shared/data/twitch", "/work/shared/data/twitch"):
        if folder and (Path(folder) / "ENGB_edges.csv").exists():
            return Path(folder)
    return None


def read_graph(folder):
    """Streamer -> followers. An edge is a friendship: both follow each other; nobody himself."""
    followers = defaultdict(set)
    for language in LANGUAGES:
        with open(folder / f"{language}_target.csv", newline="") as file:
            for row in csv.DictReader(file):
                followers.setdefault(f"{language}-{row['new_id']}", set())
        with open(folder / f"{language}_edges.csv", newline="") as file:
            for row in csv.DictReader(file):
                one, other = f"{language}-{row['from']}", f"{language}-{row['to']}"
                if one != other:
                    followers[one].add(other)
                    followers[other].add(one)
    return followers


def make_graph(people=8000, links=14):
    """Preferential attachment: who is followed gets more followers."""
    dice = random.Random(SEED)
    names = [f"{list(LANGUAGES)[n % len(LANGUAGES)]}-{n}" for n in range(people)]
    followers = {name: set() for name in names}
    ends = list(names[:links])
    for name in names[links:]:
        for other in {dice.choice(ends) for _ in range(links)} - {name}:
            followers[name].add(other)
            followers[other].add(name)
            ends += [name, other]
    return followers


def user_of(name, n):
    """Most people have most addresses; the numbers decide who lacks which."""
    locale, zone = LANGUAGES[name.split("-")[0]]
    return {"email": [] if n % 17 == 3 else [f"{name.lower()}@example.com"],
            "sms": [] if n % 5 == 1 else [f"+1555{n:07d}"],
            "push": [] if n % 4 == 2 else [f"token-{name}"] + ([f"token-{name}-tablet"] if n % 40 == 0 else []),
            "locale": None if n % 11 == 0 else locale, "zone": None if n % 13 == 0 else zone}


class Twitch(EndToEnd):
    def load(self, run, followers):
        people = {name: user_of(name, n) for n, name in enumerate(sorted(followers))}
        first = lambda found: found[0] if found else None  # noqa: E731
        run.db.load("users (id, username, email, phone, locale, time_zone)", (
            (name, name, first(p["email"]), first(p["sms"]), p["locale"], p["zone"]) for name, p in people.items()))
        run.db.load("push_tokens (user_id, token)", ((name, t) for name, p in people.items() for t in p["push"]))
        run.db.load("followers (follower_id, followed_id)", (
            (follower, name) for name, them in followers.items() for follower in them))
        run.db.psql("ANALYZE;")
        return people

    def schedule(self, run, streamers):
        """One show for each, due now: it starts in less than 15 minutes."""
        start = datetime.now(timezone.utc) + timedelta(minutes=14)
        run.db.load("scheduled_shows (id, user_id, title, scheduled_at)", (
            (f"show-{name}", name, f"{name}: live & <loud>", start.strftime("%Y-%m-%d %H:%M:%S"))
            for name in streamers))

    def publish(self, run, streamers):
        """By the real scheduler; straight to Kafka in a build that has none yet. Show -> job."""
        if (BIN / "fanfare-producer").exists():
            self.schedule(run, streamers)
            run.producer(ready_s=None)
            rows = until(lambda: (lambda r: r if len(r) == len(streamers) else None)(run.db.rows(
                "SELECT substr(subject, 6), job_id FROM notification WHERE state = 'published'")),
                "the scheduler to publish every show", 60)
            return dict(rows)
        say("    NO fanfare-producer IN THIS BUILD: the jobs go straight to Kafka")
        jobs = {name: run.job(name) for name in streamers}
        run.publish(*jobs.values())
        return {name: job["id"] for name, job in jobs.items()}

    def test_every_follower_of_every_show(self):
        folder = twitch_dir()
        if folder:
            followers = read_graph(folder)
        else:
            say("    THE TWITCH GRAPH IS NOT HERE (FANFARE_TWITCH_DIR): a generated one takes its place")
            followers = make_graph()
        streamers = sorted(followers, key=lambda name: (-len(followers[name]), name))[:STREAMERS]
        run = self.new_run()
        people = self.load(run, followers)
        for _ in range(2):
            run.worker()
        started = time.monotonic()
        jobs = self.publish(run, streamers)
        self.assertEqual(len(set(jobs.values())), STREAMERS)
        run.wait_settled(*jobs.values(), timeout_s=TIME_S)
        took = time.monotonic() - started
        fates = defaultdict(dict)
        for job, channel, recipient, outcome in run.db.rows("SELECT job_id, channel, recipient, outcome FROM delivery"):
            self.assertNotIn(recipient, fates[job, channel], "in two chunks")
            fates[job, channel][recipient] = outcome
        total = Counter()
        for name, job in jobs.items():
            for channel in CHANNELS:
                mine = fates[job, channel]
                self.assert_same(set(mine), followers[name], f"planned for {name} on {channel}")
                wanted = {a for follower in followers[name] for a in people[follower][channel]}
                accepted = run.accepted(channel, job)
                self.assert_same(set(accepted), wanted, f"told of {name} on {channel}")
                twice = [a for a, n in accepted.items() if n > 1]
                self.assertEqual(twice[:5], [], f"{len(twice)} told twice of {name} on {channel}")
                for follower, outcome in mine.items():
                    self.assertEqual(outcome, "sent" if people[follower][channel] else "no_address", f"{name} {follower}")
                total[channel] += len(accepted)
        for channel in CHANNELS:
            self.assertEqual(run.sim.count(PROVIDERS[channel], "accepted"), total[channel], "told of nothing else")
        for provider in PROVIDERS.values():
            for name in ("bad_requests", "leaks", "unfilled"):
                self.assertEqual(run.sim.count(provider, name), 0, f"{provider} {name}")
        say(f"    {len(people)} people, {STREAMERS} shows: {dict(total)} messages in {took:.1f} s")


if __name__ == "__main__":
    main()
