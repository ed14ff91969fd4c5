#!/usr/bin/env python3
"""Jobs that arrive while the ledger is away wait on the topic, not in the worker's memory, and none of them is lost."""

from harness import MIB, RSS_MAX, main, say, until
from own_stack import OwnStack

JOBS, BATCH = 1_500, 50
PADDING = "x" * 200_000
LOOKS = 8  # In a row that show the same peak: what it takes in, it has taken in.


class Flood(OwnStack):
    def filled(self, worker):
        """Whether the worker's memory has stopped growing, by looks half a second apart."""
        peak = worker.peak_bytes()
        self.seen_ = self.seen_ + 1 if peak == self.peak_ else 0
        self.peak_ = peak
        return self.seen_ >= LOOKS

    def test_large_jobs_while_the_ledger_is_away(self):
        run = self.own_run()
        run.people(1, sms=False, push=False)
        worker = run.worker()
        before = worker.peak_bytes()
        self.stack("stop", "postgres", "--immediate")
        for _ in range(JOBS // BATCH):
            batch = [run.job(channels=["email"]) for _ in range(BATCH)]
            for job in batch:
                job["data"]["padding"] = PADDING
            run.publish(*batch)
        self.seen_, self.peak_ = 0, 0
        until(lambda: self.filled(worker), "the worker to take in no more", 120, 0.5)
        held = worker.peak_bytes()
        self.stack("start", "postgres")
        until(lambda: run.db.value("SELECT count(*) FROM job WHERE state = 'done'") == str(JOBS),
              lambda: "every job to be done" + run.progress(), 900, 0.5)
        say(f"    peak of memory: {before // MIB} MiB before, {held // MIB} MiB with {JOBS} jobs of "
            f"{len(PADDING) // 1000} kB waiting, {worker.peak_bytes() // MIB} MiB when all were done")
        self.assertLessEqual(worker.peak_bytes(), RSS_MAX)
        self.assertEqual(run.sim.count("mailgun", "accepted"), JOBS)


if __name__ == "__main__":
    main()
