#!/usr/bin/env python3
"""The commands of docs/runbooks.md, run in their order after just the faults that they are for."""

import json
from datetime import datetime, timezone

import broker
from documented import Documented, chapters
from harness import main, until


class Runbooks(Documented):
    def test_each_chapter_after_its_fault(self):
        books = chapters("runbooks.md")
        self.assertEqual(next(iter(books)), "Mail failed for an hour: what now", "the first chapter")
        run = self.new_run()
        run.use("email", "ses")
        run.people(300)
        for account in run.settings["accounts"]:
            account["rate"]["per_second"] = 200
        worker = run.worker()

        # An hour in which the provider refuses a fifth of everybody.
        since = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        people = run.addresses("creator", "email")
        refused = {a for i, r in enumerate(sorted(people)) if i % 5 == 0 for a in people[r]}
        run.sim.control(ses={"fail_addresses": {a: "MESSAGE_REJECTED" for a in refused}})
        job = run.publish(run.job(channels=["email"]))
        run.wait_settled(job)
        untold = {r for (_, r), (o, _) in run.fates(job).items() if o in ("refused", "failed")}
        self.assertEqual(len(untold), len(refused))
        commands = iter(books.pop("Mail failed for an hour: what now"))
        self.assertIn("e2e-ses", self.type(run, next(commands), SINCE=since))
        self.assertIn("mail is refused since this morning", self.type(run, next(commands), SINCE=since))
        run.sim.control(ses={"fail_addresses": {}})
        self.type(run, next(commands), SINCE=since)
        self.assertIn(str(len(untold)), self.type(run, next(commands), SINCE=since))
        self.type(run, next(commands), SINCE=since)
        again = run.db.value(f"SELECT id FROM job WHERE replay_of = '{job}'")
        run.wait_settled(again)
        self.assertIn("everyone has exactly one outcome", self.type(run, next(commands), SINCE=since))
        self.assertEqual(next(commands, None), None)
        told = run.accepted("email", again)
        self.assert_same(set(told), refused, "told by the replay")
        self.assertEqual(set(told.values()), {1})

        # A wrong text.
        run.tune("sms", per_second=20, chunk=10)
        self.assertEqual(worker.end(), 0)
        worker = run.worker()
        wrong = run.publish(run.job(channels=["sms"]))
        until(lambda: run.told(wrong)["sms"] > 0, "it to begin", 60)
        run.sim.hold()  # Typing takes as long as it takes.
        look, stop = books.pop("A wrong text is going out")
        self.assertIn("wrong title", self.type(run, look, JOB=wrong))
        self.type(run, stop, JOB=wrong)
        run.sim.release()
        run.wait_settled(wrong)
        self.assertLess(run.told(wrong)["sms"], 300)

        slow, over = books.pop("A provider asks us to slow down")
        self.assertIn("20", self.type(run, slow, ACCOUNT="e2e-twilio"))
        self.type(run, over, ACCOUNT="e2e-twilio")

        lost = run.job(channels=["pigeon"])
        broker.publish(run.brokers, run.name + ".jobs", [(b"k", json.dumps(lost).encode())])
        show, mend = books.pop("A job never came")
        until(lambda: "unknown_channel" in self.type(run, "fanfare dead list"), "the letter", 60)
        letter = json.loads(self.type(run, "fanfare --json dead list"))["letter"]
        self.assertIn("pigeon", self.type(run, show, LETTER=letter))
        self.type(run, mend, LETTER=letter)
        until(lambda: run.state(lost["id"]), "the job to come", 60)
        self.assertEqual(books, {}, "every chapter is run")


if __name__ == "__main__":
    main()
