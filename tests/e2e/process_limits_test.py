#!/usr/bin/env python3
"""A worker that is short of file descriptors, of time or of room for its log goes on, and nobody is lost."""

import os
import resource
import signal
import subprocess
import time

from harness import BIN, CHANNELS, EndToEnd, die_with_the_test, main, until

PEOPLE = 1500


class ProcessLimits(EndToEnd):
    def start(self):
        run = self.new_run()
        run.people(PEOPLE)
        run.tune("email", chunk=20, chunks=4, concurrency=2)
        run.tune("sms", chunk=16, chunks=8, concurrency=20)
        run.tune("push", chunk=25, chunks=8, concurrency=20)
        run.sim.control(all={"latency_ms": 20})
        return run

    def test_no_file_descriptor_is_left(self):
        run = self.start()
        worker = run.worker()
        job = run.publish(run.job())
        self.wait_told(run, job, 300, 120)
        usual = resource.prlimit(worker.child.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(worker.child.pid, resource.RLIMIT_NOFILE, (8, usual[1]))  # Fewer than it has.
        run.db.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid();")
        until(lambda: "store_unavailable" in worker.log.read_text(), "it to be short of them", 60)
        resource.prlimit(worker.child.pid, resource.RLIMIT_NOFILE, usual)
        run.wait_settled(job)
        self.assert_told_once(run, job)
        self.assertEqual(worker.end(), 0)

    def saying_all_to(self, run, out):
        """A worker whose words go there."""
        run.write_settings()
        worker = subprocess.Popen([BIN / "fanfare-worker", "-c", run.dir / "fanfare.yaml"], stdin=subprocess.DEVNULL,
                                  stdout=out, stderr=out, env=run.environment(), preexec_fn=die_with_the_test)
        self.addCleanup(worker.kill)
        return worker

    def test_the_disk_of_its_log_is_full(self):
        run = self.start()
        with open("/dev/full", "wb") as full:
            self.tells_all(run, self.saying_all_to(run, full))

    def test_whoever_read_its_log_is_gone(self):
        run = self.start()
        reader, writer = os.pipe()
        worker = self.saying_all_to(run, writer)
        os.close(writer)
        self.assertTrue(os.read(reader, 1), "its first line")
        os.close(reader)
        self.tells_all(run, worker)

    def tells_all(self, run, worker):
        job = run.publish(run.job())
        run.wait_settled(job)
        self.assert_told_once(run, job)
        worker.terminate()
        self.assertEqual(worker.wait(60), 0)

    def test_hardly_any_time(self):
        """It runs for one part in ten only, for as long as it sends."""
        run = self.start()
        run.short_leases()
        worker = run.worker()
        job = run.publish(run.job())

        def starve():
            worker.signal(signal.SIGSTOP)
            time.sleep(0.09)  # This is the fault.
            worker.signal(signal.SIGCONT)
            time.sleep(0.01)
            return sum(run.told(job).values()) >= 3 * PEOPLE // 2
        until(starve, lambda: "half to be told" + run.progress(), 200, 0)
        run.wait_settled(job)
        counts = self.assert_accounted(run, job)
        for channel in CHANNELS:
            self.assertEqual(set(counts[channel]) - {"sent", "unknown"}, set())
        self.assertEqual(worker.end(), 0)


if __name__ == "__main__":
    main(at_once=3)
