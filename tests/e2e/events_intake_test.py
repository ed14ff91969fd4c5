#!/usr/bin/env python3
"""CloudEvents by HTTP and Kafka, structured and binary: one event tells everyone once, however often it comes."""

import json
import secrets
import urllib.parse

import broker
from api_case import ApiCase
from collector import Collector
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

    def by_http(self, backend, event, binary=False, **more):
        if not binary:
            return backend.post("/v1/events", json.dumps(event).encode(), Content_Type=STRUCTURED, **more)
        headers = {f"ce_{k}": urllib.parse.quote(v, safe="/:") for k, v in event.items()
                   if k not in ("data", "datacontenttype")}
        return backend.post("/v1/events", json.dumps(event["data"]).encode(), Content_Type="application/json", **headers,
                            **more)

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

    def assert_traced(self, run, collector, trace, parent, first, job, channel="email"):
        """From what came to the provider's request: every span is below the one it came from, and the log says it."""
        found = collector.of(trace)
        self.assertEqual(set(found), {first, "plan", "chunk", "request"} - {None}, f"of job {job}")
        for name, spans in found.items():
            self.assertEqual({s["attributes"]["fanfare.job"] for s in spans}, {job}, name)
            self.assertEqual({s["status"].get("code", 0) for s in spans}, {0}, name)
        if first:
            (begun,) = found[first]
            self.assertEqual(begun.get("parentSpanId"), parent)
            self.assertEqual(begun["kind"], {"schedule": 4, "intake": 5}[first])
            self.assertEqual(begun["resource"]["service.name"],
                             {"schedule": "fanfare-producer", "intake": "fanfare-worker"}[first])
            parent = begun["spanId"]
        for name in ("plan", "chunk"):
            self.assertEqual({s["parentSpanId"] for s in found[name]}, {parent}, name)
        chunks = {s["spanId"]: s for s in found["chunk"]}
        for request in found["request"]:
            chunk = chunks[request["parentSpanId"]]
            self.assertEqual((request["kind"], request["attributes"]["http.response.status_code"] // 100), (3, 2))
            self.assertLessEqual(int(chunk["startTimeUnixNano"]), int(request["startTimeUnixNano"]))
            self.assertLessEqual(int(request["endTimeUnixNano"]), int(chunk["endTimeUnixNano"]))
        self.assertEqual(sum(s["attributes"]["fanfare.recipients"] for s in found["request"]), PEOPLE)
        self.assertEqual(sum(s["attributes"]["fanfare.outcome.sent"] for s in found["chunk"]), PEOPLE)
        self.assertEqual(sum(s["attributes"][f"fanfare.planned.{channel}"] for s in found["plan"]), PEOPLE)
        logged = [json.loads(line) for file in run.dir.glob("worker*.log") for line in file.read_text().splitlines()]
        mine = [line for line in logged if f"job {job} " in line["message"]]
        self.assertGreaterEqual(len(mine), 2, "planned, and done")
        self.assertEqual({line.get("trace") for line in mine}, {trace})

    def test_one_event_tells_everyone_once(self):
        collector = Collector()
        self.addCleanup(collector.stop)
        called, came, recorded, unwanted = (secrets.token_hex(16) for _ in range(4))
        parent = "00f067aa0ba902b7"
        run, backend = self.start(people=PEOPLE, prepare=lambda r: r.settings["observe"].update(otlp=collector.url))
        shop = backend("shop")
        event = self.event(run, "http")
        # Each try is of another trace, as retries are: the first one counts.
        answers = [self.by_http(shop, event, binary, Traceparent=f"00-{trace}-{parent}-01", Tracestate="a=1")
                   for binary, trace in ((False, called), (True, secrets.token_hex(16)), (False, secrets.token_hex(16)),
                                         (True, called))]
        self.assertEqual({(status, body.get("id")) for status, body, _ in answers}, {(202, answers[0][1].get("id"))})
        job = answers[0][1]["id"]
        self.assertEqual(answers[1][2]["Location"], f"/v1/jobs/{job}")
        # The same name with other content; the same event of somebody else.
        changed = {**event, "data": {**event["data"], "lane": "urgent"}}
        self.refused(self.by_http(shop, changed, binary=True), 409, "key_reused")
        others = self.by_http(backend("other"), event)
        self.assertEqual(others[0], 202, others[1])
        # On Kafka the backends are one: structured or binary, it is one event.
        first = self.event(run, "kafka", traceparent=f"00-{came}-{parent}-01")
        second = self.event(run, "kafka", source="/till", traceparent="00-no-trace-01")
        self.by_kafka(run, (first, False), (first, True), (second, True), (second, False), (first, True), (first, False))
        self.by_kafka(run, (first, True), (first, False))
        last = run.job(channels=["sms"])
        broker.publish(run.brokers, run.name + ".jobs", [
            (b"", json.dumps(last).encode(), {"traceparent": f"00-{recorded}-{parent}-01", "tracestate": "b=2"})])
        last = last["id"]
        until(lambda: run.db.value("SELECT count(*) FROM job") == "5", lambda: "5 jobs" + run.progress(), 60)
        jobs = {one for (one,) in run.db.rows(f"SELECT id FROM job WHERE id <> '{last}'")}
        run.wait_settled(last, *jobs)
        self.assertLess({job, others[1]["id"]}, jobs)
        for one in jobs:
            self.assert_told_once(run, one, channels=("email",))
        self.assertEqual(run.sim.count("mailgun", "accepted"), 4 * PEOPLE)
        self.assertEqual(shop.get(f"/v1/jobs/{job}")[1]["source"], "shop")
        self.refused(shop.get(f"/v1/jobs/{others[1]['id']}"), 404)
        self.followed(run, collector, shop, {"called": called, "came": came, "recorded": recorded, "unwanted": unwanted},
                      parent, job, last)

    def followed(self, run, collector, shop, traces, parent, job, last):
        """The traces of what was told, as a collector has them."""
        # One whose caller wants no spans: its trace is in the log all the same.
        order = self.order(run, channels=["email"])
        quiet = shop.post("/v1/jobs", order, Traceparent=f"00-{traces['unwanted']}-{parent}-00")[1]["id"]
        run.wait_settled(quiet)
        kept = dict(run.db.rows("SELECT id, trace FROM job WHERE trace IS NOT NULL"))
        self.assertEqual(len(kept), 6, "each is of a trace")
        self.assertEqual(kept[quiet], f"00-{traces['unwanted']}-{parent}-00")
        self.assertEqual(kept[last], f"00-{traces['recorded']}-{parent}-01 b=2")
        self.assertTrue(kept[job].startswith(f"00-{traces['called']}-") and kept[job].endswith("-01 a=1"), kept[job])
        for process in run.processes[1:]:
            process.end()  # What waits is sent before the end.
        self.assertEqual(collector.faults, [])
        self.assert_traced(run, collector, traces["called"], parent, "schedule", job)
        self.assertEqual({s["traceState"] for spans in collector.of(traces["called"]).values() for s in spans}, {"a=1"})
        (event,) = (one for one, text in kept.items() if traces["came"] in text)
        self.assert_traced(run, collector, traces["came"], parent, None, event)
        self.assert_traced(run, collector, traces["recorded"], parent, None, last, "sms")
        self.assertEqual(collector.of(traces["unwanted"]), {})
        # The one whose traceparent is none, and the one that had none: traces that began here.
        begun = {s["attributes"]["fanfare.job"]: s for s in collector.spans if "parentSpanId" not in s}
        self.assertEqual(set(begun), set(kept) - {job, event, last, quiet})
        for one, span in begun.items():
            self.assert_traced(run, collector, span["traceId"], None, span["name"], one)
        text = json.dumps(collector.spans)
        for secret in ("@example.com", "+1555", "viewer", "Mira"):
            self.assertNotIn(secret, text)

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
        dead = broker.read(run.brokers, run.name + ".dead", PARTITIONS, 2 * len(cases))
        self.assertEqual(sorted(headers["fanfare-reason"] for _, headers in dead),
                         sorted(code for _, code, _ in cases for _ in range(2)))
        for value, headers in dead:
            self.assertGreater(len(headers["fanfare-message"]), 10)
            self.assertIn(b"show.", value, "its bytes, as they came")
        self.assertEqual(run.db.value("SELECT count(*) FROM job"), "0")
        self.assertEqual(run.db.value("SELECT count(*) FROM api_request"), "0")


if __name__ == "__main__":
    main()
