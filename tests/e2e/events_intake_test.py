#!/usr/bin/env python3
"""CloudEvents by HTTP and Kafka, structured and binary: one event tells everyone once, however often it comes."""

import json
import urllib.parse

import broker
from api_case import ApiCase
from harness import PARTITIONS, main, until

PEOPLE = 25
STRUCTURED = "application/cloudevents+json; charset=utf-8"


class EventsIntake(ApiCase):
    def event(self, run, name, **more):
        """An event whose id and source need encoding in headers."""
        job = self.order(run, channels=["email"])
        return {"specversion": "1.0", "type": "fanfare.job.v1", "source": "/café/shows", "id": f"50% of {name}",
                "time": "2026-11-20T19:30:00Z", "partitionkey": "any", "datacontenttype": "application/json",
                "data": job, **more}

    def by_http(self, backend, event, binary=False):
        if not binary:
            return backend.post("/v1/events", json.dumps(event).encode(), Content_Type=STRUCTURED)
        headers = {f"ce_{k}": urllib.parse.quote(v, safe="/:") for k, v in event.items()
                   if k not in ("data", "datacontenttype")}
        return backend.post("/v1/events", json.dumps(event["data"]).encode(), Content_Type="application/json", **headers)

    def by_kafka(self, run, *events):
        """(event, binary) pairs."""
        records = []
        for event, binary in events:
            if binary:
                headers = {f"ce_{k}": v for k, v in event.items() if k not in ("data", "datacontenttype")}
                records.append((b"", json.dumps(event["data"]).encode(), {**headers, "content-type": "application/json"}))
            else:
                records.append((b"", json.dumps(event).encode(), {"content-type": STRUCTURED}))
        broker.publish(run.brokers, run.name + ".jobs", records)

    def test_one_event_tells_everyone_once(self):
        run, backend = self.start(people=PEOPLE)
        shop = backend("shop")
        event = self.event(run, "http")
        answers = [self.by_http(shop, event, binary) for binary in (False, True, False, True)]
        self.assertEqual({(status, body.get("id")) for status, body, _ in answers}, {(202, answers[0][1].get("id"))})
        job = answers[0][1]["id"]
        self.assertEqual(answers[1][2]["Location"], f"/v1/jobs/{job}")
        # The same name with other content; the same event of somebody else.
        changed = {**event, "data": {**event["data"], "lane": "urgent"}}
        self.refused(self.by_http(shop, changed, binary=True), 409, "key_reused")
        others = self.by_http(backend("other"), event)
        self.assertEqual(others[0], 202, others[1])
        # On Kafka the backends are one: structured or binary, it is one event.
        first, second = self.event(run, "kafka"), self.event(run, "kafka", source="/till")
        self.by_kafka(run, (first, False), (first, True), (second, True), (second, False), (first, True), (first, False))
        self.by_kafka(run, (first, True), (first, False))
        last = run.publish(run.job(channels=["sms"]))
        until(lambda: run.db.value("SELECT count(*) FROM job") == "5", lambda: "5 jobs" + run.progress(), 60)
        jobs = {one for (one,) in run.db.rows(f"SELECT id FROM job WHERE id <> '{last}'")}
        run.wait_settled(last, *jobs)
        self.assertLess({job, others[1]["id"]}, jobs)
        for one in jobs:
            self.assert_told_once(run, one, channels=("email",))
        self.assertEqual(run.sim.count("mailgun", "accepted"), 4 * PEOPLE)
        self.assertEqual(shop.get(f"/v1/jobs/{job}")[1]["source"], "shop")
        self.refused(shop.get(f"/v1/jobs/{others[1]['id']}"), 404)

    def test_bad_ones_are_told_why(self):
        run, backend = self.start(people=5)
        shop, good = backend("shop"), self.event(run, "bad")
        cases = [  # (status over HTTP, code, event)
            (422, "invalid_event", {**good, "specversion": "0.3"}),
            (422, "invalid_event", {**good, "source": "two words"}),
            (422, "unknown_event_type", {**good, "type": "order.paid"}),
            (422, "unknown_kind", {**good, "data": {**good["data"], "kind": "show.gone"}}),
            (422, "missing_parameter", {**good, "data": {**good["data"], "audience": {"name": "followers"}}}),
        ]
        for status, code, event in cases:
            for binary in (False, True):
                with self.subTest(code=code, binary=binary):
                    self.refused(self.by_http(shop, event, binary), status, code)
        self.refused(shop.post("/v1/events", b"{", Content_Type=STRUCTURED), 400, "not_json")
        self.refused(shop.post("/v1/events", b"[]", Content_Type="application/cloudevents-batch+json"), 415, "no_batches")
        self.refused(shop.post("/v1/events", b"<a/>", Content_Type="application/cloudevents+xml"), 415)
        self.refused(shop.post("/v1/events", good["data"]), 422, "invalid_event")
        self.refused(shop.post("/v1/events", b" " * 1_100_000, Content_Type=STRUCTURED), 413)
        for client, status in ((backend("", token=""), 401), (backend("shop", token="x" * 40), 401),
                               (backend("reader"), 403), (backend("abroad"), 403)):
            self.refused(self.by_http(client, good), status)
        self.by_kafka(run, *((event, binary) for _, _, event in cases for binary in (False, True)))
        dead = broker.read(run.brokers, run.name + ".dead", PARTITIONS, 2 * len(cases), 30)
        self.assertEqual(sorted(headers["fanfare-reason"] for _, headers in dead),
                         sorted(code for _, code, _ in cases for _ in range(2)))
        for value, headers in dead:
            self.assertGreater(len(headers["fanfare-message"]), 10)
            self.assertIn(b"show.", value, "its bytes, as they came")
        self.assertEqual(run.db.value("SELECT count(*) FROM job"), "0")
        self.assertEqual(run.db.value("SELECT count(*) FROM api_request"), "0")


if __name__ == "__main__":
    main()
