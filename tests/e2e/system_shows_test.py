#!/usr/bin/env python3
"""Scheduled shows: reminded once, at the true time, again when moved, and told of what is cancelled."""

from harness import CHANNELS, main, until
from system_case import SystemCase, utc

PEOPLE = 60


class SystemShows(SystemCase):
    SYSTEM = "shows"

    def show(self, run, name, starts, title="Friday Night"):
        run.db.psql("INSERT INTO scheduled_shows (id, user_id, title, scheduled_at, created_at, updated_at) "
                    f"VALUES ('{name}', 'creator', '{title}', {utc(starts)}, {utc()}, {utc()});")

    def change(self, run, name, what):
        run.db.psql(f"UPDATE scheduled_shows SET {what}, updated_at = {utc()} WHERE id = '{name}';")

    def token(self, run):
        return run.db.value("SELECT token FROM push_tokens t JOIN users u ON u.id = t.user_id "
                            "WHERE locale = 'en' ORDER BY 1 LIMIT 1")

    def test_from_a_row_to_every_follower(self):
        run = self.begin()
        run.people(PEOPLE)
        told = []

        # On time, and late: the text tells the minutes that are left.
        self.show(run, "planned", "15 minutes 3 seconds")
        self.show(run, "late", "7 minutes")
        for name, left in (("planned", "15 minutes"), ("late", "7 minutes")):
            told.append(self.settled(run, "show.reminder", name))
            self.assert_told_once(run, told[-1])
            text = self.message(run, self.token(run), told[-1])
            self.assertIn("Mira is going live soon!", text)
            self.assertIn(f"Friday Night starts in {left}", text)
            self.assertIn(f'"show_id": "{name}"', text)
            self.assertIn('"user_id": "creator"', text)

        # What became of it can be asked for.
        self.assertIn("done", self.ask(run, "status", told[0]))
        self.assertIn("sent", self.ask(run, "delivery", told[0], "--recipient", "p000007"))

        # Cancelled or moved before it was due.
        self.show(run, "never", "16 minutes")
        self.show(run, "moving", "16 minutes")
        self.state(run, "show.reminder", "never", "scheduled")
        self.state(run, "show.reminder", "moving", "scheduled")
        self.change(run, "never", "status = 'cancelled'")
        self.change(run, "moving", "scheduled_at = scheduled_at + interval '20 minutes'")
        self.state(run, "show.reminder", "never", "cancelled")
        self.state(run, "show.reminder", "moving", "cancelled")
        self.state(run, "show.reminder", "moving", "scheduled")

        # Moved after it: announced again. Cancelled after it: exactly those hear of it who were told.
        self.change(run, "planned", "scheduled_at = scheduled_at - interval '5 minutes'")
        told.append(self.settled_again(run, "planned"))
        reminded = self.heard(run, told[1])
        run.db.psql("DELETE FROM followers WHERE follower_id = 'p000003';")
        run.people(1, prefix="n")
        self.change(run, "late", "status = 'cancelled'")
        told.append(self.settled(run, "show.cancelled", "late"))
        self.assertEqual(self.heard(run, told[-1]), reminded)
        self.assertIn("Cancelled: Friday Night", self.message(run, self.token(run), told[-1]))

        # Moved far away and cancelled then: whoever was reminded hears of it. Cancelled before its
        # reminder: nobody does.
        self.change(run, "planned", "scheduled_at = scheduled_at + interval '3 days', status = 'cancelled'")
        told.append(self.settled(run, "show.cancelled", "planned"))
        self.assertEqual(self.heard(run, told[-1]), reminded)
        self.assertEqual(run.fates(self.settled(run, "show.cancelled", "never")), {})
        run.db.psql("DELETE FROM followers WHERE follower_id = 'n000001';"
                    "INSERT INTO followers (follower_id, followed_id) VALUES ('p000003', 'creator');")

        # A second producer publishes nothing anew.
        run.producer()
        self.show(run, "last", "6 minutes")
        told.append(self.settled(run, "show.reminder", "last"))
        self.assertEqual(sorted(self.states(run, "show.cancelled")),
                         [("late", "published"), ("never", "published"), ("planned", "published")])
        self.assert_nothing_else(run, told)
        self.assertEqual(run.sim.count("fcm", "accepted"), PEOPLE * len(told))

    def test_a_show_that_is_gone_stops(self):
        run = self.begin(programs=False)
        run.people(200, sms=False, push=False)
        run.tune("email", chunk=10, chunks=2, concurrency=2, per_second=20)
        run.producer()
        run.worker()
        self.show(run, "s", "9 minutes")
        reminder = self.published(run, "show.reminder", "s")
        until(lambda: run.told(reminder)["email"] >= 20, "the reminder to begin", 30)
        self.change(run, "s", "scheduled_at = scheduled_at + interval '1 day'")
        run.wait_settled(reminder)
        fates = self.assert_sound(run, reminder)
        self.assertEqual(run.state(reminder), "cancelled")
        self.assertEqual({fate for (channel, _), fate in fates.items() if channel == "email"},
                         {("sent", "none"), ("cancelled", "job_cancelled")})
        self.assert_nothing_else(run, [reminder])

    def heard(self, run, job):
        """Address -> how often a job told it, on every channel."""
        return {channel: run.accepted(channel, job) for channel in CHANNELS}

    def settled_again(self, run, name):
        """The job of the second occurrence, which is earlier than the first."""
        until(lambda: len(self.jobs(run, "show.reminder", name)) == 2, f"{name} to be announced again", 30)
        job = self.jobs(run, "show.reminder", name)[0]
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=CHANNELS)
        return job


if __name__ == "__main__":
    main(at_once=2)
