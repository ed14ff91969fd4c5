#!/usr/bin/env python3
"""What backends schedule, preview, estimate and trigger through the HTTP API; and its documents."""

import re
import subprocess
from datetime import datetime, timedelta, timezone

from api_case import ApiCase
from api_client import TOKENS
from harness import ROOT, main, until

DATA = {"show_id": "s1", "username": "Mira", "title": "Friday <Night>", "starts_at": "2030-01-01T20:00:00Z"}


def moment(seconds):
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class ApiSchedule(ApiCase):
    def notification(self, subject, due_s, **more):
        return {"system": "shows", "kind": "show.reminder", "subject": subject, "occurrence": moment(due_s + 900),
                "due_at": moment(due_s), "expires_at": moment(due_s + 900), "params": {"user_id": "creator"},
                "data": DATA, **more}

    def test_a_notification_is_scheduled_moved_and_sent(self):
        run, backend = self.start(people=50)
        shop, wanted = backend("shop"), self.notification("a", 3000)
        made = shop.post("/v1/notifications", wanted)
        self.assertEqual(made[0], 201, made[1])
        path = f"/v1/notifications/{made[1]['id']}"
        self.assertEqual(made[2]["Location"], path)
        self.assertEqual(shop.post("/v1/notifications", wanted)[0], 200)
        self.refused(shop.post("/v1/notifications", {**wanted, "due_at": moment(3100)}), 409, "moment_taken")
        key = {"Idempotency_Key": "n1"}
        self.assertEqual(shop.post("/v1/notifications", self.notification("b", 3000), **key)[0], 201)
        self.refused(shop.post("/v1/notifications", self.notification("c", 3000), **key), 409, "key_reused")
        moved = shop.call("PATCH", path, {"due_at": "2029-01-01T00:00:00Z", "expires_at": "2029-01-02T00:00:00Z"})
        self.assertEqual((moved[0], moved[1]["due_at"], moved[1]["changed_by"]), (200, "2029-01-01T00:00:00.000000Z", "shop"))
        self.refused(shop.call("PATCH", path, {"due_at": "soon"}), 422, "invalid_timestamp")
        self.refused(shop.call("PATCH", path, {"due_at": "2029-01-02T00:00:00Z"}), 409, "past_expiry")
        self.refused(shop.call("PATCH", path, {"params": {"who": "creator"}}), 422, "missing_parameter")
        late = self.notification("late", 3000, expires_at=moment(2000))
        self.refused(shop.post("/v1/notifications", late), 422, "past_expiry")
        self.assertEqual([n["subject"] for n in shop.get("/v1/notifications?subject=a")[1]["notifications"]], ["a"])
        for name in ("other", "tenant", "abroad"):
            self.refused(backend(name).get(path), 404)
            self.refused(backend(name).post(path + "/cancel", {}), 404)
        self.assertEqual(shop.post(path + "/send-now", {})[0], 200)
        until(lambda: run.state(made[1]["id"]) == "done", lambda: "it to be sent" + run.progress(), 30)
        self.assertEqual(len(run.accepted("email", made[1]["id"])), 50)
        until(lambda: shop.get(path)[1]["state"] == "published", "what was sent to be noted", 30)
        self.refused(shop.call("PATCH", path, {"due_at": moment(60)}), 409, "too_late")
        self.refused(shop.post(path + "/cancel", {}), 409, "too_late")
        cursor, seen = "", []
        while cursor is not None:
            page = shop.get(f"/v1/notifications?limit=1&cursor={cursor}")[1]
            seen += [n["subject"] for n in page["notifications"]]
            cursor = page["next_cursor"]
        self.assertEqual(sorted(seen), ["a", "b"])

    def test_what_is_cancelled_stays_cancelled(self):
        run, backend = self.start(people=20)
        run.db.psql(f"""INSERT INTO scheduled_shows (id, user_id, title, scheduled_at, status) SELECT 'q' || n, 'creator',
            'Show', now() AT TIME ZONE 'UTC' + interval '40 minutes', 'scheduled' FROM generate_series(1, 3) n;""")
        shop = backend("shop")
        found = until(lambda: (n := shop.get("/v1/notifications?state=scheduled")[1]["notifications"])
                      and len(n) == 3 and n, "the due query to find them", 30)
        one = next(n for n in found if n["subject"] == "q1")
        self.assertEqual(one["origin"], "query")
        self.assertEqual(shop.post(f"/v1/notifications/{one['id']}/cancel", {})[1]["state"], "cancelled")
        answer = shop.post("/v1/systems/shows/subjects/q2/cancel", {})
        self.assertEqual((answer[0], len(answer[1]["cancelled"])), (200, 1))
        self.refused(backend("abroad").post("/v1/systems/shows/subjects/q3/cancel", {}), 403, "system_denied")
        self.assertEqual(backend("tenant").post("/v1/systems/shows/subjects/q3/cancel", {})[1]["cancelled"], [])
        # One kind; one moment, found already or not; nobody cancels the moments of others.
        whole, other = "/v1/systems/shows/subjects/q3/cancel", {"kind": "show.cancelled"}
        self.assertEqual(shop.post(whole, other)[1]["cancelled"], [])
        self.refused(shop.post(whole, {"kind": "show.gone"}), 422, "unknown_kind")
        self.refused(shop.post(whole, {"occurrence": found[0]["occurrence"]}), 422, "missing_field")
        starts = run.db.value("""INSERT INTO scheduled_shows (id, user_id, title, scheduled_at, status) VALUES ('far',
            'creator', 'Show', date_trunc('second', now() AT TIME ZONE 'UTC' + interval '30 hours'), 'scheduled')
            RETURNING to_char(scheduled_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"');""")
        ahead = {"kind": "show.reminder", "occurrence": starts}
        self.assertEqual(backend("tenant").post("/v1/systems/shows/subjects/far/cancel", ahead)[1]["cancelled"], [])
        cancelled = shop.post("/v1/systems/shows/subjects/far/cancel", ahead)[1]["cancelled"]
        self.assertEqual(shop.get(f"/v1/notifications/{cancelled[0]}")[1]["cancelled_by"], "shop")
        shop.post("/v1/cron/shows", {})
        states = dict(run.db.rows("SELECT subject, state FROM notification"))
        self.assertEqual(states, {"q1": "cancelled", "q2": "cancelled", "q3": "scheduled", "far": "cancelled"})

    def test_cron_publishes_what_is_due(self):
        run, backend = self.start(worker=False, people=20)
        run.db.psql("""INSERT INTO scheduled_shows (id, user_id, title, scheduled_at, status) VALUES ('due', 'creator',
            'Show', now() AT TIME ZONE 'UTC' + interval '5 minutes', 'scheduled');""")
        answer = backend("shop").post("/v1/cron/shows", {})
        self.assertEqual(answer[0], 200, answer[1])
        # By this call, or by the producer's own look at the same time, which may be at it still.
        published = until(lambda: run.db.rows("SELECT subject, job_id FROM notification WHERE state = 'published'"),
                          "the show to be published", 30)
        self.assertEqual([s for s, _ in published], ["due"])
        self.assertLessEqual({p["job"] for p in answer[1]["published"]}, {j for _, j in published})
        self.refused(backend("shop").post("/v1/cron/nowhere", {}), 404)
        self.refused(backend("reader").post("/v1/cron/shows", {}), 403)
        self.refused(backend("", token="").post("/v1/cron/shows", {}), 401)

    def test_previews(self):
        run, backend = self.start(worker=False, people=5)
        shop = backend("shop")
        ask = {"system": "shows", "kind": "show.reminder", "locale": "de-AT", "time_zone": "Europe/Berlin",
               "person": {"name": "<Ana>"}, "data": DATA}
        mail = shop.post("/v1/preview", {**ask, "channel": "email"})
        self.assertEqual(mail[0], 200, mail[1])
        self.assertEqual(mail[1]["locale"], "de")
        self.assertIn("Friday &lt;Night&gt;", mail[1]["html"])
        self.assertIn("21:00", mail[1]["text"])
        sms = shop.post("/v1/preview", {**ask, "channel": "sms"})[1]
        self.assertEqual((sms["segments"], sms["encoding"]), (1, "GSM-7"))
        sms = shop.post("/v1/preview", {**ask, "channel": "sms", "data": {**DATA, "title": "\u2603" * 80}})[1]
        self.assertEqual((sms["segments"] > 1, sms["encoding"]), (True, "UCS-2"))
        push = shop.post("/v1/preview", {**ask, "channel": "push"})[1]
        self.assertEqual(push["data"], {"show_id": DATA["show_id"]}, "what the phone gets: no text")
        self.refused(shop.post("/v1/preview", {**ask, "channel": "email", "data": {}}), 422, "unrenderable")
        self.refused(shop.post("/v1/preview", {**ask, "channel": "fax"}), 422, "unknown_channel")
        self.refused(backend("reader").post("/v1/preview", {**ask, "channel": "sms"}), 403)
        sent = shop.post("/v1/test-sends", {"system": "shows", "kind": "show.reminder", "recipient": "p000003",
                                            "channels": ["email"], "data": DATA})
        self.assertEqual(sent[0], 202, sent[1])
        run.worker()
        run.wait_settled(sent[1]["id"])
        self.assertEqual(run.accepted("email", sent[1]["id"]), {"p3@example.com": 1})
        numbers = {**DATA, "price": 250, "seats": 9007199254740993}
        sent = shop.post("/v1/test-sends", {"system": "shows", "kind": "show.reminder", "recipient": "p000003",
                                            "channels": ["email"], "data": numbers})
        kept = shop.get(f"/v1/jobs/{sent[1]['id']}")[1]["data"]
        self.assertEqual((str(kept["price"]), str(kept["seats"])), ("250", "9007199254740993"), "as they were said")

    def test_estimates(self):
        run, backend = self.start(worker=False, people=1000)
        shop = backend("shop")
        job = {"system": "shows", "kind": "show.reminder", "channels": ["email", "sms"], "data": DATA,
               "audience": {"params": {"user_id": "creator"}}}
        for body in ({"job": job, "moments": 8}, {"job": job, "moments": 8, "people": 1000}):
            found = shop.post("/v1/estimate", body)
            self.assertEqual(found[0], 200, found[1])
            costs = {c: v["cost"] for c, v in found[1]["channels"].items()}
            self.assertEqual((costs, found[1]["cost"]), ({"email": "8.00", "sms": "60.00"}, "68.00"))
            self.assertEqual((found[1]["people"], found[1]["exact"]), (1000, True))
        run.db.psql("""UPDATE users SET email = NULL WHERE id <= 'p000100';
            INSERT INTO suppression VALUES (0, 'p200@example.com', 'test', 'test');
            INSERT INTO opt_out (system, channel, list, recipient) VALUES ('shows', 0, 'shows', 'p000300');""")
        found = shop.post("/v1/estimate", {"job": job})[1]["channels"]["email"]
        self.assertEqual(found["left_out"], {"no_address": 100, "invalid_address": 0, "opted_out": 1, "suppressed": 1, "too_often": 0, "duplicates": 0})
        self.assertEqual((found["messages"], found["cost"]), (898, "0.898"))
        self.refused(shop.post("/v1/estimate", {"moments": 1}), 422, "missing_field")
        self.refused(shop.post("/v1/estimate", {"job": job, "moments": 0}), 422, "invalid_value")

    def test_the_examples_of_the_documentation_run(self):
        run, backend = self.start(worker=False, people=5)
        examples = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/api.md").read_text(), re.S)
        self.assertGreaterEqual(len(examples), 6)
        for example in examples:
            done = subprocess.run(["bash", "-c", example], capture_output=True, text=True, timeout=60, env={
                "PATH": run.environment()["PATH"], "API": run.front(), "TOKEN": TOKENS["shop"]})
            self.assertEqual(done.returncode, 0, example + done.stdout + done.stderr)

    def test_the_contract_is_true(self):
        run, backend = self.start(worker=False, people=5)
        text = backend("shop").get("/openapi.yaml")
        self.assertEqual((text[0], text[1]), (200, (ROOT / "docs/openapi.yaml").read_text()))
        tool = self.schemathesis()
        done = subprocess.run(
            [tool, "run", run.front() + "/openapi.yaml", "--url", run.front(), "--header",
             f"Authorization: Bearer {TOKENS['shop']}", "--max-examples", "25", "--seed", "7", "--phases",
             "examples,fuzzing", "--checks", "not_a_server_error,status_code_conformance,"
             "response_schema_conformance,content_type_conformance", "--request-timeout", "30"],
            capture_output=True, text=True, timeout=1100, cwd=run.dir)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])

    def schemathesis(self):
        """The program, in an environment of its own beside the build; skipped without PyPI."""
        place = ROOT / "build/schemathesis"
        tool = place / "bin/schemathesis"
        if not tool.exists():
            made = subprocess.run(f"python3 -m venv {place} && {place}/bin/pip install -q 'schemathesis>=4,<5'",
                                  shell=True, capture_output=True, text=True, timeout=900)
            if made.returncode != 0:
                self.skipTest("NOT CHECKED: schemathesis cannot be installed: " + made.stderr[-300:])
        return str(tool)


if __name__ == "__main__":
    main(at_once=3)
