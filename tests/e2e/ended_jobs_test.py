#!/usr/bin/env python3
"""What nobody can send ends with its job: no account, no kind, no system, quiet hours till tomorrow."""

from datetime import datetime, timedelta, timezone

from harness import EndToEnd, main, until

PEOPLE = 90
SYSTEM = """
audiences:
  followers: SELECT follower_id AS recipient_id FROM followers WHERE followed_id = :user_id
contacts:
  email: SELECT id AS recipient_id, email AS address, locale, time_zone, username AS name FROM users WHERE id = ANY(:recipients)
  sms: SELECT id AS recipient_id, phone AS address, locale, time_zone, username AS name FROM users WHERE id = ANY(:recipients)
kinds:
"""
REMINDER = """
  show.reminder:
    audience: followers
    times: [starts_at]
    person_defaults: {name: there}
    quiet_hours: {from: "%s", to: "%s", then: defer}
    at_most: {count: 1, per_hours: 24}
"""
OTHER = """
  other: {audience: followers, channels: [email], templates: show.reminder, times: [starts_at], person_defaults: {name: there}}
"""


def reminder(begin_in, end_in):
    now = datetime.now(timezone.utc)
    return REMINDER % tuple(f"{now + timedelta(hours=h):%H:%M}" for h in (begin_in, end_in))


class EndedJobs(EndToEnd):
    def prepare(self, quiet=(8, 9)):
        run = self.new_run()
        run.people(PEOPLE)
        run.db.psql("UPDATE users SET time_zone = 'Etc/UTC';")
        run.system(SYSTEM + reminder(*quiet) + OTHER)
        run.tune("email", chunk=20)
        run.tune("sms", chunk=20)
        return run

    def in_seconds(self, seconds):
        return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def cancel(self, run, job):
        run.db.psql(f"UPDATE job SET state = 'cancelled', finished_at = app_now() WHERE id = '{job}';")

    def assert_all(self, run, job, fate, channels=1):
        run.wait_settled(job)
        fates = self.assert_sound(run, job)
        self.assertEqual(set(fates.values()), {fate})
        self.assertEqual(len(fates), PEOPLE * channels)
        self.assertEqual(run.db.value("SELECT count(*) FROM counted_send"), "0", "a place under the cap leaks")

    def waiting(self, run, job):
        return until(lambda: int(run.db.value(
            f"SELECT count(*) FROM chunk WHERE job_id = '{job}' AND state = 'planned'")), "chunks that wait")

    def test_a_cancel_ends_what_waits_for_the_morning(self):
        run = self.prepare(quiet=(-1, 7))
        run.worker()
        job = run.publish(run.job(channels=["email"]))
        until(lambda: run.db.value(f"SELECT count(*) FROM chunk WHERE job_id = '{job}' AND state = 'planned' "
                                   "AND next_at > app_now() + interval '1 hour'") == "5", "everybody to sleep")
        self.cancel(run, job)
        self.assert_all(run, job, ("cancelled", "job_cancelled"))

    def test_a_channel_without_an_account(self):
        run = self.prepare()
        del run.settings["accounts"][1]
        run.worker()
        expires = run.publish(run.job(channels=["sms"], expires_at=self.in_seconds(8)))
        cancelled = run.publish(run.job(channels=["sms"]))
        self.waiting(run, cancelled)
        self.cancel(run, cancelled)
        self.assert_all(run, cancelled, ("cancelled", "job_cancelled"))
        self.assert_all(run, expires, ("expired", "past_expiry"))

    def test_a_kind_that_is_gone(self):
        run = self.prepare()
        run.sim.hold()
        run.tune("email", chunks=1, concurrency=1)
        worker = run.worker()
        jobs = [run.publish(run.job(channels=["email"], **more)) for more in ({}, {"expires_at": self.in_seconds(20)})]
        for job in jobs:
            until(lambda: run.db.value(f"SELECT state FROM job WHERE id = '{job}'") == "sending", "it to be planned")
        worker.kill()
        run.sim.release()
        run.system(SYSTEM + OTHER)
        run.worker()
        waits = until(lambda: run.db.value(f"SELECT count(*) FROM delivery WHERE job_id = '{jobs[0]}' "
                                           "AND reason = 'not_configured' AND outcome = 'retry'") != "0",
                      "somebody to wait for the kind")
        self.assertTrue(waits)
        self.cancel(run, jobs[0])
        run.wait_settled(*jobs, timeout_s=120)
        for job, ends in ((jobs[0], "cancelled"), (jobs[1], "expired")):
            fates = self.assert_sound(run, job)
            self.assertEqual(len(fates), PEOPLE)
            self.assertLessEqual({outcome for outcome, _ in fates.values()}, {ends, "unknown", "sent"})
            self.assertIn(ends, {outcome for outcome, _ in fates.values()})
        told = run.db.value("SELECT count(*) FROM delivery WHERE outcome IN ('sent', 'delivered', 'unknown')")
        self.assertEqual(run.db.value("SELECT count(*) FROM counted_send"), told, "a place under the cap leaks")


if __name__ == "__main__":
    main(at_once=3)
