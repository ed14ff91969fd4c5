#!/usr/bin/env python3
"""bench/scale: the same seed gives the same, more workers are never slower, a provider's rate holds, and docs/scale.md
shows what it prints.

usage: scale_test.py SOURCES
"""

import dataclasses
import json
import pathlib
import subprocess
import sys
import unittest

SOURCES = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(SOURCES / "bench"))

import scale_parameters  # noqa: E402
from scale_model import Model  # noqa: E402

CHANNELS = ("email", "push", "sms")


def pace(channel, people=0, seed=1, **machines):
    traffic = scale_parameters.TRAFFIC_AWAY[channel]
    workers = machines.get("workers", 1)
    count = people or workers * traffic.in_flight * traffic.chunk * 4
    return Model(traffic, dataclasses.replace(scale_parameters.AWAY[channel], **machines), seed).run(count)


class Scale(unittest.TestCase):
    def test_the_same_seed_gives_the_same(self):
        for channel in (*CHANNELS, "tiny"):
            first, again, other = (
                Model(scale_parameters.TRAFFIC[channel], scale_parameters.HERE, seed).run(3_000) for seed in (7, 7, 8))
            self.assertEqual(first, again)
            self.assertNotEqual(first["seconds"], other["seconds"], channel)

    def test_everybody_is_told_and_nothing_is_faster_than_the_processors(self):
        for channel in CHANNELS:
            found = Model(scale_parameters.TRAFFIC[channel], scale_parameters.HERE, 1).run(4_321)
            self.assertEqual(found["told"], 4_321)
            self.assertLessEqual(found["postgres_busy"], 1.0001, channel)

    def test_two_workers_are_not_slower_than_one_until_postgres_is_full(self):
        for channel in CHANNELS:
            one, two = (pace(channel, workers=count)["steady_per_s"] for count in (1, 2))
            self.assertGreater(two, one * 1.5, channel)
        full = [pace("sms", people=240_000, workers=count, postgres_cores=1) for count in (20, 40)]
        self.assertGreater(full[1]["steady_postgres_busy"], 0.9, "one core is full")
        self.assertAlmostEqual(full[1]["steady_per_s"] / full[0]["steady_per_s"], 1, delta=0.1)

    def test_more_of_postgres_is_more_where_it_is_the_bound(self):
        one, two = (pace("sms", people=240_000, workers=32, postgres_cores=count)["steady_per_s"] for count in (1, 2))
        self.assertGreater(two, one * 1.6)

    def test_a_providers_rate_bounds_the_pace_and_is_used(self):
        for channel, rate in (("email", 20_000), ("push", 1_000), ("sms", 300)):
            for workers in (1, 4):
                found = pace(channel, people=int(rate * 5), workers=workers, rate=rate)
                self.assertLessEqual(found["steady_per_s"], rate, (channel, workers))
                self.assertGreater(found["steady_per_s"], rate * 0.9, (channel, workers))

    def test_what_was_measured_is_repeated(self):
        for name, (people, measured) in scale_parameters.MEASURED.items():
            model = Model(scale_parameters.TRAFFIC[name], scale_parameters.HERE, 1).run(people)["per_s"]
            self.assertLess(abs(model / measured - 1), scale_parameters.OFF_MAX, f"{name}: {model:.0f} and {measured}")

    def test_the_document_shows_what_is_printed(self):
        program = SOURCES / "bench/scale"
        shown = subprocess.run([sys.executable, program], check=True, capture_output=True, text=True).stdout
        text = (SOURCES / "docs/scale.md").read_text()
        for part in shown.strip().split("\n\n"):
            self.assertIn(part, text, "docs/scale.md has another table: put in what bench/scale prints")

    def test_json_and_options(self):
        program = [sys.executable, SOURCES / "bench/scale", "--json", "--channel", "email", "--workers", "2", "--job", "3e6",
                   "--rate", "5000", "--day", "2e9", "--sample", "50e3"]
        found = json.loads(subprocess.run(program, check=True, capture_output=True, text=True).stdout)
        self.assertEqual([(row["channel"], row["people"], row["bound_by"]) for row in found["job"]],
                         [("email", 3_000_000, "the provider's rate")])
        self.assertEqual(found["day"][-1]["count"], 2e9)
        refused = subprocess.run([*program, "--channel", "fax"], capture_output=True, text=True)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("no channel fax", refused.stderr)


if __name__ == "__main__":
    unittest.main()
