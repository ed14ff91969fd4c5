#!/usr/bin/env python3
"""Every follower is told once on every channel, and the ledger says exactly what the providers saw."""

from harness import ROOT, EndToEnd, main

PEOPLE, FOLLOWERS = 20_000, 5_000


class FanOut(EndToEnd):
    def fan_out(self, run):
        creator = run.db.psql((ROOT / "scripts/demo-graph.sql").read_text(), "-v", f"people={PEOPLE}", "-v",
                              f"followers={FOLLOWERS}", "-v", "creators=20", "-v", "seed=1").split()[-1]
        worker = run.worker()
        brokers = None
        if run.brokers == "embedded":
            brokers = (run.dir / "broker").read_text().strip()
        job = run.publish(run.job(creator), brokers=brokers)
        run.wait_settled(job)
        counts = self.assert_told_once(run, job, creator)
        for channel in counts:
            self.assertEqual(sum(counts[channel].values()), FOLLOWERS)
            self.assertGreater(counts[channel]["no_address"], 0, "the graph has people without address")
        for provider, found in run.sim.summary().items():
            for name in ("bad_requests", "leaks", "unfilled", "violations"):
                self.assertEqual(found.get(name, 0), 0, f"{provider} {name}")
        # The same job again is no second notification.
        before = {c: run.accepted(c, job) for c in counts}
        repeat = run.job(creator)
        repeat["id"], repeat["idempotency_key"] = job, run.db.value(
            f"SELECT idempotency_key FROM job WHERE id = '{job}'")
        after = run.job(creator, channels=["email"])
        after["audience"] = {"recipients": [run.db.value(
            f"SELECT follower_id FROM followers JOIN users ON id = follower_id WHERE followed_id = '{creator}' "
            "AND email IS NOT NULL LIMIT 1")]}
        run.publish(repeat, repeat, brokers=brokers)
        run.wait_settled(run.publish(after, brokers=brokers))
        self.assertEqual({c: run.accepted(c, job) for c in counts}, before)
        self.assertEqual(worker.end(), 0)

    def test_everybody_is_told_once(self):
        self.fan_out(self.new_run())


class FanOutEmbedded(FanOut):
    """The same with the broker inside the worker: what somebody sees who has no Kafka yet."""

    def test_everybody_is_told_once(self):
        run = self.new_run(kafka=False)
        run.settings["kafka"]["embedded_address_file"] = str(run.dir / "broker")
        self.fan_out(run)


if __name__ == "__main__":
    main()
