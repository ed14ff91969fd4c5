#!/usr/bin/env python3
"""Workers side by side; one dies, one is stopped for longer than its lease and comes back."""

import re
import signal
import time

from harness import CHANNELS, main, say, until
from kill_test import Crash

LEASE_S, SESSION_S = 4, 6


class Replicas(Crash):
    def start_all(self, count, people):
        run = self.slow_run(people)
        workers = run.workers(count)
        job = run.publish(run.job())
        return run, workers, job

    def stop_for_longer_than_the_lease(self, run, worker, job):
        """Stops it when it really holds something."""
        self.wait_told(run, job, 600)
        worker.signal(signal.SIGSTOP)
        stopped = time.monotonic()
        until(lambda: time.monotonic() - stopped > max(LEASE_S, SESSION_S) + 1, "the lease to run out", 30)
        worker.signal(signal.SIGCONT)

    def finish(self, run, job, workers):
        run.wait_settled(job, timeout_s=150)
        counts = self.assert_accounted(run, job)
        for channel in CHANNELS:
            self.assertEqual(set(counts[channel]) - {"sent", "unknown"}, set(), channel)
        self.assertEqual(counts["push"]["unknown"], 0)
        for worker in workers:
            self.assertEqual(worker.end(), 0, worker.name)
        repeats = run.sim.summary(job)["fcm"]["extra"]
        say(f"    {counts}, push repeated {repeats}")
        return counts


class TwoWorkers(Replicas):
    def test_side_by_side(self):
        run, workers, job = self.start_all(2, 3000)
        run.wait_settled(job)
        counts = self.assert_accounted(run, job)
        self.assertEqual(counts, {channel: {"sent": 3000} for channel in CHANNELS})
        self.assert_push_repeats_only(run, job, set())
        accounts = run.db.value("SELECT count(DISTINCT account) FROM chunk")
        self.assertEqual(accounts, "3")

    def test_one_is_stopped(self):
        run, workers, job = self.start_all(2, 5000)
        self.stop_for_longer_than_the_lease(run, workers[0], job)
        self.finish(run, job, workers)


class ThreeWorkers(Replicas):
    def test_one_is_killed_and_one_is_stopped(self):
        run, workers, job = self.start_all(3, 6000)
        self.wait_told(run, job, 300)
        workers[0].kill()
        self.stop_for_longer_than_the_lease(run, workers[1], job)
        self.finish(run, job, workers[1:])


class MoreThanPartitions(Replicas):
    def test_each_is_ready_and_takes_work(self):
        run = self.slow_run(3000)
        run.settings["kafka"]["partitions"] = 2
        workers = run.workers(3)  # Each is waited for until it is ready.
        def served(worker):
            found = re.findall(r'^fanfare_requests_total\{.*verdict="ok".*\} (\d+)', run.http(worker, "/metrics"), re.MULTILINE)
            return sum(map(int, found))
        jobs = []
        def all_serve():
            if jobs:
                run.wait_settled(jobs[-1])
            jobs.append(run.publish(run.job(channels=["sms", "push"])))
            self.wait_told(run, jobs[-1], 3000)
            return all(served(worker) for worker in workers)
        until(all_serve, lambda: f"each to serve: {[served(w) for w in workers]}", 120)
        for worker in workers:
            self.assertTrue(run.is_ready(worker), worker.name)
        run.wait_settled(*jobs)
        for job in jobs:
            self.assert_accounted(run, job, channels=("sms", "push"))


if __name__ == "__main__":
    main()
