#!/usr/bin/env python3
"""Dead letters are shown whole, mended, and published once more, once for all."""

import json
import subprocess
import threading

import broker
from harness import BIN, EndToEnd, main, until


class DeadLetters(EndToEnd):
    def fanfare(self, run, *arguments, code=0, raw=False):
        done = subprocess.run([BIN / "fanfare", *([] if raw else ["--json"]), "-c", run.dir / "fanfare.yaml",
                               *arguments], env=run.environment(), capture_output=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stderr)
        if raw:
            return done.stdout
        return [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")]

    def letters(self, run, count):
        return until(lambda: len(found := self.fanfare(run, "dead", "list")) == count and found, "the letters", 60)

    def test_shown_mended_requeued_twice_is_one_job(self):
        run = self.new_run()
        run.people(30)
        run.worker()
        good = run.job(channels=["sms"])
        # Beyond what a letter once held.
        bad = json.dumps({**good, "channels": ["pigeon"], "audience": {"recipients": [f"p{n:06}" for n in range(1, 9000)]}})
        self.assertGreater(len(bad), 65_536)
        broker.publish(run.brokers, run.name + ".jobs", [(b"the-key", bad.encode())])
        letter = self.letters(run, 1)[0]
        self.assertEqual((letter["reason"], letter["key"], letter["bytes"]), ("unknown_channel", "the-key", len(bad)))
        self.assertRegex(letter["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d")
        shown = self.fanfare(run, "dead", "show", letter["letter"])[0]
        self.assertEqual((shown["payload"], shown["payload_is_whole"], shown["fate"]), (bad, True, ""))
        self.assertEqual(self.fanfare(run, "dead", "show", letter["letter"], "--raw", raw=True), bad.encode())
        mended = run.dir / "mended.json"
        for wrong in ("", "{", bad, bad.replace("pigeon", "sms").replace("show.reminder", "none")):
            mended.write_text(wrong)
            self.fanfare(run, "dead", "requeue", letter["letter"], "--edit", str(mended), code=65)
        mended.write_text(bad.replace("pigeon", "sms"))
        outcomes = []

        def requeue():
            done = subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "dead", "requeue", letter["letter"],
                                   "--edit", mended], env=run.environment(), capture_output=True, text=True, timeout=120)
            outcomes.append((done.returncode, done.stderr))

        both = [threading.Thread(target=requeue) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        self.assertEqual(sorted(code for code, _ in outcomes), [0, 65], outcomes)
        self.assertIn("was requeued at 20", "".join(said for _, said in outcomes))
        run.wait_settled(good["id"])
        self.assertEqual(sum(run.accepted("sms", good["id"]).values()), 30)
        self.assertEqual(run.db.value("SELECT count(*) FROM job"), "1")
        self.assertEqual(self.fanfare(run, "dead", "list"), [])
        again = self.fanfare(run, "dead", "list", "--all")
        self.assertEqual([line["fate"] for line in again], ["requeued"])

    def test_one_that_is_refused_again_is_another_letter(self):
        run = self.new_run()
        run.people(5)
        run.worker()
        run.publish(b"no job at all")
        first = self.letters(run, 1)[0]
        self.fanfare(run, "dead", "requeue", first["letter"])
        second = until(lambda: next((line for line in self.fanfare(run, "dead", "list")), None), "the second", 60)
        self.assertNotEqual(first["letter"], second["letter"])
        self.fanfare(run, "dead", "drop", second["letter"])
        self.assertEqual(self.fanfare(run, "dead", "list"), [])
        self.fanfare(run, "dead", "requeue", second["letter"], code=65)
        pages = [("--all", "-n", "1")]
        listed = []
        while pages:
            done = subprocess.run([BIN / "fanfare", "--json", "-c", run.dir / "fanfare.yaml", "dead", "list", *pages.pop()],
                                  env=run.environment(), capture_output=True, text=True, timeout=120)
            listed += [json.loads(line)["letter"] for line in done.stdout.splitlines()]
            if "more: --cursor " in done.stderr:
                pages.append(("--all", "-n", "1", "--cursor", done.stderr.split("more: --cursor ")[1].strip()))
        self.assertEqual(sorted(listed), sorted([first["letter"], second["letter"]]))
        self.fanfare(run, "dead", "list", "--cursor", "zzz", code=64)
        self.fanfare(run, "dead", "show", "ffffffffffff", code=65)
        self.fanfare(run, "dead", "show", "ff", code=64)

    def test_a_cloud_event_keeps_what_makes_it_one(self):
        run = self.new_run()
        run.people(5)
        run.worker()
        job = {k: v for k, v in run.job(channels=["sms"]).items() if k not in ("id", "idempotency_key", "version")}
        headers = {"ce_specversion": "1.0", "ce_type": "fanfare.job.v1", "ce_source": "/shop", "ce_id": "s1",
                   "content-type": "application/json"}
        broker.publish(run.brokers, run.name + ".jobs",
                       [(b"k", json.dumps({**job, "channels": ["pigeon"]}).encode(), headers)])
        letter = self.letters(run, 1)[0]
        mended = run.dir / "mended.json"
        mended.write_text(json.dumps(job))
        self.fanfare(run, "dead", "requeue", letter["letter"], "--edit", str(mended))
        found = until(lambda: run.db.value("SELECT id FROM job"), lambda: f"the job {self.fanfare(run, 'dead', 'list')}", 60)
        run.wait_settled(found)
        self.assertEqual(sum(run.accepted("sms", found).values()), 5)


if __name__ == "__main__":
    main(at_once=3)
