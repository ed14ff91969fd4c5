#!/usr/bin/env python3
"""One mailbox, two registrations, in whatever case: told once, and whoever unsubscribes does so for both."""

import re
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from api_client import Backend
from harness import ROOT, main, until
from system_case import SystemCase

EVENT = "11111111-1111-1111-1111-111111111111"
TWINS = [f"aaaaaaaa-0000-0000-0000-00000000000{n}" for n in (1, 2)]
ANA, BOB = "ana@example.com", "bob@example.com"


class Twins(SystemCase):
    SYSTEM = "events"

    def start(self, worker=True):
        run = self.begin(programs=False)
        run.with_clients()
        run.db.psql((ROOT / "tests/fixtures/cases/events_same_address_twice.sql").read_text())
        run.producer()
        if worker:
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

    def test_who_comes_back_takes_back_what_is_still_to_be_looked_up(self):
        run = self.start()
        shop = Backend(run.front(), "shop")
        run.db.psql("INSERT INTO opt_out (system, channel, list, recipient, address_due_at) "
                    f"VALUES ('events', 0, 'events', '{TWINS[0]}', app_now() + interval '1 hour');")
        answer = shop.post(f"/v1/systems/events/recipients/{TWINS[1]}/resubscribe", {"channel": "email"})
        self.assertEqual((answer[0], answer[1]["opt_outs"]), (200, []))
        run.db.psql("UPDATE opt_out SET address_due_at = app_now() WHERE address_due_at IS NOT NULL;")
        until(lambda: run.db.value("SELECT count(*) FROM opt_out WHERE address_due_at IS NULL") == "1",
              "the worker to have looked")
        self.assertEqual(self.announce(run)[1], [ANA, BOB])

    def test_nobody_waits_for_the_database_of_a_system(self):
        run = self.start(worker=False)
        shop = Backend(run.front(), "shop")
        people = [p["recipient"] for p in shop.get(
            f"/v1/systems/events/audiences/registered/people?param.event_id={EVENT}")[1]["people"]]
        self.assertGreater(len(people), 2, "more than connections to the ledger")
        held = ("SELECT (SELECT count(*) FROM opt_out) = %d AND EXISTS (SELECT FROM pg_stat_activity "
                "WHERE wait_event_type = 'Lock' AND query LIKE '%%first_name AS name%%')" % len(people))

        def stored_while_others_wait():
            """Of each try the first look-ups wait for the table, for 2 s; afterwards they are left alone for 10 s."""
            run.db.psql("DELETE FROM opt_out")
            with self.locked(run, "LOCK TABLE event_registrations"), ThreadPoolExecutor(len(people)) as pool:
                asked = [pool.submit(shop.post, f"/v1/systems/events/recipients/{person}/unsubscribe", {"channel": "email"})
                         for person in people]
                while not all(a.done() for a in asked):
                    if run.db.value(held) == "t":
                        break
                else:
                    return False
            return all(a.result()[0] == 200 for a in asked)

        until(stored_while_others_wait, "all to be stored while somebody looks", 120)


if __name__ == "__main__":
    main(at_once=4)
