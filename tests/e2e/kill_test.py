#!/usr/bin/env python3
"""kill -9 in the middle of a job loses nobody and tells nobody twice whose channel says so."""

import random

from harness import CHANNELS, EndToEnd, main, say, until

SEED = 20180501
KILLS = 5
# By the README: 8 permits, in each of 32 chunks and two that are urgent.
BEGUN_MAX = 272


class Crash(EndToEnd):
    def slow_run(self, people):
        run = self.new_run()
        run.short_leases()
        run.tune("email", chunk=20, chunks=4, concurrency=2)
        run.tune("sms", chunk=16, chunks=8, concurrency=50)
        run.tune("push", chunk=25, chunks=8, concurrency=50)
        run.people(people)
        run.sim.control(all={"latency_ms": 100})
        return run

    def assert_push_repeats_only(self, run, job, in_doubt):
        """Push is sent again by policy: only to those whose chunk was claimed when a worker died, and once
        for each answer that a worker waited for in vain."""
        accepted = run.accepted("push", job)
        owner = {a: r for r, addresses in run.addresses("creator", "push").items() for a in addresses}
        twice = {owner[a] for a, n in accepted.items() if n > 1}
        others = twice - {r for c, r in in_doubt if c == "push"}
        lost = sum(p.log.read_text(errors="replace").count("answer lost") for p in run.processes
                   if p.name.startswith("worker"))
        self.assertLessEqual(len(others), lost, f"push repeated without doubt: {sorted(others)[:5]}")
        return len(twice)

    def assert_doubt_is_honest(self, run, job, in_doubt, counts):
        """`unknown` only for what was claimed at a kill; push has no unknowns."""
        unknown = {k for k, (o, _) in run.fates(job).items() if o == "unknown"}
        self.assert_same(unknown - in_doubt, set(), "unknown, though nobody was sending it")
        self.assertEqual(counts["push"]["unknown"], 0)
        for channel in CHANNELS:
            self.assertEqual(set(counts[channel]) - {"sent", "unknown"}, set(), channel)


class Kill(Crash):
    def test_one_kill_in_the_middle(self):
        run = self.slow_run(3000)
        worker = run.worker()
        job = run.publish(run.job())
        until(lambda: min(run.told(job).values()) >= 100, lambda: "all channels" + run.progress(), 60, 0.02)
        worker.kill()
        until(run.idle, "the connections of the dead worker to end", 20)
        in_doubt, told = run.claimed(), run.told(job)
        self.assertTrue(all(any(c == channel for c, _ in in_doubt) for channel in CHANNELS), "not in the middle")
        self.assertTrue(all(told[c] < 3000 for c in CHANNELS), told)
        run.sim.control(all={"latency_ms": 0})
        run.worker()
        run.wait_settled(job)
        counts = self.assert_accounted(run, job)
        self.assert_doubt_is_honest(run, job, in_doubt, counts)
        repeats = self.assert_push_repeats_only(run, job, in_doubt)
        say(f"    one kill: told before {told}, in doubt {len(in_doubt)}, push repeated {repeats}, {counts}")

    def test_a_parked_request_was_never_sent(self):
        """Killed while requests stand before the provider: unknown, though nobody was told, and nobody else is."""
        run = self.slow_run(600)
        run.short_leases(lease_ms=12_000, timeout_ms=7_000)  # None is given up before the kill.
        run.sim.hold()
        worker = run.worker()
        job = run.publish(run.job(channels=["email", "sms"]))
        until(lambda: {c for c, _ in run.begun()} == {"email", "sms"}, "both channels to begin", 60)
        worker.kill()
        until(run.idle, "the connections of the dead worker to end", 20)
        in_doubt = run.begun()
        self.assertLess(len(in_doubt), len(run.claimed()), "all that is claimed is under way")
        run.sim.release()
        run.worker()
        run.wait_settled(job)
        self.assert_accounted(run, job, channels=["email", "sms"])
        unknown = {k for k, (o, _) in run.fates(job).items() if o == "unknown"}
        self.assert_same(unknown, in_doubt, "unknown after the kill")

    def test_nobody_is_in_doubt_while_contacts_are_read(self):
        run = self.slow_run(300)
        run.db.psql("BEGIN; ALTER TABLE users RENAME TO users_; CREATE VIEW users AS SELECT * FROM users_ "
                    "WHERE pg_sleep(0.1) IS NOT NULL; COMMIT;")
        worker = run.worker()
        job = run.publish(run.job(channels=["sms"]))
        until(run.claimed, "a chunk to be claimed", 60)
        worker.kill()
        until(run.idle, "the connections of the dead worker to end", 20)
        self.assertEqual(run.begun(), set())
        run.db.psql("BEGIN; DROP VIEW users; ALTER TABLE users_ RENAME TO users; COMMIT;")
        run.worker()
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=["sms"])

    def test_who_has_no_number_is_never_in_doubt(self):
        run = self.slow_run(25)
        run.people(75, prefix="q", sms=False)
        run.tune("sms", chunk=100)
        run.short_leases(lease_ms=12_000, timeout_ms=7_000)
        run.sim.hold()
        worker = run.worker()
        job = run.publish(run.job(channels=["sms"]))
        until(run.begun, "a request to begin", 60)
        worker.kill()
        until(run.idle, "the connections of the dead worker to end", 20)
        in_doubt = run.begun()
        run.sim.release()
        run.worker()
        run.wait_settled(job)
        counts = self.assert_accounted(run, job, channels=["sms"])["sms"]
        self.assertEqual(counts["no_address"], 75)
        self.assertEqual(counts["unknown"], len(in_doubt))
        self.assertEqual(counts["sent"], 25 - len(in_doubt))


    def test_as_many_may_be_told_twice_as_the_readme_says(self):
        """With the settings that are there by default, at full speed."""
        run = self.new_run()
        run.short_leases()
        run.tune("push", concurrency=8)
        run.people(6000, email=False, sms=False)
        run.sim.control(fcm={"latency_ms": 10})
        worker = run.worker()
        job = run.publish(run.job(channels=["push"]))
        left, in_doubt = [], set()
        for told in range(500, 2500, 500):
            self.wait_told(run, job, told)
            worker.kill()
            until(run.idle, "the connections of the dead worker to end", 20)
            begun = run.begun() - in_doubt
            left.append(len(begun))
            in_doubt |= begun
            worker = run.worker(ready_s=None)
        run.wait_settled(job)
        counts = self.assert_accounted(run, job, channels=["push"])
        self.assertEqual(counts["push"], {"sent": 6000})
        repeats = self.assert_push_repeats_only(run, job, in_doubt)
        say(f"    left by each kill: {left}, push repeated {repeats}")
        self.assertLessEqual(max(left), BEGUN_MAX)


class ManyKills(Crash):
    def test_kills_at_random_moments(self):
        run = self.slow_run(5000)
        dice = random.Random(SEED)
        moments = sorted(dice.sample(range(1, 12_000), KILLS))
        in_doubt = set()
        worker = run.worker()
        job = run.publish(run.job())
        for moment in moments:
            self.wait_told(run, job, moment)
            worker.kill()
            until(run.idle, "the connections of the dead worker to end", 20)
            in_doubt |= run.claimed()
            worker = run.worker(ready_s=None)
        run.wait_settled(job, timeout_s=150)
        counts = self.assert_accounted(run, job)
        self.assert_doubt_is_honest(run, job, in_doubt, counts)
        repeats = self.assert_push_repeats_only(run, job, in_doubt)
        say(f"    seed {SEED}, killed at {moments}: in doubt {len(in_doubt)}, push repeated {repeats}, {counts}")


class Drain(Crash):
    def test_sigterm_finishes_what_is_claimed(self):
        run = self.slow_run(3000)
        worker = run.worker()
        job = run.publish(run.job())
        until(lambda: min(run.told(job).values()) >= 100, lambda: "all channels" + run.progress(), 60, 0.02)
        self.assertEqual(worker.end(timeout_s=30), 0)
        self.assertEqual(run.claimed(), set(), "left claimed by a worker that drained")
        left = int(run.db.value("SELECT count(*) FROM chunk WHERE state = 'planned'"))
        self.assertGreater(left, 0, "not in the middle")
        run.sim.control(all={"latency_ms": 0})
        run.worker()
        run.wait_settled(job)
        counts = self.assert_accounted(run, job)
        self.assertEqual(counts, {channel: {"sent": 3000} for channel in CHANNELS})
        self.assert_push_repeats_only(run, job, set())


if __name__ == "__main__":
    main(at_once=3)
