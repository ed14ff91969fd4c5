#!/usr/bin/env python3
"""Dead letters by the API: shown whole, mended and published once more, once for all, by those who may."""

import base64
import json
import threading

import broker
from api_case import ApiCase
from harness import main, until


class ApiDeadLetters(ApiCase):
    def letters(self, backend, count, query=""):
        def look():
            status, page, _ = backend.get("/v1/dead-letters" + query)
            self.assertEqual(status, 200, page)
            return page if len(page["dead_letters"]) == count else None
        return until(look, f"{count} letters", 60)

    def test_shown_mended_requeued_twice_is_one_job(self):
        run, backend = self.start(people=30)
        shop, admin = backend("shop"), backend("admin")
        self.assertEqual(shop.get("/v1/dead-letters")[1], {"dead_letters": [], "more": False, "next_cursor": None})
        good = run.job(channels=["sms"])
        bad = json.dumps({**good, "channels": ["pigeon"]})
        broker.publish(run.brokers, run.name + ".jobs", [(b"the-key", bad.encode()), (b"k", b"\xff\xfe no text")])
        lines = {letter["key"]: letter for letter in self.letters(shop, 2)["dead_letters"]}
        line = lines["the-key"]
        self.assertEqual((line["reason"], line["bytes"], line["fate"]), ("unknown_channel", len(bad), None))
        path = f"/v1/dead-letters/{line['letter']}"
        shown = shop.get(path)[1]
        self.assertEqual((shown["payload"], shown["payload_base64"], shown["payload_is_whole"]), (bad, None, True))
        odd = shop.get(f"/v1/dead-letters/{lines['k']['letter']}")[1]
        self.assertEqual((odd["payload"], base64.b64decode(odd["payload_base64"])), (None, b"\xff\xfe no text"))
        page = self.letters(shop, 1, "?limit=1")
        self.assertTrue(page["more"])
        last = self.letters(shop, 1, "?limit=1&cursor=" + page["next_cursor"])
        self.assertEqual({page["dead_letters"][0]["key"], last["dead_letters"][0]["key"]}, {"the-key", "k"})
        self.assertEqual((last["more"], last["next_cursor"]), (False, None))

        answers = []
        mended = {"payload": bad.replace("pigeon", "sms")}
        both = [threading.Thread(target=lambda: answers.append(shop.post(path + "/requeue", mended))) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        self.assertEqual(sorted(status for status, _, _ in answers), [200, 409], answers)
        self.refused(admin.post(path + "/requeue"), 409, "letter_sealed")
        self.refused(admin.post(path + "/drop"), 409, "letter_sealed")
        run.wait_settled(good["id"])
        self.assertEqual(sum(run.accepted("sms", good["id"]).values()), 30)
        self.assertEqual(run.db.value("SELECT count(*) FROM job"), "1")

        self.assertEqual(admin.post(f"/v1/dead-letters/{lines['k']['letter']}/drop")[1]["fate"], "dropped")
        self.assertEqual(shop.get("/v1/dead-letters")[1]["dead_letters"], [])
        fates = {letter["key"]: (letter["fate"], letter["fate_by"]) for letter in
                 shop.get("/v1/dead-letters?all=true")[1]["dead_letters"]}
        self.assertEqual(fates, {"the-key": ("requeued", "shop"), "k": ("dropped", "admin")})

    def test_one_that_is_refused_again_is_another_letter(self):
        run, backend = self.start(people=5)
        shop = backend("shop")
        run.publish(b"no job at all")
        first = self.letters(shop, 1)["dead_letters"][0]["letter"]
        for payload in ("{", '{"system": "none"}'):
            self.refused(shop.post(f"/v1/dead-letters/{first}/requeue", {"payload": payload}), 422)
        self.assertEqual(shop.post(f"/v1/dead-letters/{first}/requeue")[0], 200)
        second = self.letters(shop, 1)["dead_letters"][0]["letter"]
        self.assertNotEqual(first, second)

    def test_who_may_not_and_what_is_none(self):
        _, backend = self.start(worker=False)
        shop = backend("shop")
        none = "/v1/dead-letters/" + 64 * "0"
        for name, code in (("reader", "scope_missing"), ("tenant", "owner_denied"), ("abroad", "owner_denied")):
            self.refused(backend(name).get("/v1/dead-letters"), 403, code)
            self.refused(backend(name).get(none), 403, code)
            self.refused(backend(name).post(none + "/requeue"), 403, code)
            self.refused(backend(name).post(none + "/drop"), 403, code)
        self.refused(shop.get(none), 404, "not_found")
        self.refused(shop.get("/v1/dead-letters/abcd"), 404, "not_found")
        self.refused(shop.post(none + "/requeue"), 404, "not_found")
        self.refused(shop.post(none + "/requeue", {"payload": 7}), 422, "wrong_type")
        self.refused(shop.post(none + "/requeue", {"x": 7}), 422, "unknown_field")
        for query in ("?all=1", "?limit=0", "?x=1", "?cursor=zzz", "?cursor=ZGVhZCA"):
            self.refused(shop.get("/v1/dead-letters" + query), 400, "invalid_query")


if __name__ == "__main__":
    main()
