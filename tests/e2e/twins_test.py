#!/usr/bin/env python3
"""One mailbox, two registrations, in whatever case: told once, and whoever unsubscribes does so for both."""

import re
import urllib.request

from api_client import Backend, clients, environment
from harness import ROOT, main, until
from system_case import SystemCase

EVENT = "11111111-1111-1111-1111-111111111111"
TWINS = [f"aaaaaaaa-0000-0000-0000-00000000000{n}" for n in (1, 2)]
ANA, BOB = "ana@example.com", "bob@example.com"


class Twins(SystemCase):
    SYSTEM = "events"

    def start(self):
        run = self.begin(programs=False)
        run.settings["producer"]["clients"] = clients()
        plain = run.environment
        run.environment = lambda **more: plain(**environment(), **more)
        run.db.psql((ROOT / "tests/fixtures/cases/events_same_address_twice.sql").read_text())
        run.producer()
        run.worker()
        return run

    def announce(self, run):
        """Tells everybody; who got it, by mailbox."""
        job = run.publish(run.job(
            channels=["email"], system="events", kind="event.announcement", audience={"params": {"event_id": EVENT}},
            data={"title": "News", "body": "Doors open at eight.", "link": "https://lumen.example/e"}))
        run.wait_settled(job)
        self.assert_sound(run, job)
        return job, sorted(address.lower() for address, count in run.accepted("email", job).items() for _ in range(count))

    def leave(self, run, address, job):
        link = re.search(r"https://hooks\.example\.com(/u/[A-Za-z0-9._-]+)", self.message(run, address, job))
        request = urllib.request.Request(run.front() + link.group(1), data=b"")
        with urllib.request.urlopen(request, timeout=20) as answer:
            self.assertEqual(answer.status, 200)

    def test_an_unsubscribe_holds_for_the_address(self):
        run = self.start()
        first, told = self.announce(run)
        self.assertEqual(told, [ANA, BOB])
        self.leave(run, ANA, first)
        self.assertEqual(self.announce(run)[1], [BOB])

        # The twin comes back by the backend's word, and with it the address; whoever left by themselves has not.
        shop = Backend(run.front(), "shop")
        left = run.db.value("SELECT recipient FROM opt_out")
        twin = next(t for t in TWINS if t != left)
        people = f"/v1/systems/events/audiences/registered/people?param.event_id={EVENT}&standing=unsubscribed"
        self.assertEqual({p["recipient"] for p in shop.get(people)[1]["people"]}, set(TWINS))
        self.assertEqual(shop.post(f"/v1/systems/events/recipients/{twin}/resubscribe", {"channel": "email"})[0], 200)
        self.assertEqual({p["recipient"] for p in shop.get(people)[1]["people"]}, {left})
        self.assertEqual(self.announce(run)[1], [ANA, BOB])

        # By the backend's word as by the link; and with the person everything comes back.
        self.assertEqual(shop.post(f"/v1/systems/events/recipients/{twin}/unsubscribe", {"channel": "email"})[0], 200)
        self.assertEqual(self.announce(run)[1], [BOB])
        for one in TWINS:
            self.assertEqual(shop.post(f"/v1/systems/events/recipients/{one}/resubscribe")[1]["opt_outs"], [])
        self.assertEqual(run.db.value("SELECT count(*) FROM opt_out_address"), "0")
        self.assertEqual(self.announce(run)[1], [ANA, BOB])

    def test_what_an_older_program_stored_is_looked_up(self):
        run = self.start()
        run.db.psql(f"INSERT INTO opt_out (system, channel, list, recipient) VALUES ('events', 0, 'events', '{TWINS[0]}');")
        until(lambda: run.db.value("SELECT count(*) FROM opt_out WHERE address_due_at IS NULL") == "1",
              "the address to be looked up")
        self.assertEqual(self.announce(run)[1], [BOB])


if __name__ == "__main__":
    main()
