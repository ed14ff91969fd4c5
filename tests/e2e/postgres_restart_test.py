#!/usr/bin/env python3
"""PostgreSQL crashes twice in the middle of a job, on a server of this test's own: nothing is lost."""

from harness import CHANNELS, main, say, until
from own_stack import OwnStack


class PostgresRestart(OwnStack):
    services = ("--no-kafka",)  # Everybody's broker will do.

    def test_crashes_in_the_middle(self):
        run = self.new_run(database_url=self.url)
        run.people(4000)
        run.tune("email", chunk=20, chunks=4, concurrency=2)
        run.tune("sms", chunk=16, chunks=8, concurrency=50)
        run.tune("push", chunk=25, chunks=8, concurrency=50)
        run.sim.control(all={"latency_ms": 100})
        worker = run.worker()
        job = run.publish(run.job())
        for told, how in ((1500, "--immediate"), (5000, "--kill")):
            until(lambda: sum(run.told(job).values()) >= told, f"{told} accepted", 60, 0.02)
            self.stack("restart", "postgres", how)
        run.wait_settled(job)
        counts = self.assert_accounted(run, job, once=CHANNELS)
        for channel in CHANNELS:
            self.assertEqual(counts[channel], {"sent": 4000})
        self.assertEqual(worker.end(), 0)
        say(f"    {counts}")


if __name__ == "__main__":
    main()
