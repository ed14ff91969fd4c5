#!/usr/bin/env python3
"""PostgreSQL is away for longer than the lease while requests are in flight: whoever lives has their say."""

import time

from harness import CHANNELS, main, say, until
from own_stack import OwnStack

PEOPLE = 3000
LEASE_S = 6


class LedgerAway(OwnStack):
    def test_for_longer_than_the_lease(self):
        run = self.own_run()
        run.people(PEOPLE)
        run.short_leases(LEASE_S * 1000)
        run.tune("email", chunk=20, chunks=4, concurrency=2)
        run.tune("sms", chunk=16, chunks=8, concurrency=50)
        run.tune("push", chunk=25, chunks=8, concurrency=50)
        run.sim.control(all={"latency_ms": 100})
        run.worker()
        job = run.publish(run.job())
        # So that answers are on their way while nothing can be written.
        until(lambda: min(run.told(job).values()) >= 100, lambda: "all channels" + run.progress(), 60, 0.02)
        run.sim.hold()
        until(lambda: {c for c, _ in run.begun()} == set(CHANNELS), "requests of all channels to begin")
        in_flight = len(run.begun())
        self.stack("stop", "postgres", "--immediate")
        away_since = time.monotonic()
        run.sim.release()
        told = run.told(job)
        run.worker(ready_s=None)
        until(lambda: time.monotonic() - away_since > LEASE_S + 2, "the leases to run out")
        self.assertLess(sum(run.told(job).values()), len(CHANNELS) * PEOPLE, "not in the middle")
        self.stack("start", "postgres")
        run.wait_settled(job)
        say(f"    {in_flight} in flight at the fault, told by then {told}, {run.told(job)} in the end")
        self.assert_told_once(run, job)


if __name__ == "__main__":
    main()
