#!/usr/bin/env python3
"""A seed is a plan; and what is drawn of a run shows names as they are."""

import unittest

import timeline
from chaos_plan import FAULTS, MORE, REST_S, faults, plan


# How the seed 7 begins.
SEVEN = [(1.81, "kill", "worker 1"), (3.72, "kill", "worker 1"), (4.9, "kill", "worker 2"), (8.27, "cut_line", "line"),
         (10.73, "kill", "worker 1")]


class ChaosPlan(unittest.TestCase):
    def test_is_the_same_for_the_same_seed_and_another_for_another(self):
        self.assertEqual(plan(7, 5, 3), plan(7, 5, 3))
        self.assertNotEqual(plan(7, 5, 3), plan(8, 5, 3))
        self.assertEqual(plan(7, 5, 3), plan(7, 10, 3)[:len(plan(7, 5, 3))], "a longer run begins as the shorter one")

    def test_has_every_fault_and_one_at_a_time_for_a_part(self):
        known = faults(MORE)
        self.assertEqual({fault.name for fault in plan(1, 60, 3)}, set(FAULTS))
        found, free_at = plan(1, 120, 3, more=tuple(MORE)), {}
        self.assertEqual({fault.name for fault in found}, set(known))
        self.assertEqual({f.part for f in found if f.name == "kill"}, {"worker 1", "worker 2", "worker 3"})
        for fault in found:
            _, part, least_s, most_s = known[fault.name]
            self.assertTrue(least_s <= fault.lasts_s <= most_s, fault)
            self.assertLessEqual(free_at.get(fault.part, 0), fault.at_s + 0.01, fault)
            free_at[fault.part] = fault.at_s + fault.lasts_s + REST_S.get(part, 0)

    def test_has_of_an_option_what_was_asked_for(self):
        for option, added in MORE.items():
            self.assertEqual({fault.name for fault in plan(1, 60, 3, more=(option,))}, {*FAULTS, *added}, option)
        self.assertEqual(plan(1, 60, 3, more=tuple(MORE)), plan(1, 60, 3, more=tuple(reversed(MORE))))

    def test_of_a_seed_without_options_stays_as_it_was(self):
        self.assertEqual([(fault.at_s, fault.name, fault.part) for fault in plan(7, 1, 2)][:5], SEVEN)

    def test_each_fault_is_a_method_of_chaos(self):
        from chaos import Chaos
        self.assertEqual([name for name in faults(MORE) if not callable(getattr(Chaos, name, None))], [])

    def test_a_stack_has_what_an_option_needs(self):
        from chaos import Chaos
        Chaos.with_more(("brokers", "standby"))
        self.addCleanup(Chaos.with_more, ())
        self.assertEqual(Chaos.services, ("--brokers", "3", "--standby"))


class Timeline(unittest.TestCase):
    def test_is_one_page_that_needs_nothing_else(self):
        page = timeline.Page(60)
        page.lane("a <fault>", [(1, 2, "it & more"), (59, 61, "the end")])
        page.axis()
        page.curves("a curve", {"one": [(0, 0), (30, 5)], "two": [(0, 1), (60, 2)]})
        drawn = page.svg() + timeline.table([("lost", 0, True)])
        self.assertIn("a &lt;fault&gt; × 2", drawn)
        self.assertIn("it &amp; more", drawn)
        for outside in ("href=", "src=", "url(", "<script"):
            self.assertNotIn(outside, drawn)

    def test_axes_end_at_round_figures(self):
        self.assertEqual([timeline.ceiling(v) for v in (0, 0.04, 0.3, 1, 3, 7, 12, 99, 101, 5000, 5001)],
                         [1, 0.1, 0.5, 1, 5, 10, 20, 100, 200, 5000, 10000])

    def test_a_curve_of_nothing_is_drawn(self):
        page = timeline.Page(0)
        page.curves("nothing", {"one": []})
        self.assertIn("<svg", page.svg())


if __name__ == "__main__":
    unittest.main(verbosity=2)
