#!/usr/bin/env python3
"""Workers come and go while they send, 2 -> 4 -> 8 -> 2: three of the six that go are told to end, three are killed in the middle
of their requests. Nobody is lost or told twice, and what the workers count adds up to what was sent and to the ledger."""

import shutil
import signal
import subprocess
import time

from figures import Figures, Scrape
from harness import BIN, CHANNELS, main, say, until
from kill_test import Crash
from prometheus import Prometheus, filled

from panels import dashboards, panels  # noqa: E402  (tests/dashboards)

PEOPLE, LATER = 5000, 400
SLOW_PER_S, FAST_PER_S = 40, 5000  # So slow that all workers can come and go in the middle.
LEASE_MS, TIMEOUT_MS = 20_000, 12_000


class Scale(Figures, Crash):
    def begin(self):
        run = self.run_ = self.new_run()
        run.people(PEOPLE)
        run.short_leases(lease_ms=LEASE_MS, timeout_ms=TIMEOUT_MS)
        run.settings["kafka"]["partitions"] = 8
        run.tune("email", chunk=10, chunks=2, concurrency=2, per_second=SLOW_PER_S)
        run.tune("sms", chunk=8, chunks=2, concurrency=8, per_second=SLOW_PER_S)
        run.tune("push", chunk=10, chunks=2, concurrency=8, per_second=SLOW_PER_S)
        run.sim.control(all={"latency_ms": 50})
        self.prometheus = Prometheus(run) if shutil.which("prometheus") else None
        self.workers, self.last = [], {}
        self.producer = run.producer()

    def grow(self, to):
        """Until as many serve, and the dashboard says so."""
        self.workers += self.run_.workers(to - len(self.workers))
        self.are_shown(to)
        until(lambda: all(self.served([worker]) for worker in self.workers),
              lambda: f"each of {to} to serve: {[self.served([w]) for w in self.workers]}", 120, 0.2)

    def are_shown(self, count):
        """Ready by their own word, or by the panel of the dashboard that a person would look at."""
        if not self.prometheus:
            until(lambda: all(self.run_.is_ready(worker) for worker in self.workers), f"{count} workers", 60)
            return
        self.prometheus.scrape(worker=self.workers, producer=[self.producer])
        panel = next(each for each in panels("fleet", dashboards()["fleet"]) if each.body["title"] == "Ready")

        def shown():
            now = int(time.time())
            window = (now - 60, now, 1)
            target = {**panel.targets[0], "instant": True}
            target["expr"] = filled(target["expr"], {"job": ".*", "instance": ".*", "channel": ".*"}, window)
            return {one["labels"].get("program"): one["values"][-1][1] for one in self.prometheus.ask(target, window)}
        until(lambda: shown().get("worker") == count, lambda: f"{count} workers to be shown: {shown()}", 90, 0.5)

    def scrape(self, workers):
        for worker in workers:
            self.last[worker.name] = Scrape(self.run_.http(worker, "/metrics"))

    def ok(self, workers):
        """Channel -> people whom providers have accepted from these, as each said last."""
        found = dict.fromkeys(CHANNELS, 0)
        for worker in workers:
            for (channel, verdict), people in self.last[worker.name].by("fanfare_request_recipients_total", "channel", "verdict").items():
                found[channel] += int(people) if verdict == "ok" else 0
        return found

    def served(self, workers):
        self.scrape(workers)
        return sum(self.ok(workers).values())

    def stop_in_the_middle(self, job):
        """Requests stand before the providers, three are killed, three told to end, and the providers go on. Whose requests stood."""
        run = self.run_
        run.sim.hold()
        until(lambda: all(run.sim.parked(provider) for provider in run.providers.values()), "requests to stand", 30)

        def quiet():
            self.scrape(self.workers)
            return self.ok(self.workers) == run.told(job)
        until(quiet, lambda: f"what {len(self.workers)} workers count to be what was accepted: {self.ok(self.workers)} of {run.told(job)}", 30)
        self.assertLess(max(run.told(job).values()), PEOPLE // 2, "not in the middle")
        self.killed, self.ended, self.workers = self.workers[0:6:2], self.workers[1:6:2], self.workers[6:]
        for worker in self.killed:
            worker.kill()
        in_doubt = run.begun()
        for worker in self.ended:
            worker.signal(signal.SIGTERM)
        run.sim.release()
        for worker in self.ended:
            self.assertEqual(worker.child.wait(60), 0, worker.name)  # A second word would be an order to drop everything.
        return in_doubt

    def set_rates(self, per_second):
        for account in self.run_.settings["accounts"]:
            subprocess.run([BIN / "fanfare", "-c", self.run_.dir / "fanfare.yaml", "accounts", "set", account["name"], "--rate",
                            str(per_second)], env=self.run_.environment(), check=True, capture_output=True, timeout=60)

    def test_two_four_eight_two(self):
        self.begin()
        run = self.run_
        job = run.publish(run.job())
        for count in (2, 4, 8):
            self.grow(count)
        self.assertEqual(run.db.value(f"SELECT planned_at IS NOT NULL FROM job WHERE id = '{job}'"), "t")
        in_doubt = self.stop_in_the_middle(job)
        self.are_shown(2)
        self.set_rates(FAST_PER_S)
        run.wait_settled(job, timeout_s=240)
        counts = self.assert_accounted(run, job)
        self.assert_doubt_is_honest(run, job, in_doubt, counts)
        repeats = self.assert_push_repeats_only(run, job, in_doubt)
        self.assert_added_up(run.told(job), in_doubt)
        self.the_two_that_stayed_add_up()
        self.assert_shown(run, self.producer)
        say(f"    in doubt {len(in_doubt)}, push repeated {repeats}, {counts}")

    def assert_added_up(self, told, in_doubt):
        """Of the killed the count is exact, for nothing moved when they were; the ended may have finished what stood, and used up
        their slices of the rate, of which they wait for a second at most."""
        self.scrape(self.workers)
        everyone = self.killed + self.ended + self.workers
        planned = sum(int(sum(self.last[worker.name].by("fanfare_planned_total").values())) for worker in everyone)
        self.assertEqual(planned, PEOPLE * len(CHANNELS), "what all have planned")
        taken_over = sum(sum(self.last[worker.name].by("fanfare_chunks_taken_over_total").values()) for worker in self.workers)
        self.assertGreater(taken_over, 0, "what the killed held")
        counted, stood = self.ok(everyone), {c: sum(1 for channel, _ in in_doubt if channel == c) for c in CHANNELS}
        for channel in CHANNELS:
            self.assertLessEqual(counted[channel], told[channel], channel)
            self.assertLessEqual(told[channel] - counted[channel], stood[channel] + SLOW_PER_S, f"{channel}: told, and counted by nobody")

    def the_two_that_stayed_add_up(self):
        """Another job, served by these alone: what they count is what the ledger has, to the last one."""
        run = self.run_
        run.people(LATER, creator="later", prefix="q")
        before = self.ok(self.workers)
        job = run.publish(run.job(creator="later"))
        run.wait_settled(job)
        self.assert_told_once(run, job, creator="later")
        self.scrape(self.workers)
        after = self.ok(self.workers)
        self.assertEqual({c: after[c] - before[c] for c in CHANNELS}, dict.fromkeys(CHANNELS, LATER))


if __name__ == "__main__":
    main()
