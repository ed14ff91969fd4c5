#!/usr/bin/env python3
"""Live streams: followers and active subscribers, each once, with the time in both zones."""

from contextlib import contextmanager
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from api_client import Backend
from harness import main, until
from system_case import SystemCase, utc

PEOPLE = {  # zone, follows, subscription
    "both": ("Europe/Berlin", True, "active"), "fan": ("Asia/Kolkata", True, None),
    "member": ("America/Los_Angeles", False, "active"), "former": ("UTC", False, "cancelled"),
    "lapsed": (None, True, "cancelled"), "nobody": ("UTC", False, None)}
TOLD = ["both", "fan", "lapsed", "member"]


def said(moment, zone):
    """"November 20, 2026 at 7:30 PM", which the name of the zone follows."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%B} {local.day}, {local.year} at {int(f'{local:%I}')}:{local:%M %p}"


class SystemStreams(SystemCase):
    SYSTEM = "streams"

    @contextmanager
    def query_running(self, run, kind):
        """As if another producer were at the due query of the kind."""
        turn = f"hashtextextended('fanfare.refresh/streams/{kind}', 0)"
        run.start("psql", "psql", "-X", "-q", "-d", run.db.url, "-c", f"SELECT pg_advisory_lock({turn}), pg_sleep(600);")
        holder = until(lambda: run.db.value("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
                                            "AND datname = current_database()"), "the turn", 20)
        yield
        run.db.psql(f"SELECT pg_terminate_backend({holder});")

    def people(self, run):
        run.db.psql("INSERT INTO users (id, name, email, \"timeZone\") "
                    "VALUES ('coach', 'Kim', 'kim@example.com', 'America/New_York');")
        for name, (zone, follows, subscription) in PEOPLE.items():
            run.db.load('users (id, name, email, "timeZone")', [(name, name.title(), f"{name}@example.com", zone)])
            if follows:
                run.db.load('follows ("followerId", "followedId")', [(name, "coach")])
            if subscription:
                run.db.load('subscriptions ("memberId", "creatorId", status)', [(name, "coach", subscription)])

    def stream(self, run, name, starts, created="0 s", live=False):
        """The moment it starts."""
        at = run.db.value(f"""
            INSERT INTO streams (id, title, "workoutType", "startTime", "isLive", "createdAt", "updatedAt", "creatorId")
            VALUES ('{name}', 'Morning <Flow>', 'Yoga', {utc(starts)}, {live}, {utc(created)}, {utc(created)}, 'coach')
            RETURNING extract(epoch FROM "startTime" AT TIME ZONE 'UTC');""")
        return datetime.fromtimestamp(float(at), timezone.utc)

    def change(self, run, name, what):
        run.db.psql(f"UPDATE streams SET {what}, \"updatedAt\" = {utc()} WHERE id = '{name}';")

    def check(self, run, kind, name, subject, count=1):
        """Everyone of the circle was told once."""
        job = self.settled(run, kind, name, count)
        self.assert_told(run, job, "email", [f"{p}@example.com" for p in TOLD])
        text = self.message(run, "both@example.com", job)
        for part in (subject, f"https://app.example.com/live/{name}", "Yoga", "Hi Both"):
            self.assertIn(part, text)
        return job

    def test_from_a_row_to_the_whole_circle(self):
        run = self.begin()
        self.people(run)

        # Created for later: at once, in the reader's time and the creator's. Too near for a reminder.
        start = self.stream(run, "soon", "8 minutes")
        told = [self.check(run, "stream.scheduled", "soon", "Kim scheduled a live stream")]
        for person, zone in (("both", "Europe/Berlin"), ("fan", "Asia/Kolkata"), ("member", "America/Los_Angeles"),
                             ("lapsed", "UTC")):
            text = self.message(run, f"{person}@example.com", told[0])
            self.assertIn("Starts in 8 minutes", text)
            self.assertIn(said(start, zone), text)
            self.assertIn(said(start, "America/New_York"), text)
            self.assertIn("In Kim's time", text)

        # 15 minutes before; moved after that: again.
        self.stream(run, "planned", "15 minutes 3 seconds", created="-2 days")
        told.append(self.check(run, "stream.reminder", "planned", "Kim goes live in 15 minutes!"))
        until(lambda: self.flagged(run) == ["planned"], "the flag in their table", 20)
        self.change(run, "planned", "\"startTime\" = \"startTime\" + interval '20 minutes'")
        self.state(run, "stream.reminder", "planned", "scheduled")
        self.change(run, "planned", f"\"startTime\" = {utc('15 minutes 1 second')}")
        told.append(self.check(run, "stream.reminder", "planned", "Kim goes live in 15 minutes!", 2))

        # Live by a change, and live from the start; what changes later tells nobody.
        self.change(run, "planned", '"isLive" = true')
        told.append(self.check(run, "stream.live", "planned", "Kim is LIVE NOW!"))
        self.change(run, "planned", f'"viewerCount" = 7, "startTime" = {utc()}')
        self.stream(run, "sudden", "0 s", live=True)
        told.append(self.check(run, "stream.live", "sudden", "Kim is LIVE NOW!"))

        self.assertEqual(self.states(run, "stream.scheduled"), [("soon", "published")])
        self.assertNotIn("soon", dict(self.states(run, "stream.reminder")), "it was just announced")
        self.assertEqual(len(self.states(run, "stream.live")), 2)
        self.assertEqual(self.flagged(run), ["planned"])
        self.assert_nothing_else(run, told)

    def flagged(self, run):
        return [name for (name,) in run.db.rows('SELECT id FROM streams WHERE "reminderSent"')]

    def test_a_worker_that_dies_before_it_writes_back(self):
        run = self.begin(programs=False)
        run.short_leases()
        self.people(run)
        self.stream(run, "planned", "3 hours", created="-2 days")
        first = run.worker()
        # Their table is in somebody's hands, so that the flag cannot be set.
        run.start("psql", "psql", "-X", "-q", "-d", run.db.url, "-c",
                           "BEGIN; LOCK TABLE streams IN SHARE MODE; SELECT pg_sleep(600);")
        holder = until(lambda: run.db.value("SELECT pid FROM pg_locks WHERE mode = 'ShareLock' AND granted "
                                            "AND relation = 'streams'::regclass"), "the table to be locked", 20)
        job = run.job()
        job.update(system="streams", kind="stream.reminder", subject="planned", channels=["email"],
                   audience={"name": "circle", "params": {"creator_id": "coach"}})
        run.publish(job)
        run.wait_settled(job["id"])
        self.assert_told(run, job["id"], "email", [f"{p}@example.com" for p in TOLD])
        waiting = ("SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                   "AND wait_event_type = 'Lock'")
        until(lambda: run.db.value(waiting), "the flag to be written", 20)
        first.kill()
        run.db.psql(f"SELECT pg_terminate_backend(pid) FROM ({waiting}) w;"
                    f"SELECT pg_terminate_backend({holder});")
        self.assertEqual(self.flagged(run), [])
        run.worker()
        until(lambda: self.flagged(run) == ["planned"], "the flag in their table", 30)
        self.assert_nothing_else(run, [job["id"]])

    def test_notify_answers_with_how_many_were_sent(self):
        """By hand, before its time: everyone once, then and when its moment comes."""
        run = self.begin(programs=False)
        run.with_clients()
        run.producer()
        worker = run.worker()
        self.people(run)
        shop = Backend(run.front(), "shop")

        def notify(name, kind, **more):
            return shop.post(f"/v1/systems/streams/subjects/{name}/notify", {"kind": kind, **more})

        self.assertEqual(notify("early", "stream.reminder")[0], 404)
        with self.query_running(run, "stream.reminder"):
            self.assertEqual(notify("early", "stream.reminder")[0], 503, "it may be found yet: nobody knows")
        self.stream(run, "early", "40 minutes", created="-2 days")
        status, first, headers = notify("early", "stream.reminder", wait_s=30)
        self.assertEqual((status, first["state"], first["planned"], first["sent"]), (200, "done", 4, 4), first)
        self.assertEqual(first["outcomes"]["sent"], 4)
        self.assertEqual(headers["Location"], f"/v1/jobs/{first['job']}")
        self.assert_told(run, first["job"], "email", [f"{p}@example.com" for p in TOLD])
        self.assertEqual(notify("early", "stream.reminder")[:2], (200, first), "again: the same, and nobody is told")

        # Found by its query at this very call, and not settled in time: so far nobody was told.
        self.assertEqual(worker.end(), 0)
        self.stream(run, "now", "0 s", live=True)
        status, waiting, _ = notify("now", "stream.live", wait_s=0)
        self.assertEqual((status, waiting["state"], waiting["sent"]), (202, "accepted", 0), waiting)
        run.worker()
        status, told, _ = notify("now", "stream.live", wait_s=30)
        self.assertEqual((status, told["job"], told["sent"]), (200, waiting["job"], 4), told)

        # What is cancelled tells nobody; what is wrong is said.
        self.stream(run, "off", "50 minutes", created="-2 days")
        shop.post("/v1/cron/streams", {})
        self.assertEqual(len(shop.post("/v1/systems/streams/subjects/off/cancel", {})[1]["cancelled"]), 1)
        self.assertEqual((notify("off", "stream.reminder")[0], notify("off", "stream.reminder")[1]["code"]),
                         (409, "too_late"))
        self.assertEqual(notify("early", "stream.gone")[1]["code"], "unknown_kind")
        self.assertEqual(notify("early", "stream.live", wait_s=31)[1]["code"], "invalid_value")
        self.assertEqual(Backend(run.front(), "reader").post(
            "/v1/systems/streams/subjects/early/notify", {"kind": "stream.live"})[0], 403)
        self.assert_nothing_else(run, [first["job"], told["job"]])


if __name__ == "__main__":
    main(at_once=3)
