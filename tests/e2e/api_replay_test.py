#!/usr/bin/env python3
"""Replays through the API: counted first, the numbers are what then happens, once under a key, by whoever may."""

import json

from api_case import ApiCase
from harness import main, until

PEOPLE, EVERY = 60, 4
REFUSAL = "21408"
LOST = 5  # Whose answers are: few enough for the breaker to stay shut.


class ApiReplay(ApiCase):
    def refuse(self, run, shop, order, channel="sms"):
        """A job of which every fourth was refused; its id, and who: id -> number."""
        people = run.addresses("creator", channel)
        dead = {r: next(iter(people[r])) for i, r in enumerate(sorted(people)) if i % EVERY == 1}
        run.sim.control(twilio={"fail_addresses": {a: REFUSAL for a in dead.values()}})
        job = shop.post("/v1/jobs", order)[1]["id"]
        run.wait_settled(job)
        run.sim.control(twilio={"fail_addresses": {}})
        return job, dead

    def wish(self, job, **more):
        return {"jobs": [job], "outcomes": ["refused"], **more}

    def test_a_dry_runs_numbers_are_what_then_happens(self):
        run, backend = self.start(people=PEOPLE)
        shop = backend("shop")
        job, dead = self.refuse(run, shop, self.order(run, channels=["sms"], subject="s1"))
        names = sorted(dead)
        later = self.order(run, channels=["sms"], subject="s1")
        later["audience"] = {"recipients": names[:2] + ["p000001"]}
        run.wait_settled(shop.post("/v1/jobs", later)[1]["id"])
        shop.post(f"/v1/systems/shows/recipients/{names[2]}/unsubscribe", {"channel": "sms"})
        run.db.psql(f"""INSERT INTO suppression (channel, address, compared, reason, source)
                        VALUES (1, '{dead[names[3]]}', '{dead[names[3]]}', 'stop', 'test');
                        UPDATE users SET phone = NULL WHERE id = '{names[4]}';
                        UPDATE users SET phone = 'no number' WHERE id = '{names[5]}';""")
        self.assertEqual(shop.call("PUT", "/v1/accounts/e2e-twilio/rate", {"per_second": 7})[0], 200)
        status, told, _ = shop.post("/v1/replays", self.wish(job, dry_run=True))
        self.assertEqual(shop.call("DELETE", "/v1/accounts/e2e-twilio/rate")[0], 200)
        self.assertEqual(status, 200, told)
        self.assertEqual((told["people"], told["jobs"]), (len(dead) - 2, 1))
        self.assertEqual(told["left_out"], {"expired": 0, "told_by_fallback": 0, "told_since": 2, "called_off": 0, "held": 0})
        now = told["if_served_now"]
        self.assertEqual((now["exact"], now["not_asked"]), (True, []))
        sms = now["channels"]["sms"]
        self.assertEqual(sms["messages"], len(dead) - 6)
        self.assertGreaterEqual(sms["segments"], sms["messages"])
        self.assertAlmostEqual(sms["seconds"], sms["segments"] / 7, 3, "at the rate that was set by hand")
        self.assertEqual({k: n for k, n in sms["left_out"].items() if n},
                         {"opted_out": 1, "suppressed": 1, "no_address": 1, "invalid_address": 1})
        self.assertEqual({o for o, _ in run.fates(job).values()}, {"sent", "refused"}, "nothing was changed")
        self.assertEqual(shop.get("/v1/replays")[1]["replays"], [])

        status, done, headers = shop.post("/v1/replays", self.wish(job, because="refused by mistake"),
                                          Idempotency_Key="again")
        self.assertEqual(status, 200, done)
        self.assertEqual(headers["Location"], f"/v1/replays/{done['id']}")
        self.assertEqual((done["people"], done["jobs"], done["who"]), (told["people"], 1, "shop"))
        new = done["new_jobs"][0]
        self.assertEqual((new["replay_of"], new["people"]), (job, told["people"]))
        run.wait_settled(new["job"])
        self.assert_sound(run, job)
        outcomes = [o for o, _ in self.assert_sound(run, new["job"]).values()]
        self.assertEqual({o: outcomes.count(o) for o in set(outcomes)},
                         {"sent": sms["messages"], "opted_out": 1, "suppressed": 1, "no_address": 1, "refused": 1})
        everybody = {a: n for one in (job, new["job"]) for a, n in run.accepted("sms", one).items()}
        self.assertEqual(max(everybody.values()), 1)
        self.linked(shop, job, new["job"], told["people"], names[6])
        self.once(run, shop, backend, job, done)
        self.history(shop, backend, names[6], job, new["job"])

    def linked(self, shop, job, new, people, person):
        old = shop.get(f"/v1/jobs/{job}")[1]
        self.assertEqual((old["replays"], old["replay_of"]), ([{"job": new, "people": people}], None))
        self.assertEqual((old["subject"], old["data"]["show_id"]), ("s1", "s1"))
        self.assertEqual(old["audience"]["name"], "followers")
        self.assertEqual(shop.get(f"/v1/jobs/{new}")[1]["replay_of"], job)
        for asked in (job, new):
            chain = shop.get(f"/v1/jobs/{asked}/recipients/{person}")[1]["chain"]
            self.assertEqual([(one["job"], one["outcome"]) for one in chain], [(job, "replayed"), (new, "sent")])

    def history(self, shop, backend, person, job, new):
        page = shop.get(f"/v1/people/{person}/deliveries?system=shows")[1]
        found = [(d["job"], d["channel"], d["outcome"], d["replay_of"]) for d in page["deliveries"]]
        self.assertEqual(found, [(new, "sms", "sent", job), (job, "sms", "replayed", None)])
        self.assertEqual({(d["subject"], d["title"]) for d in page["deliveries"]}, {("s1", "Friday <Night> & Co")})
        self.assertIsNone(page["next_cursor"])
        first = shop.get(f"/v1/people/{person}/deliveries?limit=1")[1]
        rest = shop.get(f"/v1/people/{person}/deliveries?limit=1&cursor={first['next_cursor']}")[1]
        self.assertEqual(first["deliveries"] + rest["deliveries"], page["deliveries"])
        self.assertEqual(backend("other").get(f"/v1/people/{person}/deliveries")[1]["deliveries"], [])
        for query in ("cursor=x", "limit=0", "kind=x"):
            self.refused(shop.get(f"/v1/people/{person}/deliveries?{query}"), 400, "invalid_query")

    def once(self, run, shop, backend, job, done):
        body = self.wish(job, because="in other words")
        self.assertEqual(shop.post("/v1/replays", body, Idempotency_Key="again")[1], done, "the same order")
        self.refused(shop.post("/v1/replays", self.wish(job, because="x", ttl_s=60), Idempotency_Key="again"), 409,
                     "key_reused")
        empty = shop.post("/v1/replays", body)[1]
        self.assertEqual((empty["people"], empty["new_jobs"]), (0, []), "nobody is left")
        self.assertNotEqual(empty["id"], done["id"])
        other = backend("other")
        self.refused(other.post("/v1/replays", body), 404, "not_found")
        self.assertEqual(other.get("/v1/replays")[1]["replays"], [])
        self.refused(other.get(f"/v1/replays/{done['id']}"), 404)
        self.assertEqual(shop.get(f"/v1/replays/{done['id']}")[1], done)
        page = shop.get("/v1/replays?limit=1")[1]
        self.assertEqual([r["id"] for r in page["replays"]], [empty["id"]])
        rest = shop.get(f"/v1/replays?cursor={page['next_cursor']}")[1]
        self.assertEqual(([r["id"] for r in rest["replays"]], rest["next_cursor"]), ([done["id"]], None))
        self.assertEqual(len(backend("admin").get("/v1/replays")[1]["replays"]), 2)

    def test_what_is_refused(self):
        run, backend = self.start(worker=False)
        shop = backend("shop")
        self.refused(backend("reader").post("/v1/replays", {"system": "shows"}), 403, "scope_missing")
        self.refused(backend("abroad").post("/v1/replays", {"system": "shows", "because": "x"}), 403, "system_denied")
        for body, code in (({"system": "shows"}, "missing_field"), ({"because": "x"}, "missing_field"),
                           ({"system": "shows", "dry_run": "yes"}, "wrong_type"),
                           ({"system": "shows", "dry_run": True, "jobs": []}, "wrong_type"),
                           ({"system": "shows", "dry_run": True, "outcomes": ["sent"]}, "invalid_value"),
                           ({"system": "shows", "dry_run": True, "outcomes": ["unknown"]}, "may_be_told_twice"),
                           ({"system": "shows", "dry_run": True, "since": "soon"}, "invalid_timestamp"),
                           ({"system": "shows", "dry_run": True, "x": 1}, "unknown_field"),
                           ({"system": "shows", "dry_run": True, "channel": ""}, "invalid_value"),
                           ({"system": "shows", "dry_run": True, "subject": ""}, "invalid_value"),
                           ({"system": "shows", "dry_run": True, "account": None}, "wrong_type"),
                           ({"system": "shows", "dry_run": True, "jobs": None}, "wrong_type"),
                           ({"system": "shows", "dry_run": None, "because": "x"}, "wrong_type")):
            self.refused(shop.post("/v1/replays", body), 422, code)
        self.refused(shop.post("/v1/replays", self.wish("00000000-0000-4000-8000-000000000000", dry_run=True)), 404)
        self.refused(shop.get("/v1/replays/x"), 404)
        for query in ("cursor=x", "limit=0", "x=1"):
            self.refused(shop.get(f"/v1/replays?{query}"), 400, "invalid_query")
        self.assertEqual(run.db.value("SELECT count(*) FROM replay"), "0")

    def test_what_a_producer_left_undone_another_one_goes_on_with(self):
        run, backend = self.start(people=PEOPLE)
        shop = backend("shop")
        job, dead = self.refuse(run, shop, self.order(run, channels=["sms"]))
        words = json.dumps({"jobs": [job], "outcomes": ["refused"], "sources": ["shop", "scheduler"]})
        ids = run.db.psql(f"""INSERT INTO replay (key, who, because, filter, unattended) VALUES
            ('left', 'shop', 'its producer died', '{words}', true),
            ('typed', 'ana@host', 'broken off', '{words}', false) RETURNING id;""").split()
        done = until(lambda: [r for r in shop.get("/v1/replays")[1]["replays"] if r["finished_at"]],
                     "the replay to be carried out", 60)
        self.assertEqual([(str(r["id"]), r["people"]) for r in done], [(ids[0], len(dead))])
        new = shop.get(f"/v1/replays/{ids[0]}")[1]["new_jobs"][0]["job"]
        run.wait_settled(new)
        self.assertEqual(len(run.accepted("sms", new)), len(dead))
        self.assertIsNone(shop.get(f"/v1/replays/{ids[1]}")[1]["finished_at"], "a person says when that goes on")

    def test_lists_have_what_jobs_are_about_and_who_failed(self):
        run, backend = self.start(people=PEOPLE)
        shop = backend("shop")
        fine = shop.post("/v1/jobs", self.order(run, channels=["sms"], subject="s7"))[1]["id"]
        run.wait_settled(fine)
        run.sim.control(twilio={"lose_after_rate": 1})
        few = {"recipients": [f"p{n:06}" for n in range(1, LOST + 1)]}
        job = shop.post("/v1/jobs", self.order(run, channels=["sms"], subject="s8", audience=few))[1]["id"]
        run.wait_settled(job)
        listed = {j["id"]: j for j in shop.get("/v1/jobs")[1]["jobs"]}
        self.assertEqual((listed[fine]["subject"], listed[fine]["failed"], listed[fine]["unknown"]), ("s7", 0, 0))
        self.assertEqual((listed[job]["subject"], listed[job]["unknown"]), ("s8", LOST))
        self.assertEqual(listed[job]["title"], "Friday <Night> & Co")
        ids = lambda query: [j["id"] for j in shop.get(f"/v1/jobs?{query}")[1]["jobs"]]
        self.assertEqual(ids("has_failures=true"), [job])
        self.assertEqual(ids(f"since={listed[job]['created_at']}"), [job])
        self.assertEqual(ids("has_failures=false&since=2020-01-01T00:00:00Z"), [job, fine])
        for query in ("has_failures=1", "since=now"):
            self.refused(shop.get(f"/v1/jobs?{query}"), 400, "invalid_query")
        self.of_both(shop, backend, fine, job)

    def of_both(self, shop, backend, fine, job):
        """Outcomes over several jobs are one list."""
        def all_of(query, by=shop):
            found, cursor = [], ""
            while cursor is not None:
                status, page, _ = by.get(f"/v1/outcomes?limit=50{query}{cursor and '&cursor=' + cursor}")
                self.assertEqual(status, 200, page)
                found += [(o["job"], o["recipient"], o["outcome"]) for o in page["outcomes"]]
                cursor = page["next_cursor"]
            return found
        both = all_of("")
        self.assertEqual((len(both), len(set(both))), (PEOPLE + LOST, PEOPLE + LOST))
        self.assertEqual([j for j, _, _ in both], LOST * [job] + PEOPLE * [fine], "the newest first")
        self.assertEqual({j for j, _, _ in all_of("&outcome=unknown&system=shows")}, {job})
        self.assertEqual({j for j, _, _ in all_of("&subject=s7")}, {fine})
        self.assertEqual(len(all_of(f"&job={fine},{job}&channel=sms")), PEOPLE + LOST)
        self.assertEqual(all_of("", backend("other")), [])
        self.refused(backend("reader").get("/v1/outcomes"), 403, "scope_missing")
        for query in ("job=x", f"job={job},x", "since=now", "outcome=x", "channel=x", "cursor=x", "limit=0", "x=1"):
            self.refused(shop.get(f"/v1/outcomes?{query}"), 400, "invalid_query")


if __name__ == "__main__":
    main(at_once=3)
