#!/usr/bin/env python3
"""The ledger counts who comes to an outcome and who leaves it: for each, those who came less those who left are those who
are there, over a run with faults, receipts, a cancel, an expiry, a replay and kill -9."""

import subprocess
from datetime import datetime, timedelta, timezone

from harness import BIN, EndToEnd, main, until

PEOPLE = 600


class Moves(EndToEnd):
    def moves(self, run):
        """(from, to) -> people, by the names of outcomes; None: outside the ledger."""
        return {(a, b): int(n) for a, b, n in run.db.rows(
            "SELECT f.name, t.name, sum(m.people) FROM outcome_moves m LEFT JOIN outcome f ON f.code = m.from_outcome "
            "LEFT JOIN outcome t ON t.code = m.to_outcome GROUP BY 1, 2")}

    def test_what_is_counted_is_what_is_there_whoever_dies(self):
        run = self.new_run(sim=["--seed", "7"])
        run.people(PEOPLE)
        run.with_links()
        run.short_leases()
        run.tune("email", chunk=50, per_second=400)
        run.tune("sms", chunk=25, per_second=300)
        run.tune("push", chunk=40, per_second=300)
        run.producer()
        run.sim.control(mailgun={"delivered_rate": 0.6, "hard_bounce_rate": 0.1, "lose_after_rate": 0.02,
                                 "webhook_url": "https://hooks.example.com/webhooks/e2e-mailgun",
                                 "webhook_connect": run.front()},
                        twilio={"error_rate": 0.1, "lose_after_rate": 0.02, "fail_addresses": {
                            min(a): "21408" for a in list(run.addresses("creator", "sms").values())[::7] if a}})
        workers = [run.worker(), run.worker()]
        job = run.publish(run.job())
        cancelled = run.publish(run.job())
        late = (datetime.now(timezone.utc) + timedelta(seconds=8)).strftime("%Y-%m-%dT%H:%M:%SZ")
        expiring = run.publish(run.job(expires_at=late))
        until(lambda: sum(run.told_in_all().values()) > 300, lambda: "sending to begin" + run.progress(), 60)
        workers[0].kill()
        self.assert_moves_add_up(run)
        run.db.psql(f"UPDATE job SET state = 'cancelled', finished_at = app_now() WHERE id = '{cancelled}';")
        run.worker()
        until(lambda: sum(run.told_in_all().values()) > 600, lambda: "sending to go on" + run.progress(), 60)
        workers[1].kill()
        self.assert_moves_add_up(run)
        run.wait_settled(job, cancelled, expiring, timeout_s=180)
        for one in (job, cancelled, expiring):
            self.assert_sound(run, one)
        done = subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "replay", job, "--outcome", "refused",
                               "--yes", "--because", "to count"], env=run.environment(), text=True, capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        new = [j for (j,) in run.db.rows(f"SELECT id FROM job WHERE replay_of = '{job}'")]
        self.assertEqual(len(new), 1, done.stdout)
        run.wait_settled(*new)
        self.assert_sound(run, new[0])
        moves = self.moves(run)
        for pair in ((None, "pending"), ("pending", "sent"), ("sent", "delivered"), ("pending", "cancelled"),
                     ("refused", "replayed")):
            self.assertGreater(moves.get(pair, 0), 0, f"{pair} of {moves}")
        run.db.psql(f"DELETE FROM job WHERE id = '{expiring}';")
        self.assert_moves_add_up(run)


if __name__ == "__main__":
    main()
