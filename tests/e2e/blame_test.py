#!/usr/bin/env python3
"""Whose fault it is: a row's, a query's, a provider's. Nobody else pays for it."""

import time
import uuid

from harness import EndToEnd, main, say, until

REST_S = 1.5  # Without a request.

CONTACTS = """
audiences:
  followers: SELECT follower_id AS recipient_id FROM followers WHERE followed_id = :user_id
contacts:
  email: SELECT id AS recipient_id, email AS address, locale, time_zone, username AS name FROM users WHERE {condition}
kinds:
  show.reminder:
    audience: followers
    times: [starts_at]
    person_defaults: {{name: there}}
"""
BY_UUID = "id::uuid = ANY(:recipients::uuid[])"


class Blame(EndToEnd):
    def test_one_id_that_cannot_be_cast_costs_nobody_else(self):
        run = self.new_run()
        run.system(CONTACTS.format(condition=BY_UUID))
        people = sorted(str(uuid.uuid4()) for _ in range(50))
        run.db.load("users (id, username, email)", [(p, "viewer", f"{p}@example.com") for p in people])
        run.worker()
        job = run.publish(run.job(channels=["email"], audience={"recipients": [*people, "not-a-uuid"]}))
        run.wait_settled(job)
        fates = {r: fate for (_, r), fate in self.assert_sound(run, job).items()}
        self.assertEqual(fates.pop("not-a-uuid"), ("failed", "recipient_invalid"))
        self.assertEqual(set(fates.values()), {("sent", "none")})
        self.assertEqual(len(fates), len(people))

    def test_a_query_that_fails_for_everybody_ends_and_holds_up_nobody(self):
        run = self.new_run()
        run.people(40, sms=False, push=False)
        run.system(CONTACTS.format(condition="id = ANY(:recipients) AND 1 / (length(id) - length(id)) = 0"))
        run.tune("email", chunk=20)
        run.worker()
        job = run.publish(run.job(channels=["email"]))
        run.wait_settled(job)
        self.assertEqual(set(self.assert_sound(run, job).values()), {("failed", "query_failed")})

    def test_a_small_job_survives_an_outage_of_its_provider(self):
        run = self.new_run()
        run.people(100, sms=False, push=False)
        run.settings["worker"]["attempts_max"] = 2
        run.sim.control(mailgun={"error_rate": 1.0})
        run.worker()
        job = run.publish(run.job(channels=["email"]))
        # Three requests open the breaker; then there is one each 2, 4, 8, 16 ... seconds.
        until(lambda: run.sim.count("mailgun", "errors") >= 6, "the breaker to try again, three times", 120)
        run.sim.control(mailgun={"error_rate": 0.0})
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=["email"])
        self.assertEqual(run.db.value(f"SELECT max(attempts) FROM delivery WHERE job_id = '{job}'"), "0")

    def in_doubt_after_a_stall(self, run, worker):
        """How many of a job's people are, whose provider takes nothing any more until it is left alone."""
        run.sim.control(mailgun={"blackhole_rate": 1.0})
        job = run.publish(run.job(channels=["email"]))
        until(lambda: 'fanfare_account_broken{account="e2e-mailgun"} 1' in run.http(worker, "/metrics"),
              "the account to be left alone")
        run.sim.control(mailgun={"blackhole_rate": 0.0})
        run.wait_settled(job)
        unknown = self.assert_accounted(run, job, channels=["email"])["email"]["unknown"]
        say(f"    {unknown} in doubt")
        return unknown

    def test_a_provider_that_stalled_leaves_few_in_doubt(self):
        run = self.new_run()
        run.people(3000, sms=False, push=False)
        run.tune("email", timeout_ms=1000)
        unknown = self.in_doubt_after_a_stall(run, run.worker())
        self.assertTrue(0 < unknown <= 100, f"{unknown} in doubt")

    def test_one_that_has_proven_itself_and_rested_leaves_a_call_in_doubt(self):
        """And not as many as there are permits."""
        run = self.new_run()
        run.people(10_000, sms=False, push=False)
        run.tune("email", timeout_ms=1000)
        worker = run.worker()
        run.wait_settled(run.publish(run.job(channels=["email"])))
        since = time.monotonic()
        until(lambda: time.monotonic() - since > REST_S, "the account to rest")
        unknown = self.in_doubt_after_a_stall(run, worker)
        self.assertTrue(0 < unknown <= 1100, f"{unknown} in doubt")


if __name__ == "__main__":
    main(at_once=3)
