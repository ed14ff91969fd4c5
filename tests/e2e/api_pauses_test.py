#!/usr/bin/env python3
"""Pauses and accounts by the API: who may hold back what, and that workers obey."""

from api_case import PEOPLE, ApiCase
from harness import main, until


class ApiPauses(ApiCase):
    def test_an_operator_holds_back_and_lets_go(self):
        run, backend = self.start()
        shop, admin = backend("shop"), backend("admin")
        status, paused, _ = shop.post("/v1/pauses", {"channel": "sms", "because": "a freeze", "for_s": 3600})
        self.assertEqual((status, paused["channel"], paused["who"]), (201, "sms", "shop"))
        self.assertIsNotNone(paused["until"])
        self.assertEqual(shop.get("/v1/pauses")[1]["pauses"], [paused])
        self.assertEqual({a["name"]: a["health"] for a in shop.get("/v1/accounts")[1]["accounts"]}["e2e-twilio"], "paused")
        job = shop.post("/v1/jobs", self.order(run, channels=["sms", "push"]))[1]["id"]
        until(lambda: run.told(job)["push"] == PEOPLE, lambda: "push" + run.progress(), 60)
        self.assertEqual(run.told(job)["sms"], 0)
        # Named in any case, held by its one name.
        self.assertEqual(shop.post("/v1/pauses", {"job": job.upper(), "because": "x"})[1]["job"], job)
        self.assertEqual(run.db.value(f"SELECT count(*) FROM pause WHERE what = 'job' AND name = '{job}'"), "1")
        self.assertEqual(shop.call("DELETE", "/v1/pauses?job=" + job.upper())[0], 200)
        self.assertEqual(shop.call("DELETE", "/v1/pauses?channel=sms")[0], 200)
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=["sms", "push"])
        until(lambda: shop.get("/v1/jobs/" + job)[1]["finished_at"], "the job to end", 60)
        self.refused(shop.post("/v1/pauses", {"job": job, "because": "x"}), 409, "job_over")
        self.refused(shop.call("DELETE", "/v1/pauses?channel=sms"), 404, "not_found")
        status, account, _ = admin.call("PUT", "/v1/accounts/e2e-twilio/rate", {"per_second": 30})
        self.assertEqual((status, account["rate"], account["rate_set_by"]), (200, 30, "admin"))
        status, account, _ = admin.call("DELETE", "/v1/accounts/e2e-twilio/rate")
        self.assertEqual((status, account["rate_set_by"]), (200, None))
        self.refused(admin.call("PUT", "/v1/accounts/nobody/rate", {"per_second": 30}), 404, "not_found")
        self.refused(admin.call("PUT", "/v1/accounts/e2e-twilio/rate", {"per_second": 0}), 422)
        self.refused(admin.call("PUT", "/v1/accounts/e2e-twilio/rate", {}), 422)

    def test_what_is_no_pause_is_refused(self):
        _, backend = self.start(worker=False)
        shop = backend("shop")
        why = {"because": "x"}
        for body, status in (({"channel": "sms"}, 422), (why, 422), ({**why, "channel": "sms", "kind": "a/b"}, 422),
                             ({**why, "channel": "pigeon"}, 404), ({**why, "kind": "shows/none"}, 404),
                             ({**why, "account": "none"}, 404), ({**why, "job": "seven"}, 404),
                             ({**why, "job": "0b54b6a8-93d5-5a3b-9d1e-6f2f6b0f3c11"}, 404),
                             ({**why, "channel": "sms", "until": "2020-01-01T00:00:00Z"}, 422),
                             ({**why, "channel": "sms", "until": "2099-01-01T00:00:00Z", "for_s": 5}, 422),
                             ({**why, "channel": "sms", "surprise": 1}, 422)):
            with self.subTest(body=body):
                self.refused(shop.post("/v1/pauses", body), status)
        for query in ("", "?channel=sms&kind=a", "?job=seven"):
            self.assertIn(shop.call("DELETE", "/v1/pauses" + query)[0], (400, 404), query)
        self.refused(backend("reader").post("/v1/pauses", {**why, "channel": "sms"}), 403, "scope_missing")

    def test_owners_hold_back_their_own_jobs_only(self):
        run, backend = self.start(worker=False)
        shop, tenant, rival, admin = (backend(name) for name in ("shop", "tenant", "rival", "admin"))
        why = {"because": "x"}
        job = shop.post("/v1/jobs", self.order(run))[1]["id"]
        own = tenant.post("/v1/jobs", self.order(run, audience={"name": "followers"}))[1]["id"]
        self.refused(tenant.post("/v1/pauses", {**why, "job": job}), 404, "not_found")
        for target in ({"channel": "sms"}, {"kind": "shows/show.reminder"}, {"account": "e2e-twilio"}):
            self.refused(tenant.post("/v1/pauses", {**why, **target}), 403, "owner_denied")
        self.refused(tenant.get("/v1/accounts"), 403, "owner_denied")
        self.refused(tenant.call("PUT", "/v1/accounts/e2e-twilio/rate", {"per_second": 3}), 403, "owner_denied")
        self.assertEqual(tenant.post("/v1/pauses", {**why, "job": own})[0], 201)
        self.assertEqual(shop.post("/v1/pauses", {**why, "channel": "sms"})[0], 201)
        self.assertEqual([p.get("job") for p in tenant.get("/v1/pauses")[1]["pauses"]], [own])
        self.assertEqual(rival.get("/v1/pauses")[1]["pauses"], [])
        self.refused(rival.call("DELETE", f"/v1/pauses?job={own}"), 404, "not_found")
        self.assertEqual(tenant.call("DELETE", f"/v1/pauses?job={own}")[0], 200)
        # What an operator holds back, its owner does not let go, shorten or take over.
        self.assertEqual(admin.post("/v1/pauses", {"because": "a wrong text", "job": own})[0], 201)
        self.refused(tenant.post("/v1/pauses", {**why, "job": own, "for_s": 1}), 403, "owner_denied")
        self.refused(tenant.call("DELETE", f"/v1/pauses?job={own}"), 404, "not_found")
        held = [p for p in admin.get("/v1/pauses")[1]["pauses"] if p.get("job") == own]
        self.assertEqual([(p["who"], p["until"]) for p in held], [("admin", None)])
        self.assertEqual(admin.call("DELETE", f"/v1/pauses?job={own}")[0], 200)


if __name__ == "__main__":
    main()
