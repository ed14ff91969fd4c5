#!/usr/bin/env python3
"""Who sleeps is told when they wake, or not at all when that is too late; nobody is told too often."""

import re
from datetime import datetime, timedelta, timezone

from harness import EndToEnd, main, until

PEOPLE = 60
SYSTEM = """
audiences:
  followers: SELECT follower_id AS recipient_id FROM followers WHERE followed_id = :user_id
contacts:
  email: SELECT id AS recipient_id, email AS address, locale, time_zone, username AS name FROM users WHERE id = ANY(:recipients)
kinds:
  show.reminder:
    audience: followers
    times: [starts_at]
    person_defaults: {{name: there}}
    quiet_hours: {{from: "{begin:%H:%M}", to: "{end:%H:%M}", then: defer}}
    at_most: {{count: 1, per_hours: 24}}
  show.before: {{audience: followers, channels: [email], templates: show.reminder, times: [starts_at], person_defaults: {{name: there}}}}
"""


class QuietHours(EndToEnd):
    def prepare(self, end):
        run = self.new_run()
        run.people(PEOPLE)
        run.db.psql("UPDATE users SET time_zone = CASE WHEN right(id, 1) < '5' THEN NULL ELSE 'Etc/GMT+6' END;")
        run.system(SYSTEM.format(begin=end - timedelta(hours=1), end=end))
        return run

    def prove(self, run, workers):
        """Until each has seen the account serve well: then it asks for more than ten people at once."""
        run.people(10 * PEOPLE, creator="early", prefix="e")
        run.db.psql("UPDATE users SET time_zone = 'Etc/GMT+6';")
        counted = re.compile(r'^fanfare_requests_total\{.*verdict="ok".*\} (\d+)', re.MULTILINE)
        def served(worker):
            return sum(map(int, counted.findall(run.http(worker, "/metrics"))))
        for _ in range(10):
            if min(map(served, workers)) >= 4:
                return
            run.wait_settled(run.publish({**run.job("early", channels=["email"]), "kind": "show.before"}))
        self.fail("one of the workers is asked to send nothing")

    def by_zone(self, run, job):
        found = {}
        for (_, person), fate in self.assert_sound(run, job).items():
            found.setdefault("asleep" if person[-1] < "5" else "awake", set()).add(fate)
        return found

    def test_who_sleeps_is_told_afterwards_and_once(self):
        end = (datetime.now(timezone.utc) + timedelta(seconds=80)).replace(second=0, microsecond=0)
        run = self.prepare(end)
        run.worker()
        job = run.publish(run.job(channels=["email"]))
        run.wait_settled(job, timeout_s=150)
        counts = self.assert_told_once(run, job, channels=("email",))
        self.assertEqual(counts["email"]["sent"], PEOPLE)
        late = run.db.rows("SELECT DISTINCT right(recipient, 1) < '5', updated_at >= "
                           f"timestamptz '{end.isoformat()}' FROM delivery WHERE job_id = '{job}'")
        self.assertEqual(sorted(late), [["f", "f"], ["t", "t"]], "the sleepers afterwards, the others at once")
        again = run.publish(run.job(channels=["email"]))
        run.wait_settled(again)
        self.assertEqual(set(run.fates(again).values()), {("suppressed", "too_often")})
        self.assertEqual(run.told(again)["email"], 0)

    def test_of_jobs_at_the_same_moment_one_tells(self):
        run = self.prepare(datetime.now(timezone.utc))
        run.db.psql("UPDATE users SET time_zone = 'Etc/GMT+6';")
        # Held for long without being taken for a provider that stalls.
        run.settings["worker"]["lease_ms"] = 600_000
        run.tune("email", chunk=20, timeout_ms=60_000)
        self.prove(run, run.workers(2))
        run.sim.hold()
        # Nobody has an answer yet, and still each person is asked for once.
        jobs = [run.publish(run.job(channels=["email"])) for _ in range(3)]
        until(lambda: sum(fate == ("suppressed", "too_often") for job in jobs for fate in run.fates(job).values())
              == 2 * PEOPLE, "all but one job's people to be left out", 60)
        run.sim.release()
        run.wait_settled(*jobs)
        told = [person for job in jobs for (_, person), fate in run.fates(job).items() if fate == ("sent", "none")]
        self.assertEqual(sorted(told), sorted({p for (_, p) in run.fates(jobs[0])}))
        self.assertEqual(sum(run.told(job)["email"] for job in jobs), PEOPLE)

    def test_what_is_too_late_by_then_expires(self):
        end = datetime.now(timezone.utc) + timedelta(hours=2)
        run = self.prepare(end)
        run.system(SYSTEM.format(begin=end - timedelta(hours=4), end=end))
        run.worker()
        soon = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        job = run.publish(run.job(channels=["email"], expires_at=soon))
        run.wait_settled(job)
        self.assertEqual(self.by_zone(run, job), {"asleep": {("expired", "past_expiry")},
                                                  "awake": {("sent", "none")}})
        urgent = run.publish(run.job(channels=["email"], lane="urgent", audience={"recipients": ["p000010"]}))
        run.wait_settled(urgent)
        self.assertEqual(len(run.fates(urgent)), 1)
        self.assertEqual(set(run.fates(urgent).values()), {("sent", "none")}, "urgent ones wake people")

    def test_a_zone_that_is_none_is_the_kinds_and_is_counted(self):
        now = datetime.now(timezone.utc)
        run = self.new_run()
        run.people(PEOPLE)
        # On the kind's clock this is the middle of the night.
        kinds_now = now - timedelta(hours=6)
        system = SYSTEM.format(begin=kinds_now - timedelta(minutes=40), end=kinds_now + timedelta(minutes=40))
        run.system(system.replace("then: defer", 'then: drop, time_zone: "Etc/GMT+6"').replace("at_most: {count: 1, per_hours: 24}", ""))
        none = {"p000001": "Nowhere/Land", "p000002": "Mars/Olympus", "p000003": "UTC+25"}
        known = {"p000004": "Pacific/Kiritimati ", "p000005": "china standard time", "p000006": "utc", "p000007": "Asia/Calcutta"}
        asleep = {"p000008": None, "p000009": "ETC/gmt+6", **none}
        run.db.psql("".join(f"UPDATE users SET time_zone = nullif('{zone}', 'None') WHERE id = '{person}';"
                            for person, zone in {**known, **asleep}.items()))
        worker = run.worker()
        people = {"recipients": sorted({**known, **asleep})}
        quiet = run.publish(run.job(channels=["email"], audience=people))
        run.wait_settled(quiet)
        fates = {person: outcome for (_, person), (outcome, _) in run.fates(quiet).items()}
        self.assertEqual(fates, {**{p: "suppressed" for p in asleep}, **{p: "sent" for p in known}})
        run.wait_settled(run.publish({**run.job(channels=["email"], audience=people), "kind": "show.before"}))
        counted = re.search(r"^fanfare_readers_without_time_zone_total (\d+)", run.http(worker, "/metrics"), re.MULTILINE)
        self.assertEqual(int(counted.group(1)), len(none), "who has no zone at all misses none")


if __name__ == "__main__":
    main(at_once=4)
