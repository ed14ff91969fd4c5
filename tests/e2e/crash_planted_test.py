#!/usr/bin/env python3
"""That the cases of crash_points_test.py and crash_ends_test.py find what they are there for: faults are planted beneath the
programs, by triggers."""

import re
import unittest
from concurrent.futures import ThreadPoolExecutor

import crash_ends_test as ends
from crash_points_test import ANY, Worlds, judged_job
from crash_world import World
from harness import main, say

TRIGGER = """
CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$;
CREATE TRIGGER planted BEFORE {what} FOR EACH ROW EXECUTE FUNCTION planted();"""
# What goes wrong -> the table, what its trigger does, where somebody dies, what is found.
PLANTS = {
    "the mark of who is in a request is not kept": (
        "chunk", "NEW.begun := NULL;", "before send.answer", "doubled on sms"),
    "who is to be asked for is written down as sent": (
        "chunk", """IF NEW.state = 'claimed' AND NEW.begun IS NOT NULL THEN
            NEW.outcomes := decode(repeat('01', NEW.size), 'hex');
            NEW.tally := ('{0,' || NEW.size || ',0,0,0,0,0,0,0,0,0,0,0,0,0}')::integer[]; END IF;""",
        "after send.mark", "falsely sent on sms"),
    "chunks are written, and how far the plan has come is not": (
        "job", "IF NEW.state = 'planning' THEN NEW.plan_cursor := OLD.plan_cursor; END IF;", "after plan.commit",
        "two outcomes|doubled"),
    "a takeover forgets the claim before": (
        "chunk", "IF NEW.takeovers > OLD.takeovers THEN NEW.begun := NULL; END IF;", "before send.answer", "doubled on sms"),
}

# The same of what crash_ends_test.py tries; with the class there and what it does, how its world is made, and whether with a producer.
MORE = {
    "people are split off, and stay in their chunk as well": (
        "UPDATE ON chunk", "IF NEW.size < OLD.size THEN NEW.recipients := OLD.recipients; NEW.size := OLD.size; END IF;",
        "after split.commit", "two outcomes", ends.Splits, "split", ends.night, False),
    "people leave their chunk, and come into no other": (
        "INSERT ON chunk", "IF NEW.number >= 1 << 21 THEN RETURN NULL; END IF;", "before split.commit", "4 lost on email",
        ends.Splits, "split", ends.night, False),
    "a cancel overrules who was told": (
        "UPDATE ON job", """IF NEW.settled_at IS NOT NULL AND OLD.settled_at IS NULL AND NEW.state = 'cancelled' THEN
            UPDATE chunk SET outcomes = decode(repeat('0a', size), 'hex') WHERE job_id = NEW.id; END IF;""",
        "after ended.claim", "unexpectedly told on email", ends.Ends, "cancelled", ends.Ends.slow, True),
    "who is refused for a dead device is not suppressed": (
        "INSERT ON suppression", "IF NEW.source = 'provider' THEN RETURN NULL; END IF;", "after dead.commit",
        "their device is not suppressed", ends.Ends, "gone", ends.Ends.together, False),
    "what is dropped takes what is open with it": (
        "UPDATE ON job", "IF NEW.dropped_at IS NOT NULL THEN DELETE FROM chunk WHERE state = 'planned'; END IF;",
        "before old.commit", "what is kept has changed", ends.Old, "drop", ends.night, True),
}


class Planted(unittest.TestCase):
    def find(self, item):
        name, (what, body, point, _, *how) = item
        judge, prepare, producer, begin = judged_job(ANY, ["sms"]), lambda _: None, False, lambda world: world
        if how:
            kind, method, prepare, producer = how
            judge, begin = getattr(kind(), method), getattr(kind, "begin_with", begin)

        def plant(world):
            prepare(world)
            world.run.db.psql(TRIGGER.format(what=what, body=body))
        world = World(ANY, producer=producer, prepare=plant)
        try:
            wrong = Worlds.one(begin(world), judge, ((point, 1),))
        finally:
            world.stop()
        say(f"    {name}, killed {point}: {wrong}")
        return wrong

    def find_all(self, plants):
        with ThreadPoolExecutor(len(plants)) as pool:
            found = dict(zip(plants, pool.map(self.find, plants.items())))
        for name, wrong in found.items():
            self.assertTrue(re.search(plants[name][3], " ".join(wrong)), f"{name}: {wrong}")

    def test_each_is_found(self):
        self.find_all({name: (f"UPDATE ON {table}", *more) for name, (table, *more) in PLANTS.items()})

    def test_each_of_what_ends_is_found(self):
        self.find_all(MORE)


if __name__ == "__main__":
    main()
