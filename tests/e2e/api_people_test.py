#!/usr/bin/env python3
"""What a backend asks about an event and its people: counts, who is reachable, who left."""

import csv
import io
import urllib.parse
import uuid

from api_client import Backend
from harness import main
from system_case import SystemCase

PEOPLE = 12
ODD = {"nophone": "no_address", "nomail": "opted_out", "listed": "suppressed"}


class ApiPeople(SystemCase):
    SYSTEM = "events"

    def start(self):
        run = self.begin(programs=False)
        run.with_clients()
        self.event = run.db.value("INSERT INTO events (owner_id, owner_name, title, start_time, created_at) VALUES "
                                  f"('{uuid.uuid4()}', 'Nora', 'Open Day', now() + interval '10 minutes', "
                                  "now()) RETURNING id;")
        run.db.psql(f"""
            INSERT INTO event_registrations (event_id, first_name, last_name, email, phone, email_opt_in, sms_opt_in,
                                             locale, time_zone, registered_at)
            SELECT '{self.event}', n, 'Test', CASE WHEN i = 1 THEN 'zoe' ELSE n END || '@example.com',
                   CASE WHEN n <> 'nophone' THEN '+1555' || lpad(i::text, 7, '0') END, n <> 'nomail', true, 'de',
                   'Europe/Berlin', now() - interval '1 hour'
            FROM unnest(array['Zoë MÜLLER', 'nophone', 'nomail', 'listed'] || array(
                SELECT 'viewer' || g FROM generate_series(1, {PEOPLE - 4}) g)) WITH ORDINALITY AS t(n, i);""")
        run.producer()
        run.worker()
        self.ids = dict(run.db.rows("SELECT first_name, id FROM event_registrations"))
        self.base = f"/v1/systems/events/audiences/registered/people?param.event_id={self.event}"
        return run, lambda name: Backend(run.front(), name)

    def refused(self, answer, status, code):
        self.assertEqual((answer[0], answer[1]["code"]), (status, code), answer[1])

    def people(self, shop, query=""):
        """Everybody, page by page."""
        found, cursor = [], ""
        while cursor is not None:
            status, page, _ = shop.get(f"{self.base}&limit=5&cursor={cursor}{query}")
            self.assertEqual(status, 200, page)
            self.assertLessEqual(len(page["people"]), 5)
            found += page["people"]
            cursor = page["next_cursor"]
        self.assertEqual(len({p["recipient"] for p in found}), len(found), "listed twice")
        return found

    def standings(self, people):
        return {(p["person"]["name"], c["channel"]): c["standing"] for p in people for c in p["contacts"]}

    def test_an_event_and_its_people(self):
        run, backend = self.start()
        shop = backend("shop")
        self.ask(run, "suppress", "add", "email", "listed@example.com")

        people = self.people(shop)
        self.assertEqual({p["recipient"] for p in people}, set(self.ids.values()))
        expected = {(n, c): "reachable" for n in self.ids for c in ("email", "sms")}
        expected.update({("nophone", "sms"): "no_address", ("nomail", "email"): "opted_out",
                         ("listed", "email"): "suppressed"})
        self.assertEqual(self.standings(people), expected)
        self.assertEqual({(p["locale"], p["time_zone"]) for p in people}, {("de", "Europe/Berlin")})
        self.assertEqual([p["person"]["name"] for p in self.people(shop, "&search=" + urllib.parse.quote("zoË mü"))],
                         ["Zoë MÜLLER"])
        self.assertEqual([p["person"]["name"] for p in self.people(shop, "&search=LISTED@")], ["listed"])
        for name, standing in ODD.items():
            self.assertEqual([p["person"]["name"] for p in self.people(shop, f"&standing={standing}")], [name])
        self.assertEqual(len(self.people(shop, "&channel=sms&standing=reachable")), PEOPLE - 1)
        status, text, headers = shop.get(self.base, Accept="text/csv")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/csv; charset=utf-8"))
        rows = {(r["name"], r["channel"]): r["standing"] for r in csv.DictReader(io.StringIO(text))}
        self.assertEqual(rows, expected)
        for accept in ("text/csv", "application/json"):
            self.refused(shop.get(self.base.replace(self.event, "zz"), Accept=accept), 400, "invalid_query")
        self.may_not(backend)

        # Who leaves by the backend's word gets nothing more of it.
        gone = f"/v1/systems/events/recipients/{self.ids['viewer1']}"
        status, left, _ = shop.post(f"{gone}/unsubscribe", {"channel": "email"})
        self.assertEqual((status, [(o["channel"], o["list"]) for o in left["opt_outs"]]), (200, [("email", "events")]))
        back = f"/v1/systems/events/recipients/{self.ids['viewer2']}"
        self.assertEqual(len(shop.post(f"{back}/unsubscribe")[1]["opt_outs"]), 3)
        self.assertEqual(shop.post(f"{back}/resubscribe", {})[1]["opt_outs"], [])
        self.assertEqual(shop.get(f"{gone}/opt-outs")[1], left)
        # However the id is spelled, the address goes along, and comes back.
        loud = f"/v1/systems/events/recipients/{self.ids['viewer3'].upper()}"
        self.assertEqual(shop.post(f"{loud}/unsubscribe", {"channel": "email"})[0], 200)
        self.assertEqual(self.standings(self.people(shop, "&standing=unsubscribed")),
                         {("viewer1", "email"): "unsubscribed", ("viewer3", "email"): "unsubscribed"})
        self.assertEqual(shop.post(f"{loud}/resubscribe", {})[0], 200)
        self.assertEqual(self.standings(self.people(shop, "&standing=unsubscribed")), {("viewer1", "email"): "unsubscribed"})

        run.db.psql(f"UPDATE events SET start_time = now(), updated_at = now() WHERE id = '{self.event}';")
        job = self.settled(run, "event.started", self.event)
        reached = set(self.ids) - {"viewer1", "nomail", "listed", "Zoë MÜLLER"} | {"zoe"}
        mails = {f"{name}@example.com" for name in reached}
        self.assert_told(run, job, "email", mails)

        # What came of it, in one place.
        status, found, _ = shop.get(f"/v1/systems/events/subjects/{self.event}")
        self.assertEqual(status, 200, found)
        self.assertEqual((found["jobs"], found["notifications"]["published"]), (1, 1))
        email = next(c for c in found["channels"] if c["channel"] == "email")
        self.assertEqual({o: n for o, n in email["outcomes"].items() if n},
                         {"sent": len(mails), "opted_out": 2, "suppressed": 1})
        self.assertEqual([k["kind"] for k in found["kinds"]], ["event.started"])
        self.assertEqual(backend("other").get(f"/v1/systems/events/subjects/{self.event}")[1]["jobs"], 1)
        self.assertEqual(backend("tenant").get(f"/v1/systems/events/subjects/{self.event}")[1]["jobs"], 0)

        # Who would be told now: nobody twice at one address.
        run.db.psql("INSERT INTO event_registrations (event_id, first_name, last_name, email) "
                    f"VALUES ('{self.event}', 'Twin', 'Test', 'viewer3@EXAMPLE.com');")
        job = {"system": "events", "kind": "event.announcement", "channels": ["email"],
               "audience": {"params": {"event_id": self.event}}, "data": {"title": "T", "body": "B"}}
        status, found, _ = shop.post("/v1/estimate", {"job": job})
        self.assertEqual(status, 200, found)
        email = found["channels"]["email"]
        self.assertEqual((found["people"], email["messages"]), (PEOPLE + 1, len(mails)))
        self.assertEqual({w: n for w, n in email["left_out"].items() if n},
                         {"opted_out": 2, "suppressed": 1, "duplicates": 1})
        self.suppressed(run, backend)

    def suppressed(self, run, backend):
        """The list of all addresses: of no system, so for nobody who has one."""
        shop = backend("shop")
        self.ask(run, "suppress", "add", "sms", "+491701234567", "--reason", "stop")
        status, page, _ = shop.get("/v1/suppressions?limit=1")
        self.assertEqual((status, [(s["channel"], s["address"], s["reason"], s["source"]) for s in page["suppressions"]]),
                         (200, [("email", "listed@example.com", "manual", "cli")]))
        last = shop.get(f"/v1/suppressions?limit=1&cursor={page['next_cursor']}")[1]
        self.assertEqual(([s["address"] for s in last["suppressions"]], last["next_cursor"]), (["+491701234567"], None))
        for query, found in (("search=LISTED%40Example.com", ["listed@example.com"]), ("search=%2B49+170", ["+491701234567"]),
                             ("channel=push", []), ("channel=sms", ["+491701234567"]), ("search=%25", [])):
            self.assertEqual([s["address"] for s in shop.get(f"/v1/suppressions?{query}")[1]["suppressions"]], found, query)
        for query in ("channel=pigeon", "limit=0", "cursor=xx", "search=%00", "search=", "other=1"):
            self.refused(shop.get(f"/v1/suppressions?{query}"), 400, "invalid_query")
        self.refused(backend("tenant").get("/v1/suppressions"), 403, "owner_denied")
        self.assertEqual(backend("reader").get("/v1/suppressions")[0], 403)
        self.ask(run, "suppress", "remove", "sms", "+491701234567")

    def may_not(self, backend):
        shop = backend("shop")
        self.refused(backend("tenant").get(self.base), 403, "owner_denied")
        self.refused(backend("reader").get(self.base), 403, "scope_missing")
        self.refused(backend("abroad").get(self.base), 403, "system_denied")
        bare = self.base.split("?")[0]
        for query in ("", "?param.event_id=1", f"?param.event_id={self.event}&standing=x",
                      f"?param.event_id={self.event}&cursor=x", f"?param.event_id={self.event}&kind=x"):
            self.refused(shop.get(bare + query), 400, "invalid_query")
        self.refused(shop.get("/v1/systems/events/audiences/nobody/people"), 404, "not_found")
        one = f"/v1/systems/events/recipients/{self.ids['viewer3']}"
        self.refused(backend("tenant").post(f"{one}/unsubscribe", {}), 403, "owner_denied")
        self.refused(shop.post(f"{one}/unsubscribe", {"kind": "registration.confirmed"}), 422, "no_list")
        self.refused(shop.post(f"{one}/unsubscribe", {"channel": "fax"}), 422, "unknown_channel")
        self.assertEqual(shop.get(f"{one}/opt-outs")[1]["opt_outs"], [])


if __name__ == "__main__":
    main()
