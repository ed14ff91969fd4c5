#!/usr/bin/env python3
"""That the cases of crash_points_test.py find what they are there for: faults are planted beneath the programs, by triggers."""

import re
import unittest
from concurrent.futures import ThreadPoolExecutor

from crash_points_test import ANY, Worlds, judged_job
from crash_world import World
from harness import main, say

TRIGGER = """
CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NEW; END $$;
CREATE TRIGGER planted BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION planted();"""
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


class Planted(unittest.TestCase):
    def find(self, item):
        name, (table, body, point, _) = item
        judge = judged_job(ANY, ["sms"])
        world = World(ANY, prepare=lambda each: each.run.db.psql(TRIGGER.format(table=table, body=body)))
        try:
            wrong = Worlds.one(world, judge, ((point, 1),))
        finally:
            world.stop()
        say(f"    {name}, killed {point}: {wrong}")
        return wrong

    def test_each_is_found(self):
        with ThreadPoolExecutor(len(PLANTS)) as pool:
            found = dict(zip(PLANTS, pool.map(self.find, PLANTS.items())))
        for name, wrong in found.items():
            self.assertTrue(re.search(PLANTS[name][3], " ".join(wrong)), f"{name}: {wrong}")


if __name__ == "__main__":
    main()
