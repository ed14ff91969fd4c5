#!/usr/bin/env python3
"""Events: a confirmation, eight moments, and whoever moves, cancels, leaves or starts by hand."""

import re
import urllib.request
import uuid

from harness import main
from system_case import SystemCase

PEOPLE = 20
MOMENTS = {"2w": 20160, "1w": 10080, "3d": 4320, "1d": 1440, "12h": 720, "1h": 60, "15m": 15}
HORIZON = 30 * 86400


class SystemEvents(SystemCase):
    SYSTEM = "events"

    def event(self, run, title, starts, stored=False, ago="0 s"):
        """An event; with `stored`, its moments stand in their table."""
        event = run.db.value(f"""
            INSERT INTO events (owner_id, owner_name, brand_name, title, custom_message, event_url, start_time,
                                created_at)
            VALUES ('{uuid.uuid4()}', 'Nora', 'Lumen', '{title}', 'Bring a pen.', 'https://lumen.example/e',
                    now() + interval '{starts}', now() - interval '{ago}') RETURNING id;""")
        if stored:
            run.db.psql(f"""INSERT INTO event_notifications (event_id, offset_minutes, scheduled_time)
                SELECT e.id, m, e.start_time - m * interval '1 minute'
                FROM events e, unnest(ARRAY[{','.join(map(str, MOMENTS.values()))}, 0]) m WHERE e.id = '{event}';""")
        return event

    def change(self, run, event, what):
        run.db.psql(f"UPDATE events SET {what}, updated_at = now() WHERE id = '{event}';")

    def register(self, run, event, count, prefix="p", ago="1 hour"):
        """People with both channels; every fifth has no phone."""
        run.db.psql(f"""
            INSERT INTO event_registrations (event_id, first_name, last_name, email, phone, sms_opt_in, locale,
                                             time_zone, registered_at)
            SELECT '{event}', 'Viewer' || n, 'Test', '{prefix}' || n || '@example.com',
                   CASE WHEN n % 5 > 0 THEN '+1555' || lpad((n + ascii('{prefix}') * 1000)::text, 7, '0') END, true,
                   'en', 'Europe/Berlin', now() - interval '{ago}' FROM generate_series(1, {count}) n;""")

    def contacts(self, run, event):
        """E-mail addresses and numbers of those who want them."""
        rows = run.db.rows("SELECT email, CASE WHEN sms_opt_in THEN phone END, email_opt_in "
                           f"FROM event_registrations WHERE event_id = '{event}'")
        return {m for m, _, wanted in rows if wanted == "t"}, {p for _, p, _ in rows if p}

    def assert_all(self, run, job, event, without=()):
        mails, numbers = self.contacts(run, event)
        self.assert_told(run, job, "email", mails - set(without))
        self.assert_told(run, job, "sms", numbers)

    def moments(self, run, event, state):
        return [s for s, found in self.states(run, "event.reminder") if s.startswith(event) and found == state]

    def leave(self, run, address, job):
        """Follows the link to unsubscribe in somebody's mail."""
        link = re.search(r"https://hooks\.example\.com(/u/[A-Za-z0-9._-]+)", self.message(run, address, job))
        request = urllib.request.Request(run.front() + link.group(1), data=b"List-Unsubscribe=One-Click",
                                         headers={"Content-Type": "application/x-www-form-urlencoded"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            self.assertEqual(answer.status, 200)

    def test_the_whole_schedule(self):
        run = self.begin(horizon_s=HORIZON)
        told = []

        # In two weeks: eight moments, and the first one sends.
        event = self.event(run, "Open Day", "14 days 6 seconds", stored=True, ago="1 day")
        self.register(run, event, PEOPLE)
        viewer = run.db.value(f"""
            INSERT INTO event_registrations (event_id, first_name, last_name, email, phone, sms_opt_in, locale, time_zone)
            VALUES ('{event}', 'Vera', 'Viewer', 'vera@example.com', '+15559999999', true, 'es', 'Europe/Madrid')
            RETURNING id;""")
        self.state(run, "event.started", event, "scheduled")
        self.state(run, "event.reminder", f"{event}:15m", "scheduled")
        self.assertEqual([s for s, _ in self.states(run, "event.reminder")], [f"{event}:{m}" for m in MOMENTS])

        # A viewer with both channels gets the confirmation, nobody else.
        told.append(self.settled(run, "registration.confirmed", viewer))
        self.assert_told(run, told[-1], "email", ["vera@example.com"])
        self.assert_told(run, told[-1], "sms", ["+15559999999"])
        text = self.message(run, "vera@example.com", told[-1])
        for part in ("Inscripción confirmada: Open Day", "Hola Vera", "Bring a pen.", "Lumen"):
            self.assertIn(part, text)
        first = self.settled(run, "event.reminder", f"{event}:2w")
        told.append(first)
        self.assert_all(run, first, event)
        self.assertIn("Open Day starts in 14 days", self.message(run, "p1@example.com", first))

        # One moment cancelled alone; the event moved: what is pending moves, the new time is announced.
        run.db.psql(f"DELETE FROM event_notifications WHERE event_id = '{event}' AND offset_minutes = 4320;")
        self.state(run, "event.reminder", f"{event}:3d", "cancelled")
        self.assertEqual(len(self.moments(run, event, "scheduled")), 5)
        self.change(run, event, "start_time = start_time - interval '1 hour'")
        told.append(self.published_first(run, f"{event}:2w", first))
        self.assert_all(run, told[-1], event)
        self.assertEqual(len(self.moments(run, event, "scheduled")), 5)
        self.assertEqual(run.db.value("SELECT count(DISTINCT occurrence) FROM notification WHERE state = 'scheduled' "
                                      "AND kind LIKE 'event.%'"), "1")

        # Sent by hand to all, but for who left by the link or turned a channel off.
        self.leave(run, "p2@example.com", first)
        run.db.psql("UPDATE event_registrations SET sms_opt_in = false WHERE email = 'p3@example.com';")
        job = str(uuid.uuid4())
        told.append(run.publish({
            "version": 1, "id": job, "idempotency_key": job, "system": "events", "kind": "event.announcement",
            "audience": {"name": "registered", "params": {"event_id": event}},
            "data": {"title": "A new room", "body": "We meet in room 5.", "brand": "Lumen"}}))
        run.wait_settled(job)
        self.assert_all(run, job, event, without=["p2@example.com"])

        # Cancelled: nothing is pending any more, and the registered are told.
        self.change(run, event, "status = 'cancelled'")
        told.append(self.settled(run, "event.cancelled", event))
        self.assert_all(run, told[-1], event, without=["p2@example.com"])
        self.state(run, "event.started", event, "cancelled")
        self.assertEqual(self.moments(run, event, "scheduled"), [])
        self.assertEqual(run.db.value("SELECT count(*) FROM notification WHERE state = 'scheduled'"), "0")
        self.assert_nothing_else(run, told)

    def published_first(self, run, subject, known):
        """The job of a new, earlier occurrence."""
        self.state(run, "event.reminder", subject, "published")
        job = next(iter(set(self.wait_jobs(run, subject, 2)) - {known}))
        run.wait_settled(job)
        return job

    def wait_jobs(self, run, subject, count):
        self.published(run, "event.reminder", subject, count)
        return self.jobs(run, "event.reminder", subject)

    def test_started_by_the_clock_or_by_hand_but_once(self):
        run = self.begin(horizon_s=HORIZON)
        hand = self.event(run, "By hand", "50 minutes", stored=True)
        near = self.event(run, "Near", "2 days")
        clock = self.event(run, "On time", "8 seconds")
        for event, prefix in ((clock, "c"), (hand, "h")):
            self.register(run, event, PEOPLE, prefix)
            self.register(run, event, 1, prefix, ago="2 hours")  # The same person again.

        # What was over when the event was made is left out.
        self.state(run, "event.started", near, "scheduled")
        self.state(run, "event.reminder", f"{near}:15m", "scheduled")
        self.assertEqual(self.moments(run, near, "scheduled"), [f"{near}:{m}" for m in ("1d", "12h", "1h", "15m")])
        self.assertEqual(self.moments(run, hand, "scheduled"), [f"{hand}:15m"])

        # By the clock, then by hand: told once. By hand before the clock: the same.
        told = [self.settled(run, "event.started", clock)]
        self.assert_all(run, told[0], clock)
        self.assertIn("On time starts now", self.message(run, "c1@example.com", told[0]))
        self.change(run, clock, "status = 'live', started_at = now()")
        self.change(run, hand, "status = 'live', started_at = now()")
        told.append(self.settled(run, "event.started", hand))
        self.assert_all(run, told[1], hand)
        self.state(run, "event.reminder", f"{hand}:15m", "cancelled")
        self.assertEqual(len(self.jobs(run, "event.started", clock)), 1)
        self.assert_nothing_else(run, told)


if __name__ == "__main__":
    main(at_once=2)
