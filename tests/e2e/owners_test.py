#!/usr/bin/env python3
"""Clients bound to an owner: every door shows what is theirs, and tells nothing of what others have."""

import uuid

from api_case import ApiCase
from api_schedule_test import DATA, moment
from harness import ROOT, main, until

MINE, THEIRS, BOTH = ("p000001", "p000002", "p000003"), ("p000006", "p000007"), ("p000004", "p000005")
REMINDER = {"system": "shows", "kind": "show.reminder", "channels": ["email"], "data": DATA}
OFFER = {"system": "shows", "kind": "offer", "subject": "sale", "occurrence": "2030-01-01T20:00:00Z",
         "due_at": "2030-01-01T19:00:00Z", "data": {"title": "T", "body": "B"}}


class Owners(ApiCase):
    def start_with_owners(self):
        text = (ROOT / "config/systems/shows/system.yaml").read_text()
        text = text.replace("AS expires_at,", "AS expires_at, s.user_id AS owner,", 1)
        text = text.replace("kinds:\n", "kinds:\n  offer: {audience: followers, channels: [push, email], "
                            "templates: generic, person_defaults: {name: there}}\n", 1)
        run, backend = self.start(people=20, system=text)
        run.db.psql("INSERT INTO users (id, username) VALUES ('tenant-a', 'Ann'), ('tenant-b', 'Bea');")
        for owner, people in (("tenant-a", MINE + BOTH), ("tenant-b", THEIRS + BOTH)):
            run.db.load("followers (follower_id, followed_id)", [(p, owner) for p in people])
            run.db.psql(f"""INSERT INTO scheduled_shows (id, user_id, title, scheduled_at) VALUES
                ('show-of-{owner}', '{owner}', 'Show', now() AT TIME ZONE 'UTC' + interval '40 minutes');""")
        until(lambda: run.db.value("SELECT count(*) FROM notification WHERE source LIKE 'tenant-%'") == "2",
              "the due query to find both shows", 30)
        return run, backend

    def said(self, answer):
        """All that a refusal tells."""
        return answer[0], answer[1]["code"], answer[1]["detail"]

    def test_what_others_have_is_as_what_does_not_exist(self):
        run, backend = self.start_with_owners()
        tenant, rival = backend("tenant"), backend("rival")
        job = rival.post("/v1/jobs", REMINDER)
        self.assertEqual(job[0], 202, job[1])
        found = run.db.value("SELECT job_id FROM notification WHERE source = 'tenant-b'")
        nothing, later = str(uuid.uuid4()), {"due_at": moment(300)}
        for method, path, theirs, body in (
                ("GET", "/v1/jobs/{}", job[1]["id"], None), ("GET", "/v1/jobs/{}/outcomes", job[1]["id"], None),
                ("GET", "/v1/jobs/{}/recipients/p000004", job[1]["id"], None),
                ("POST", "/v1/jobs/{}/cancel", job[1]["id"], {}), ("GET", "/v1/notifications/{}", found, None),
                ("PATCH", "/v1/notifications/{}", found, later), ("POST", "/v1/notifications/{}/cancel", found, {}),
                ("POST", "/v1/notifications/{}/send-now", found, {})):
            with self.subTest(method + " " + path):
                answers = [self.said(tenant.call(method, path.format(i), body)) for i in (theirs, nothing)]
                self.assertEqual(answers[0], answers[1])
                self.assertEqual(answers[0][0], 404)
        self.subjects(tenant)
        self.orders(tenant)
        self.schedules(run, tenant, rival)
        for path in ("/v1/jobs", "/v1/notifications?subject=show-of-tenant-b", "/v1/notifications?subject=gone"):
            self.assertEqual([v for v in tenant.get(path)[1].values() if v], [], path)
        state = run.db.value(f"SELECT state FROM notification WHERE job_id = '{found}'")
        self.assertEqual(state, "scheduled", "untouched")

    def subjects(self, tenant):
        def about(subject, path, body=None):
            status, document, _ = tenant.call("GET" if body is None else "POST",
                                              f"/v1/systems/shows/subjects/{subject}{path}", body)
            return status, {k: v for k, v in document.items() if k != "subject"}

        one = {"kind": "show.reminder", "occurrence": "2030-01-01T20:00:00Z"}
        for path, body in (("", None), ("/cancel", {}), ("/cancel", one), ("/notify", {"kind": "show.reminder"})):
            with self.subTest(path=path, body=body):
                self.assertEqual(about("show-of-tenant-b", path, body), about("gone", path, body))

    def orders(self, tenant):
        """Who is reached, and what is told of the others."""
        for path, wrap in (("/v1/jobs", lambda job: job), ("/v1/estimate", lambda job: {"job": job})):
            def ask(path=path, wrap=wrap, **audience):
                return tenant.post(path, wrap({**REMINDER, "audience": audience}))

            with self.subTest(path):
                answers = {self.said(ask(params={"user_id": who})) for who in ("tenant-b", "gone")}
                self.assertEqual({a[:2] for a in answers}, {(403, "owner_denied")})
                self.assertEqual(len(answers), 1)
                self.refused(ask(name="everyone"), 403, "owner_denied")
                answers = {self.said(ask(recipients=[who])) for who in (THEIRS[0], "p000019", "gone")}
                self.assertEqual({a[:2] for a in answers}, {(422, "unknown_recipients")})
                self.assertEqual(len(answers), 1)
        self.refused(tenant.post("/v1/jobs", {**REMINDER, "subject": "show-of-tenant-b"}), 403, "owner_denied")
        self.refused(tenant.post("/v1/jobs", {**REMINDER, "kind": "show.cancelled", "subject": "show-of-tenant-b"}),
                     403, "owner_denied")
        for who in (THEIRS[0], "gone"):
            test = {"system": "shows", "kind": "show.reminder", "recipient": who, "channels": ["email"], "data": DATA}
            self.refused(tenant.post("/v1/test-sends", test), 422, "unknown_recipients")
            self.refused(tenant.get(f"/v1/systems/shows/recipients/{who}/opt-outs"), 403, "owner_denied")
            for change in ("unsubscribe", "resubscribe"):
                self.refused(tenant.post(f"/v1/systems/shows/recipients/{who}/{change}", {}), 403, "owner_denied")
        estimate = tenant.post("/v1/estimate", {"job": REMINDER})[1]
        self.assertEqual(estimate["people"], len(MINE + BOTH))
        people = "/v1/systems/shows/audiences/{}/people"
        listed = tenant.get(people.format("followers"))
        self.assertEqual((listed[0], {p["recipient"] for p in listed[1]["people"]}), (200, set(MINE + BOTH)))
        answers = {self.said(tenant.get(people.format("followers") + f"?param.user_id={who}"))
                   for who in ("tenant-b", "gone")}
        self.assertEqual({a[:2] for a in answers}, {(403, "owner_denied")})
        self.assertEqual(len(answers), 1)
        self.refused(tenant.get(people.format("everyone")), 403, "owner_denied")

    def schedules(self, run, tenant, rival):
        """One name of a subject is each owner's own; what due queries find is nobody's to take."""
        starts = run.db.value("""SELECT to_char(scheduled_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM scheduled_shows
                                 WHERE id = 'show-of-tenant-b';""")
        for subject in ("show-of-tenant-b", "gone"):
            planted = {"system": "shows", "kind": "show.reminder", "subject": subject, "occurrence": starts,
                       "due_at": "9999-01-01T00:00:00Z", "data": DATA}
            self.refused(tenant.post("/v1/notifications", planted), 403, "owner_denied")
        self.assertEqual([who.post("/v1/notifications", OFFER)[0] for who in (rival, tenant, tenant)], [201, 201, 200])
        mine, = tenant.get("/v1/notifications?subject=sale")[1]["notifications"]
        self.assertEqual((mine["subject"], mine["params"], mine["source"]), ("sale", {"user_id": "tenant-a"}, "tenant-a"))
        self.refused(tenant.call("PATCH", f"/v1/notifications/{mine['id']}", {"params": {"user_id": "tenant-b"}}),
                     403, "owner_denied")
        one = {"kind": "offer", "occurrence": OFFER["occurrence"]}
        cancelled = tenant.post("/v1/systems/shows/subjects/sale/cancel", one)[1]["cancelled"]
        self.assertEqual(cancelled, [mine["id"]])
        theirs, = rival.get("/v1/notifications?subject=sale")[1]["notifications"]
        self.assertEqual(theirs["state"], "scheduled")
        self.assertEqual(tenant.get("/v1/notifications?state=scheduled&subject=sale")[1]["notifications"], [])
        # Leaves the lists as they were.
        run.db.psql("DELETE FROM notification WHERE kind = 'offer'")

    def test_only_their_own_people_are_told(self):
        run, backend = self.start_with_owners()
        tenant = backend("tenant")
        listed = [MINE[0], THEIRS[0], "gone", BOTH[0]]
        whole = tenant.post("/v1/jobs", REMINDER)
        part = tenant.post("/v1/jobs", {**REMINDER, "audience": {"recipients": listed}}, Idempotency_Key="part")
        self.assertEqual((whole[0], part[0], part[1]["left_out"]), (202, 202, 2), (whole[1], part[1]))
        again = tenant.post("/v1/jobs", {**REMINDER, "audience": {"recipients": listed}}, Idempotency_Key="part")
        self.assertEqual((again[0], again[1]), (202, part[1]))
        jobs = whole[1]["id"], part[1]["id"]
        run.wait_settled(*jobs)
        planned = [{who for _, who in run.fates(job)} for job in jobs]
        self.assertEqual(planned, [set(MINE + BOTH), {MINE[0], BOTH[0]}])

    def test_cron_answers_with_what_is_theirs(self):
        run, backend = self.start_with_owners()
        run.db.psql("UPDATE scheduled_shows SET scheduled_at = now() AT TIME ZONE 'UTC' + interval '5 minutes'")
        answer = backend("tenant").post("/v1/cron/shows", {})
        self.assertEqual(answer[0], 200, answer[1])
        self.assertLessEqual({p["subject"] for p in answer[1]["published"]}, {"show-of-tenant-a"})
        self.assertLessEqual(max(answer[1]["found"], answer[1]["changed"], answer[1]["cancelled"]), 1)


if __name__ == "__main__":
    main()
