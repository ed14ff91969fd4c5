#!/usr/bin/env python3
"""What scripts/bench prints is read, drawn and filled into docs/performance.md as it is, and what h2load and others say is understood.

usage: bench_test.py SOURCES
"""

import json
import pathlib
import sys
import unittest
import xml.etree.ElementTree

SOURCES = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path[:0] = [str(SOURCES / "bench"), str(SOURCES / "tests/e2e")]

import ceilings  # noqa: E402
import plots  # noqa: E402
import record  # noqa: E402
import sample  # noqa: E402
import stage  # noqa: E402

RECORD = SOURCES / "docs/performance.jsonl"
PICTURES = ("peers", "cpu", "ceilings")
H2LOAD = """
finished in 1.50s, {rate} req/s, 5.06MB/s
requests: 100 total, 100 started, 100 done, 100 succeeded, 0 failed, 0 errored, 0 timeout
status codes: {good} 2xx, 0 3xx, 0 4xx, 0 5xx
"""


def lines():
    """Two rounds of SMS, the second half as fast, of tiny jobs, and of nothing."""
    yield {"circumstances": {"date": "2026-01-02", "commit": "abc1234", "system": "Debian", "cores": 2, "postgres": "15.1"}}
    for number, pace in ((1, 8000), (2, 4000)):
        seconds = 20_000 / pace
        yield {"build": "this", "run": number, "scenario": "sms", "people": 20_000, "seconds": seconds, "per_s": pace,
               "cpu_s": {"sim": 1, "worker": 1, "producer": 0, "postgres": 1}, "kafka_cpu_s": 0.5,
               "ceilings": {"requests": {"per_s": 40_000}, "contacts": {"per_s": 1_230_000}, "copy": {"per_s": 800_000}, "kafka": None}}
        yield {"build": "bullmq", "run": number, "scenario": "sms", "people": 20_000, "seconds": 2 * seconds, "per_s": pace // 2,
               "cpu_s": {"node": 4, "redis": 1, "postgres": 0}, "sim_cpu_s": 1}
        yield {"build": "this", "run": number, "scenario": "tiny", "people": 10_000, "seconds": 4, "per_s": 2500, "jobs_per_s": 500.0,
               "cpu_s": {"worker": 1, "postgres": 1}, "kafka_cpu_s": 0.5, "ceilings": {"commits": {"per_s": 1000}}}
        yield {"build": "this", "run": number, "scenario": "idle", "core_percent": 1.25}


class Figures(unittest.TestCase):
    def setUp(self):
        self.runs = record.Record(json.dumps(line) for line in lines())

    def test_ratios_are_those_of_a_round(self):
        self.assertEqual(self.runs.peers("sms"), ["bullmq"])
        self.assertIn("| × 2.0 (2.0 to 2.0) |", record.peer_table(self.runs))

    def test_cpu_is_without_the_simulator_and_with_all_services(self):
        self.assertEqual(sum(self.runs.cpu("sms").values()), 125)
        self.assertEqual(self.runs.cpu("sms", "bullmq"), {"node": 200, "redis": 50, "postgres": 0})
        self.assertAlmostEqual(self.runs.busy("sms"), (3.5 / 2.5 + 3.5 / 5) / 2)
        self.assertAlmostEqual(self.runs.busy("sms", "bullmq"), (6 / 5 + 6 / 10) / 2)

    def test_a_ceiling_that_was_not_measured_is_left_out(self):
        self.assertEqual(set(self.runs.ceilings("sms")), {"requests", "contacts", "copy"})
        table = record.ceiling_table(self.runs)
        self.assertIn("| 40,000 | 1.23 million | 800,000 |  |  | 37,000 | 16 % |", table)
        self.assertIn("500 (500 to 500) jobs/s |  |  |  |  | 1,000 | 1,000 | 50 % |", table)
        self.assertIn("1.25 (1.25 to 1.25) % of a core", table)

    def test_the_page_is_filled_between_its_marks_again_and_again(self):
        page = "a\n" + record.BEGIN + record.END + "b\n"
        once = record.filled(page, "x\n")
        self.assertEqual(once, "a\n" + record.BEGIN + "\nx\n\n" + record.END + "b\n")
        self.assertEqual(record.filled(once, "x\n"), once)
        with self.assertRaises(ValueError):
            record.filled("a\n", "x\n")

    def test_pictures_are_xml_and_show_who_was_measured(self):
        for name, shown in zip(PICTURES, ("BullMQ", "Redis", "contacts")):
            text = getattr(plots, name)(self.runs)
            xml.etree.ElementTree.fromstring(text)
            self.assertIn(shown, text)

    def test_the_line_of_the_readme(self):
        self.runs.runs.update(email=self.runs.runs["sms"], push=self.runs.runs["sms"])
        text = record.in_short(self.runs)
        self.assertIn("6,000 e-mails, 6,000 SMS, 6,000 push messages a second", text)
        self.assertIn("SMS and push: 2.0 and 2.0 times what BullMQ does", text)

    @unittest.skipUnless(RECORD.exists(), "nothing is on record")
    def test_the_page_shows_what_is_on_record(self):
        runs = record.Record(RECORD.read_text().splitlines())
        for name, told in record.PAGES.items():
            page = (SOURCES / name).read_text()
            self.assertEqual(page, record.filled(page, told(runs)), "bench/draw")
        for name in PICTURES:
            self.assertEqual((SOURCES / f"docs/pictures/performance-{name}.svg").read_text(), getattr(plots, name)(runs), "bench/draw")


class Reading(unittest.TestCase):
    def test_h2load(self):
        self.assertEqual(ceilings.read_h2load(H2LOAD.format(rate="45312.50", good=100)), (45312.5, 100))
        with self.assertRaises(RuntimeError):
            ceilings.read_h2load("cannot connect\n")

    def test_pieces_hold_so_many_people(self):
        self.assertEqual(list(ceilings.pieces([400] * 5, 1000)), [(0, 3), (3, 5)])
        self.assertEqual(list(ceilings.pieces([2000, 1], 1000)), [(0, 1), (1, 2)])

    def test_the_contact_query_of_a_channel(self):
        system = (SOURCES / "config/systems/shows/system.yaml").read_text()
        self.assertIn("u.id AS recipient_id, t.token AS address", ceilings.relation_of(system, "push"))
        self.assertNotIn("token", ceilings.relation_of(system, "sms"))
        self.assertNotIn("lane", ceilings.relation_of(system, "push"))

    def test_an_address_leaves_a_hole_and_fills_it(self):
        for channel, body in (("sms", "To=%2B1555&From=%2B1500"), ("push", '{"message":{"token":"t-1","data":{}}}')):
            request = sample.with_hole(channel, {"body": body, "headers": {}, "path": "/"})
            self.assertNotEqual(request["body"], body)
            self.assertEqual(ceilings.filled(request), body)

    def test_versions(self):
        for line, number in (("psql (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", "15.18"), ("v20.20.2", "20.20.2"),
                             ("h2load nghttp2/1.52.0", "1.52.0"), ("Redis server v=7.0.15 sha=0", "7.0.15"), ("", "")):
            self.assertEqual(stage.number_in(line), number)


if __name__ == "__main__":
    unittest.main()
