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
        run.tune("email", chunk=20, chunks=2, concurrency=2, per_second=60)
        run.worker()
        # A moment of the subject, and a subject that only begins like it.
        reminder = run.publish(run.job(channels=["email"], subject="s1:15m"))
        other = run.publish(run.job(channels=["email"], subject="s10",
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

    def test_a_cancellation_that_overtakes_the_reminder_stops_it(self):
        run = self.new_run()
        run.people(20)
        run.system(SYSTEM)
        run.worker()
        # Published, and not at a worker yet; another one of the show is found after the cancellation.
        before, after = (run.job(channels=["email"], subject=f"s1:{moment}") for moment in ("1h", "15m"))
        cancelled = self.cancellation(run, "s1")
        self.publish_by_schedule(run, before, "show.reminder", "1 minute")
        self.publish_by_schedule(run, cancelled, "show.cancelled", "30 seconds")
        self.publish_by_schedule(run, after, "show.reminder", "0 s")
        run.publish(cancelled)
        run.wait_settled(cancelled["id"])
        run.publish(before)
        run.publish(after)
        run.wait_settled(before["id"], after["id"])
        self.assertEqual(run.state(before["id"]), "cancelled")
        self.assertEqual(run.fates(before["id"]), {})
        self.assert_told_once(run, after["id"], channels=["email"])

    def publish_by_schedule(self, run, job, kind, ago):
        """The notification of a job, as the producer leaves it that published it."""
        run.db.psql(f"""
            INSERT INTO notification (system, kind, subject, occurrence, due_at, expires_at, state, job_id, created_at)
            VALUES ('shows', '{kind}', '{job["subject"]}', now() + interval '15 minutes', now(),
                    now() + interval '15 minutes', 'published', '{job["id"]}', now() - interval '{ago}');""")


if __name__ == "__main__":
    main()
