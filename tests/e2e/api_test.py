#!/usr/bin/env python3
"""What backends do through the HTTP API: order, look, cancel, export; and what they may not."""

import csv
import io
import json
import shutil
import subprocess
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import fallback_test
from api_case import PEOPLE, ApiCase
from harness import BIN, CHANNELS, ROOT, Lag, main, until


class Api(ApiCase):
    def test_an_ordered_job_tells_everyone_once(self):
        run, backend = self.start()
        shop = backend("shop")
        key, order = str(uuid.uuid4()), self.order(run)
        first = shop.post("/v1/jobs", order, Idempotency_Key=key)
        self.assertEqual(first[0], 202, first[1])
        job = first[1]["id"]
        self.assertEqual(first[2]["Location"], f"/v1/jobs/{job}")
        again = shop.post("/v1/jobs", order, Idempotency_Key=key)
        self.assertEqual((again[0], again[1]), (202, first[1]))
        other = self.order(run, lane="bulk")
        self.refused(shop.post("/v1/jobs", other, Idempotency_Key=key), 409, "key_reused")
        self.assertEqual(shop.get(f"/v1/jobs/{job}")[0], 200, "known at once")
        until(lambda: shop.get(f"/v1/jobs/{job}")[1]["state"] == "done", "the job to be done", 60)
        run.wait_settled(job)
        fates = self.assert_sound(run, job)
        self.assertEqual(len(fates), 3 * PEOPLE)
        found = shop.get(f"/v1/jobs/{job}")[1]
        self.assertEqual({c["channel"]: c["outcomes"]["sent"] for c in found["channels"]},
                         {c: PEOPLE for c in CHANNELS})
        self.assertEqual(run.db.value("SELECT count(*) FROM job"), "1")
        self.exported(run, shop, job, fates)
        self.explained(shop, job, run)
        self.refused(shop.post(f"/v1/jobs/{job}/cancel", {}), 409, "job_over")
        self.isolated(backend, job)

    def test_an_order_that_is_not_noted_as_published_is_not_accepted(self):
        """Whatever Kafka loses is published again from what the ledger has noted: without it nothing can be promised."""
        run, backend = self.start(worker=False)
        shop, order = backend("shop"), self.order(run)
        run.db.psql("""
            CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN RAISE ''away'' USING ERRCODE = ''57P03''; END';
            CREATE TRIGGER away BEFORE UPDATE OF published_at ON api_request FOR EACH ROW EXECUTE FUNCTION away();""")
        self.refused(shop.post("/v1/jobs", order, Idempotency_Key="once"), 503, "unavailable")
        run.db.psql("DROP TRIGGER away ON api_request;")
        status, document, _ = shop.post("/v1/jobs", order, Idempotency_Key="once")
        self.assertEqual(status, 202, document)
        self.assertEqual(run.db.value("SELECT count(published_at) FROM api_request"), "1")
        run.worker()
        run.wait_settled(document["id"])
        self.assertEqual(run.db.value("SELECT count(*) FROM job"), "1", "published twice, it is the same job")

    def test_what_can_be_told_to_nobody_is_refused_at_once(self):
        run, backend = self.start(worker=False)
        shop = backend("shop")
        data = self.order(run)["data"]
        cases = (("missing_variable", {"data": {}}),
                 ("missing_variable", {"data": {k: v for k, v in data.items() if k != "title"}}),
                 ("invalid_timestamp", {"data": {**data, "starts_at": "next friday"}}),
                 ("unrenderable", {"data": {**data, "title": "x" * 300_000}}))
        for code, changes in cases:
            self.refused(shop.post("/v1/jobs", self.order(run, **changes)), 422, code)
            self.refused(shop.post("/v1/notifications", {
                "system": "shows", "kind": "show.reminder", "subject": "s9", "occurrence": "2030-01-01T20:00:00Z",
                "due_at": "2030-01-01T19:45:00Z", "params": {"user_id": "creator"}, **changes}), 422, code)
        self.assertEqual(run.db.value("SELECT (SELECT count(*) FROM api_request) + (SELECT count(*) FROM notification)"), "0")
        # Nor is what can be told changed into what cannot.
        made = shop.post("/v1/notifications", {
            "system": "shows", "kind": "show.reminder", "subject": "s9", "occurrence": "2030-01-01T20:00:00Z",
            "due_at": "2030-01-01T19:45:00Z", "params": {"user_id": "creator"}, "data": data})
        self.assertEqual(made[0], 201, made[1])
        path = f"/v1/notifications/{made[1]['id']}"
        for code, changes in cases:
            self.refused(shop.call("PATCH", path, changes), 422, code)
        self.assertEqual(shop.get(path)[1]["data"], data)
        moved = shop.call("PATCH", path, {"data": {**data, "title": "Saturday"}, "due_at": "2030-01-01T19:40:00Z"})
        self.assertEqual((moved[0], moved[1]["data"]["title"]), (200, "Saturday"), moved[1])
        run.db.psql("DELETE FROM notification")
        # The same by the same function, with an exit code.
        for code, changes in cases[1:]:
            file = run.dir / "order.json"
            file.write_text(json.dumps({**run.job(), **changes}))
            done = subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "publish", file], capture_output=True,
                                  text=True, env=run.environment(), timeout=60)
            self.assertEqual(done.returncode, 65, done.stdout + done.stderr)
            self.assertIn(code, done.stderr)
        # What was ordered before stays what it was, also where it would be refused by now.
        key, order = str(uuid.uuid4()), self.order(run)
        first = shop.post("/v1/jobs", order, Idempotency_Key=key)
        self.assertEqual(first[0], 202, first[1])
        run.db.psql("ALTER TABLE users RENAME COLUMN email TO mail")
        again = shop.post("/v1/jobs", order, Idempotency_Key=key)
        self.assertEqual((again[0], again[1]), (202, first[1]))
        self.assertEqual(shop.post("/v1/jobs", self.order(run, lane="bulk"))[0], 202, "a query that fails is not the job's fault")

    def test_a_fallback_without_texts_is_refused_at_once(self):
        def without_mail(run):
            shutil.copytree(ROOT / "templates", run.dir / "templates")
            for file in (run.dir / "templates/show.reminder").glob("*.yaml"):
                text = file.read_text()
                file.write_text("default: en\n" if file.name == "message.yaml" else text[text.index("sms:"):])
            run.settings["templates_dir"] = str(run.dir / "templates")

        run, backend = self.start(worker=False, people=5, system=fallback_test.SYSTEM, prepare=without_mail)
        shop = backend("shop")
        answer = shop.post("/v1/jobs", self.order(run, channels=["push"]))
        self.refused(answer, 422, "unknown_template")
        self.assertIn("no email templates", answer[1]["detail"])
        data = self.order(run)["data"]
        self.refused(shop.post("/v1/notifications", {
            "system": "shows", "kind": "show.reminder", "subject": "s9", "occurrence": "2030-01-01T20:00:00Z",
            "due_at": "2030-01-01T19:45:00Z", "params": {"user_id": "creator"}, "data": data}), 422, "unknown_template")
        self.assertEqual(run.db.value("SELECT (SELECT count(*) FROM api_request) + (SELECT count(*) FROM notification)"), "0")
        (run.dir / "order.json").write_text(json.dumps(run.job(channels=["push"])))
        done = subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "publish", run.dir / "order.json"],
                              capture_output=True, text=True, env=run.environment(), timeout=60)
        self.assertEqual(done.returncode, 65, done.stdout + done.stderr)
        self.assertIn("unknown_template", done.stderr)

    def exported(self, run, shop, job, fates):
        answer = shop.get(f"/v1/jobs/{job}/outcomes", Accept="text/csv")
        self.assertEqual(answer[0], 200)
        rows = list(csv.DictReader(io.StringIO(answer[1])))
        self.assertEqual({(r["channel"], r["recipient"]): (r["outcome"], r["reason"]) for r in rows}, fates)
        self.assertEqual(len(rows), len(fates))
        ids = dict(((c, r), p or "") for c, r, p in run.db.rows(
            f"SELECT channel, recipient, provider_id FROM delivery WHERE job_id = '{job}'"))
        self.assertEqual({(r["channel"], r["recipient"]): r["provider_id"] for r in rows}, ids)
        paged, cursor = [], ""
        while cursor is not None:
            page = shop.get(f"/v1/jobs/{job}/outcomes?limit=77&channel=sms&outcome=sent&cursor={cursor}")[1]
            self.assertLessEqual(len(page["outcomes"]), 77)
            paged += [o["recipient"] for o in page["outcomes"]]
            cursor = page["next_cursor"]
        self.assertEqual(sorted(paged), sorted(r for c, r in fates if c == "sms"))
        self.assertEqual(len(set(paged)), len(paged))
        for query in ("limit=0", "limit=x", "channel=fax", "outcome=x", "cursor=x", "what=1", "limit=1&limit=2"):
            self.refused(shop.get(f"/v1/jobs/{job}/outcomes?{query}"), 400, "invalid_query")

    def explained(self, shop, job, run):
        found = shop.get(f"/v1/jobs/{job}/recipients/p000007")[1]
        self.assertEqual((found["planned"], len(found["channels"])), (True, 3))
        self.assertEqual(found["channels"][0]["why"], "The provider took the message.")
        nobody = shop.get(f"/v1/jobs/{job}/recipients/nobody")[1]
        self.assertEqual((nobody["planned"], nobody["channels"]), (False, []))
        self.assertIn("did not yield", nobody["why"])

    def isolated(self, backend, job):
        for name in ("other", "tenant", "abroad"):
            for path in ("", "/outcomes", "/recipients/p000007"):
                self.refused(backend(name).get(f"/v1/jobs/{job}{path}"), 404, "not_found")
            self.refused(backend(name).post(f"/v1/jobs/{job}/cancel", {}), 404)
            self.assertEqual(backend(name).get("/v1/jobs")[1]["jobs"], [])
        admin = backend("admin")
        self.assertEqual(admin.get(f"/v1/jobs/{job}")[0], 200)
        self.refused(admin.get(f"/v1/jobs/{job}", Fanfare_Owner="tenant-a"), 404)
        self.assertEqual([j["id"] for j in admin.get("/v1/jobs", Fanfare_Owner="shop")[1]["jobs"]], [job])
        self.refused(backend("shop").get("/v1/jobs", Fanfare_Owner="tenant-a"), 403, "owner_denied")

    def test_a_cancelled_job_stops_within_a_second(self):
        run, backend = self.start(worker=False, people=2000)
        run.settings["accounts"][0]["rate"]["per_second"] = 100
        run.tune("email", chunk=20, chunks=2, concurrency=2, per_second=100)
        run.worker()
        shop = backend("shop")
        job = shop.post("/v1/jobs", self.order(run, channels=["email"]))[1]["id"]
        until(lambda: run.told(job)["email"] >= 50, "sending to begin", 60)
        with Lag() as lag:
            answer = shop.post(f"/v1/jobs/{job}/cancel", {})
            self.assertEqual((answer[0], answer[1]["state"]), (200, "cancelled"))
            cancelled_ns = time.time_ns()
            self.assertEqual(shop.post(f"/v1/jobs/{job}/cancel", {})[0], 200)
            run.wait_settled(job)
        last = run.sim.summary(job)["mailgun"]["last_accept_ns"]
        self.assertLess(last, cancelled_ns + lag.allows(1) * 1e9, "told more than a second after")
        outcomes = {o for o, _ in run.fates(job).values()}
        self.assertEqual(outcomes, {"sent", "cancelled"})

    def test_a_job_cancelled_before_a_worker_takes_it_tells_nobody(self):
        run, backend = self.start(worker=False)
        shop = backend("shop")
        job = shop.post("/v1/jobs", self.order(run))[1]["id"]
        self.assertEqual(shop.get(f"/v1/jobs/{job}")[1]["state"], "accepted")
        self.refused(backend("other").post(f"/v1/jobs/{job}/cancel", {}), 404)
        self.assertEqual(shop.post(f"/v1/jobs/{job}/cancel", {})[1]["state"], "cancelled")
        after = shop.post("/v1/jobs", self.order(run, channels=["email"]), Idempotency_Key="after")[1]["id"]
        run.worker()
        run.wait_settled(after)
        until(lambda: run.state(job) == "cancelled", "the worker to have met it", 60)  # On a partition of its own.
        self.assertEqual(run.fates(job), {})
        self.assertEqual(sum(run.told(job).values()), 0)

    def test_pages_of_jobs(self):
        run, backend = self.start(worker=False)
        for i in range(7):
            run.db.psql(f"""INSERT INTO job (id, idempotency_key, system, kind, body, lane, state, created_at)
                VALUES ('{uuid.uuid4()}', 'k{i}', 'shows', '{"generic" if i % 2 else "show.reminder"}',
                '{{"source": "shop"}}', 1, 'done', timestamptz '2026-01-01' + interval '{i // 2} s');""")
        shop, seen, cursor = backend("shop"), [], ""
        while cursor is not None:
            page = shop.get(f"/v1/jobs?limit=2&cursor={cursor}")[1]
            seen += [j["id"] for j in page["jobs"]]
            cursor = page["next_cursor"]
        self.assertEqual(seen, [i for (i,) in run.db.rows("SELECT id FROM job ORDER BY created_at DESC, id DESC")])
        self.assertEqual(len(shop.get("/v1/jobs?kind=generic&state=done&system=shows")[1]["jobs"]), 3)
        self.assertEqual(shop.get("/v1/jobs?state=failed")[1]["jobs"], [])
        for query in ("state=x", "cursor=x", "limit=1001", "limit=-1", "x=1", "kind=%FF"):
            self.refused(shop.get(f"/v1/jobs?{query}"), 400, "invalid_query")

    def test_what_is_refused(self):
        run, backend = self.start(worker=False, body_max=4096)
        shop, order = backend("shop"), self.order(run)
        for token in ("", "x" * 40):
            answer = backend("", token=token).post("/v1/jobs", order)
            self.refused(answer, 401, "unauthorized")
            self.assertEqual(answer[2]["WWW-Authenticate"], "Bearer")
        self.refused(backend("reader").post("/v1/jobs", order), 403, "scope_missing")
        self.refused(backend("reader").get(f"/v1/jobs/{uuid.uuid4()}/outcomes"), 403, "scope_missing")
        self.refused(backend("abroad").post("/v1/jobs", order), 403, "system_denied")
        for path in (f"/v1/jobs/{uuid.uuid4()}", "/v1/jobs/x", f"/v1/jobs/{uuid.uuid4()}/outcomes"):
            self.refused(shop.get(path), 404, "not_found")
        self.assertEqual(shop.get("/v1/nothing")[0], 404)
        self.assertEqual(shop.call("DELETE", "/v1/jobs")[0], 405)
        self.assertEqual(shop.post("/v1/jobs", b"{}", Content_Type="text/plain")[0], 415)
        self.assertEqual(shop.post("/v1/jobs", b" " * 1_000_001, Content_Type="application/json")[0], 413)
        json_type = {"Content_Type": "application/json"}
        for body, code in ((b"", "not_json"), (b"{", "not_json"), (b'{"a":1,"a":2}', "duplicate_key"),
                           (b"\xff", "not_json"), (b"[" * 20 + b"]" * 20, "too_deep")):
            self.refused(shop.post("/v1/jobs", body, **json_type), 400, code)
        for change, code in (({"system": "nowhere"}, "unknown_system"), ({"kind": "x"}, "unknown_kind"),
                             ({"id": str(uuid.uuid4())}, "unknown_field"), ({"source": "cli"}, "unknown_field"),
                             ({"version": 1}, "unknown_field"), ({"channels": []}, "no_channels"),
                             ({"ttl_s": 0}, "invalid_value"), ({"audience": {"name": "x"}}, "unknown_audience")):
            self.refused(shop.post("/v1/jobs", {**order, **change}), 422, code)
        self.refused(shop.post("/v1/jobs", b"[]", **json_type), 422, "wrong_type")
        self.refused(shop.post("/v1/jobs", b"{}", **json_type), 422, "missing_field")
        self.refused(shop.post("/v1/jobs", order, Idempotency_Key="k" * 129), 400, "invalid_key")
        slow = backend("slow")
        with ThreadPoolExecutor(12) as callers:  # At once, for a slow machine may ask for less than two a second.
            until(lambda: 429 in callers.map(lambda _: slow.get("/v1/jobs")[0], range(12)), "one to be refused")
        self.assertEqual(shop.get("/v1/jobs")[0], 200, "one client's limit is no other's")
        self.assertEqual(run.db.value("SELECT count(*) FROM api_request"), "0")
        for log in run.dir.glob("*.log"):
            self.assertNotIn("shop-token", log.read_text())

    def test_a_key_is_derived_and_the_same_for_the_same_body(self):
        run, backend = self.start(worker=False)
        shop, order = backend("shop"), self.order(run)
        first = shop.post("/v1/jobs", order)[1]["id"]
        text = json.dumps(dict(reversed(order.items())), indent=2).encode()
        self.assertEqual(shop.post("/v1/jobs", text, Content_Type="application/json")[1]["id"], first)
        self.assertNotEqual(shop.post("/v1/jobs", {**order, "lane": "bulk"})[1]["id"], first)
        self.assertNotEqual(backend("other").post("/v1/jobs", order)[1]["id"], first, "keys are the client's own")


if __name__ == "__main__":
    main(at_once=3)
