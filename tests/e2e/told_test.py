#!/usr/bin/env python3
"""A show that is cancelled while its reminder goes out: who was told hears of it, and nobody else."""

import uuid

from harness import EndToEnd, main, until

PEOPLE = 600
SYSTEM = """
audiences:
  followers: SELECT follower_id AS recipient_id FROM followers WHERE followed_id = :user_id
contacts:
  email: SELECT id AS recipient_id, email AS address, locale, time_zone, username AS name FROM users WHERE id = ANY(:recipients)
kinds:
  show.reminder:
    audience: followers
    times: [starts_at]
    person_defaults: {name: there}
  show.cancelled:
    lane: urgent
    audience: {told: show.reminder}
    cancels: [show.reminder]
    times: [starts_at]
    person_defaults: {name: there}
"""


class Told(EndToEnd):
    def cancellation(self, run, subject):
        key = str(uuid.uuid4())
        return {"id": key, "idempotency_key": key, "system": "shows", "kind": "show.cancelled",
                "subject": subject, "data": run.job()["data"]}

    def test_only_who_was_told_hears_of_the_cancellation(self):
        run = self.new_run()
        run.people(PEOPLE)
        run.system(SYSTEM)
        run.tune("email", chunk=20, chunks=2, concurrency=2, per_second=100)
        run.worker()
        reminder = run.publish(run.job(channels=["email"], subject="s1"))
        other = run.publish(run.job(channels=["email"], subject="s2",
                                    audience={"recipients": ["p000001"]}))
        until(lambda: run.told(reminder)["email"] >= 40, "the reminder to begin", 60)
        cancelled = run.publish(self.cancellation(run, "s1"))
        run.wait_settled(reminder, cancelled, other)
        self.assertEqual(run.state(reminder), "cancelled")
        self.assertEqual(run.state(other), "done")
        fates = self.assert_sound(run, reminder)
        told = {r for (_, r), (outcome, _) in fates.items() if outcome == "sent"}
        self.assertEqual({outcome for outcome, _ in fates.values()}, {"sent", "cancelled"})
        self.assertLess(len(told), PEOPLE)
        heard = {r: outcome for (_, r), (outcome, _) in self.assert_sound(run, cancelled).items()}
        self.assert_same(set(heard), told, "heard of the cancellation")
        self.assertEqual(set(heard.values()), {"sent"})
        self.assertEqual(max(run.accepted("email", cancelled).values()), 1)
        nobody = run.publish(self.cancellation(run, "s3"))
        run.wait_settled(nobody)
        self.assertEqual(run.fates(nobody), {})


if __name__ == "__main__":
    main()
