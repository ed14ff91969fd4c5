#!/usr/bin/env python3
"""What has always held, and shall go on to: a table that somebody locks, a flood of records that are no jobs, and
something urgent behind a multitude. Counts alone are judged; how long it takes, bench/ measures."""

import json
import subprocess

from harness import MIB, RSS_MAX, EndToEnd, main, say, until

BAD, BATCH = 140_000, 35_000


class Held(EndToEnd):
    def test_a_table_that_is_locked(self):
        run = self.new_run()
        run.tune("email", chunk=20, chunks=4, concurrency=2)
        run.tune("sms", chunk=16, chunks=8, concurrency=50)
        run.people(2000, push=False)
        run.sim.control(all={"latency_ms": 50})
        worker = run.worker()
        job = run.publish(run.job(channels=["email", "sms"]))
        until(lambda: min(run.told(job)[c] for c in ("email", "sms")) >= 100, lambda: "both channels" + run.progress(), 60, 0.02)
        lock = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", run.db.url], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
        lock.stdin.write("BEGIN; LOCK TABLE chunk IN ACCESS EXCLUSIVE MODE; SELECT 'locked';\n")
        lock.stdin.flush()
        self.assertEqual(lock.stdout.readline().strip(), "locked")
        # Longer than a statement may take: whoever waits for the table is refused meanwhile, and tries again.
        lock.communicate("SELECT pg_sleep(8); COMMIT;\n", timeout=60)
        run.sim.control(all={"latency_ms": 0})
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=["email", "sms"])
        self.assertLessEqual(worker.peak_bytes(), RSS_MAX)

    def test_a_flood_of_records_that_are_no_jobs(self):
        run = self.new_run()
        run.people(20, sms=False, push=False)
        worker = run.worker()
        before = worker.peak_bytes()
        good = run.job(channels=["email"])
        bad = [b"", b"no json", b'{"version":1}', json.dumps({**good, "surprise": 1}).encode(), b"[" * 200, b"\xff" * 200]
        for _ in range(BAD // BATCH):
            run.publish(*(bad[i % len(bad)] for i in range(BATCH)))
        run.publish(good)
        run.wait_settled(good["id"], timeout_s=800)
        self.assertEqual(len(run.fates(good["id"])), 20)
        say(f"    peak of memory: {before // MIB} MiB before, {worker.peak_bytes() // MIB} MiB after")
        self.assertLessEqual(worker.peak_bytes(), RSS_MAX)
        self.assertLess(worker.log.stat().st_size, 4 * MIB, "and no warning for each")

    def test_the_urgent_overtakes_a_multitude(self):
        run = self.new_run()
        run.tune("email", chunk=50, chunks=4, concurrency=4)
        run.people(20_000, sms=False, push=False)
        run.people(200, creator="other", prefix="o", sms=False, push=False)
        run.sim.control(all={"latency_ms": 150})
        run.worker()
        many = run.publish(run.job(channels=["email"], lane="bulk"))
        until(lambda: run.told(many)["email"] >= 100, lambda: "the multitude to begin" + run.progress(), 60, 0.02)
        few = run.publish(run.job(creator="other", channels=["email"], lane="urgent"))
        run.wait_settled(few)
        self.assertEqual(len(run.fates(few)), 200)
        self.assertLess(run.told(many)["email"], 20_000, "it did not wait for them")
        run.sim.control(all={"latency_ms": 0})
        run.wait_settled(many, timeout_s=240)
        self.assert_told_once(run, many, channels=["email"])


if __name__ == "__main__":
    main()
