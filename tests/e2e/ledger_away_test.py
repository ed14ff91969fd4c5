#!/usr/bin/env python3
"""PostgreSQL, a table or a row is away for longer than the lease while requests are in flight: whoever lives has their
say."""

import time

from harness import CHANNELS, main, say, until
from own_stack import OwnStack

PEOPLE = 3000
LEASE_S = 10


class LedgerAway(OwnStack):
    def sending(self, workers=1):
        run = self.own_run()
        run.people(PEOPLE)
        run.short_leases(LEASE_S * 1000, timeout_ms=5000)  # What is held is not to be in doubt.
        run.tune("email", chunk=20, chunks=4, concurrency=2)
        run.tune("sms", chunk=16, chunks=8, concurrency=50)
        run.tune("push", chunk=25, chunks=8, concurrency=50)
        run.sim.control(all={"latency_ms": 100})
        run.workers(workers)
        job = run.publish(run.job())
        # So that answers are on their way while nothing can be written.
        until(lambda: min(run.told(job).values()) >= 100, lambda: "all channels" + run.progress(), 60, 0.02)
        return run, job

    def hold(self, run):
        """Requests of all channels stand before their providers; how many people are in them."""
        run.sim.hold()
        until(lambda: {c for c, _ in run.begun()} == set(CHANNELS), "requests of all channels to begin")
        return len(run.begun())

    def outlast_the_lease(self, run, job):
        since = time.monotonic()
        until(lambda: time.monotonic() - since > LEASE_S + 2, "the leases to run out")
        self.assertLess(sum(run.told(job).values()), len(CHANNELS) * PEOPLE, "not in the middle")

    def judge(self, run, job, in_flight):
        run.wait_settled(job)
        say(f"    {in_flight} in flight at the fault, {run.told(job)} in the end")
        self.assert_told_once(run, job)

    def test_for_longer_than_the_lease(self):
        run, job = self.sending()
        in_flight = self.hold(run)
        self.stack("stop", "postgres", "--immediate")
        run.sim.release()
        run.worker(ready_s=None)
        self.outlast_the_lease(run, job)
        self.stack("start", "postgres")
        self.judge(run, job, in_flight)

    def test_a_table_that_somebody_has_locked(self):
        run, job = self.sending(workers=2)
        in_flight = self.hold(run)
        with self.locked(run, "LOCK TABLE chunk IN ACCESS EXCLUSIVE MODE"):
            run.sim.release()
            self.outlast_the_lease(run, job)
        self.judge(run, job, in_flight)

    def test_rows_that_somebody_has_locked(self):
        run, job = self.sending(workers=2)
        in_flight = self.hold(run)
        with self.locked(run, "SELECT number FROM chunk WHERE state = 'claimed' FOR UPDATE"):
            run.sim.release()
            run.worker()  # Which has nothing else to do than to claim what is taken over.
            self.outlast_the_lease(run, job)
        self.judge(run, job, in_flight)


if __name__ == "__main__":
    main()
