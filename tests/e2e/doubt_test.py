#!/usr/bin/env python3
"""A lost answer is never forgotten: whatever comes after it, the person may have been told."""

import uuid

from harness import ROOT, EndToEnd, main, until

PEOPLE = 8
LOST = {"script": ["lose_after"] * PEOPLE}  # Everybody's first request is taken, and its answer lost.


class Doubt(EndToEnd):
    def start(self, **then):
        """SMS that are sent again when in doubt; after the first round the provider does as `then` says."""
        run = self.new_run()
        run.people(PEOPLE, email=False, push=False)
        shows = (ROOT / "config/systems/shows/system.yaml").read_text()
        hold = "on_doubt: {push: resend}"
        self.assertIn(hold, shows)
        run.system(shows.replace(hold, "on_doubt: {sms: resend}"))
        run.sim.control(twilio={**LOST, **then})
        return run

    def wait_longer(self, run):
        """Nobody is tried a second time for as long as the test takes."""
        run.settings["worker"]["backoff_first_ms"] = run.settings["worker"]["backoff_max_ms"] = 300_000

    def wait_in_doubt(self, run, job):
        until(lambda: set(run.fates(job).values()) == {("retry", "answer_lost")},
              lambda: f"everybody to be in doubt: {run.fates(job)}")

    def assert_unknown(self, run, job, causes):
        self.assertEqual(run.sim.summary(job)["twilio"]["people"], PEOPLE)
        counts = self.assert_accounted(run, job, channels=["sms"], once=["sms"])
        self.assertEqual(dict(counts["sms"]), {"unknown": PEOPLE})
        found = {tuple(row) for row in run.db.rows(
            f"SELECT reason, cause, account FROM delivery WHERE job_id = '{job}'")}
        self.assertEqual(found, {("answer_lost", cause, "e2e-twilio") for cause in causes})

    def test_outlives_a_refusal(self):
        run = self.start(refuse_rate=1.0)
        run.worker()
        job = run.publish(run.job(channels=["sms"]))
        run.wait_settled(job)
        self.assert_unknown(run, job, {"address_invalid"})

    def test_outlives_errors_and_the_expiry(self):
        run = self.start(error_rate=1.0)
        run.worker()
        job = run.publish(run.job(channels=["sms"], ttl_s=10))
        run.wait_settled(job)
        self.assertGreater(run.sim.count("twilio", "errors"), 0)
        self.assert_unknown(run, job, {"past_expiry"})

    def test_outlives_a_cancel_and_its_people_hear_of_it(self):
        run = self.start()
        self.wait_longer(run)
        run.worker()
        job = run.publish(run.job(channels=["sms"], subject="s1"))
        self.wait_in_doubt(run, job)
        key = str(uuid.uuid4())
        cancelled = run.publish({"id": key, "idempotency_key": key, "system": "shows", "kind": "show.cancelled",
                                 "channels": ["sms"], "subject": "s1", "data": run.job()["data"]})
        run.wait_settled(job, cancelled)
        self.assert_unknown(run, job, {"job_cancelled"})
        self.assert_told_once(run, cancelled, channels=["sms"])

    def test_is_lifted_by_a_receipt(self):
        run = self.start()
        self.wait_longer(run)
        run.with_links()
        heard = {f"+1555{n:07}" for n in range(1, 4)}
        run.producer()
        run.sim.control(twilio={
            "outcomes": {**{f"+1555{n:07}": "none" for n in range(1, PEOPLE + 1)},
                         **{address: "delivered" for address in heard}},
            "webhook_url": "https://hooks.example.com/webhooks/e2e-twilio", "webhook_connect": run.front()})
        run.worker()
        job = run.publish(run.job(channels=["sms"], subject="s1"))
        until(lambda: sorted(run.fates(job).values()) ==
              [("delivered", "none")] * len(heard) + [("retry", "answer_lost")] * (PEOPLE - len(heard)),
              lambda: f"the receipts: {run.fates(job)}")
        key = str(uuid.uuid4())
        cancelled = run.publish({"id": key, "idempotency_key": key, "system": "shows", "kind": "show.cancelled",
                                 "channels": ["sms"], "subject": "s1", "data": run.job()["data"]})
        run.wait_settled(job, cancelled)
        self.assertEqual(sorted(run.fates(job).values()),
                         [("delivered", "none")] * len(heard) + [("unknown", "answer_lost")] * (PEOPLE - len(heard)))


if __name__ == "__main__":
    main(at_once=4)
