#!/usr/bin/env python3
"""What is no job ends on the dead letters with its reason; the next good job goes through."""

import json
import shutil

import broker
from harness import PARTITIONS, ROOT, EndToEnd, main, until


class BadInput(EndToEnd):
    def test_each_ends_on_the_dead_letters(self):
        run = self.new_run()
        run.people(20)
        shutil.copytree(ROOT / "config/systems", run.dir / "systems")
        system = run.dir / "systems/shows/system.yaml"
        text = system.read_text()
        self.assertIn("\nkinds:\n", text)
        self.assertIn("\naudiences:\n", "\n" + text)
        text = ("\n" + text).replace("\naudiences:\n", "\naudiences:\n  by_length: SELECT follower_id AS recipient_id "
                                    "FROM followers WHERE length(followed_id) = :length::integer\n", 1)
        system.write_text(text.replace("\nkinds:\n", "\nkinds:\n  bare:\n    audience: followers\n    channels: [email]\n"
                                       "    templates: nowhere\n  leaning:\n    audience: followers\n    channels: [email]\n"
                                       "    templates: stream.live\n    fallback: {email: push}\n", 1))
        run.settings["systems_dir"] = str(run.dir / "systems")
        worker = run.worker()

        def job(**changes):
            return json.dumps({**run.job(), **changes}).encode()

        good = job()
        cases = [  # (code, message)
            ("unknown_audience", job(audience={"name": "nobody-knows"})),
            ("missing_parameter", job(audience={"name": "followers"})),
            ("surplus_parameter", job(audience={"name": "followers", "params": {"user_id": "a", "x": "b"}})),
            ("unknown_kind", job(kind="show.nothing")),
            ("unknown_system", job(system="nowhere")),
            ("unknown_template", job(kind="bare", channels=["email"])),
            ("unknown_template", job(kind="leaning", channels=["email"])),
            ("missing_variable", job(data={})),
            ("missing_variable", job(data={k: v for k, v in run.job()["data"].items() if k != "starts_at"})),
            ("invalid_timestamp", job(data={**run.job()["data"], "starts_at": "when"})),
            ("invalid_timestamp", job(data={**run.job()["data"], "starts_at": "2026-02-30T19:30:00Z"})),
            ("invalid_parameter", job(audience={"name": "by_length", "params": {"length": "ten"}})),
            ("unrenderable", job(data={**run.job()["data"], "title": "x" * 300_000})),
            ("not_json", b"\xef\xbb\xbf" + good),
            ("not_json", b"\0\0\0\0\7" + good),
            ("unknown_channel", job(channels=["email", "pigeon"])),
            ("negative_expiry", job(ttl_s=-5)),
            ("invalid_timestamp", job(expires_at="tomorrow")),
            ("too_many_recipients", job(audience={"recipients": [f"p{n}" for n in range(11_000)]})),
            ("not_json", good.replace(b"Friday", b"Fri\xff\xfeday")),
            ("too_large", job(data={"title": "x" * 2_000_000})),
            ("not_json", b"hello, this is no JSON"),
            ("not_json", b""),
            ("not_json", good[:-1]),
            ("wrong_type", b"[]"),
            ("duplicate_key", b'{"kind":"show.reminder",' + good[1:]),
            ("nul_character", job(data={"title": "a\x00b"})),
            ("too_deep", b"[" * 100 + b"]" * 100),
            ("unknown_field", job(surprise=1)),
            ("invalid_id", job(id="seven")),
        ]
        # What no check knows of, and PostgreSQL never takes.
        run.db.psql("""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.subject = 'never' THEN RAISE SQLSTATE '22021'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON job FOR EACH ROW EXECUTE FUNCTION refuse();""")
        cases.append(("not_storable", job(subject="never")))
        # Attributes of events that are no text.
        event = {"ce_specversion": "1.0", "ce_type": "io.fanfare.job", "ce_source": "/shop", "ce_id": "e1",
                 "content-type": "application/json"}
        events = [("invalid_event", name, bytes_) for name, bytes_ in (
            ("ce_id", b"\xe9\xff"), ("ce_source", b"/\xff"), ("ce_id", b"a\0b"), ("ce_source", b"/a\0b"))]
        strange = [(code, job(subject=f"event-{i}"), {**event, name: bytes_}) for i, (code, name, bytes_) in enumerate(events)]
        broker.publish(run.brokers, run.name + ".jobs", [(b"\xe9\xff", value, headers) for _, value, headers in strange])
        cases += [(code, value) for code, value, _ in strange]
        # A good one behind them all: nothing bad holds it up.
        last = run.job()
        run.publish(*[message for _, message in cases[:-len(strange)]], last)
        run.wait_settled(last["id"])
        self.assert_told_once(run, last["id"])
        dead = broker.read(run.brokers, run.name + ".dead", PARTITIONS, len(cases))
        by_value = {}
        for value, headers in dead:
            by_value.setdefault(value, []).append(headers)
        self.assertEqual(len(dead), len(cases), [h.get("fanfare-reason") for _, h in dead])
        for code, message in cases:
            with self.subTest(code=code, message=message[:60]):
                self.assertIn(message, by_value, "its bytes, as they came, and all of them")
                headers = by_value[message][0]
                self.assertEqual(headers["fanfare-reason"], code)
                self.assertGreater(len(headers["fanfare-message"]), 10)
                self.assertEqual(headers["fanfare-topic"], run.name + ".jobs")
                self.assertEqual(headers["fanfare-bytes"], str(len(message)))
                self.assertEqual(headers["fanfare-truncated"], "false")
                for name in ("fanfare-partition", "fanfare-offset"):
                    self.assertRegex(headers[name], r"^\d+$")
        self.assertEqual(run.db.value("SELECT count(*) FROM job"), "1")
        self.assertTrue(worker.is_alive())
        self.assertEqual(worker.end(), 0)
        # Read again by the next worker, nothing comes a second time.
        run.worker()
        again = run.publish(run.job())
        run.wait_settled(again)
        self.assertEqual(len(broker.read(run.brokers, run.name + ".dead", PARTITIONS, len(cases))), len(cases))

    def test_rubbish_on_the_chunk_topics(self):
        run = self.new_run()
        run.people(20)
        worker = run.worker()
        name = b'{"version":1,"job":"%s","channel":"email","chunk":%d}'
        rubbish = [b"", b"rubbish", b"{}", b"\xff" * 10, b'{"job":"x","channel":9,"number":-1}', b"x" * 100_000,
                   name % (b"00000000-0000-4000-8000-000000000000", 7)]  # Of a chunk that is not there.
        for lane in ("urgent", "normal", "bulk"):
            broker.publish(run.brokers, f"{run.name}.chunks.{lane}", [(b"", value) for value in rubbish])
        order = run.job()
        broker.publish(run.brokers, f"{run.name}.chunks.normal", [(b"", name % (order["id"].encode(), 99))])
        job = run.publish(order)
        run.wait_settled(job)
        self.assert_told_once(run, job)
        dropped = "fanfare_dead_letters_total to count them"
        until(lambda: 'reason="not_a_descriptor"} 0' not in run.http(worker, "/metrics"), dropped, 20)
        self.assertEqual(worker.end(), 0)


if __name__ == "__main__":
    main()
