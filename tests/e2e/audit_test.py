#!/usr/bin/env python3
"""`fanfare audit`: what the providers took beside what the ledger says. First all is well, then each fault is planted."""

import csv
import json
import subprocess

from documented import Documented, chapters
from harness import BIN, CHANNELS, main, until

PEOPLE = 30
SUPPRESSED = "p000001"
FAULTS = ("lost", "doubled", "falsely_sent", "unexpected")


class Audit(Documented):
    def audit(self, run, job, *arguments, code=0, stdin=None):
        """Set -> people, and what is said of all."""
        done = subprocess.run([BIN / "fanfare", "--json", "-c", run.dir / "fanfare.yaml", "audit", job, *arguments],
                              env=run.environment(), text=True, capture_output=True, timeout=120, input=stdin)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        if code > 1:
            return done.stderr, None
        *sets, said = map(json.loads, done.stdout.splitlines())
        self.assertEqual([one["set"] for one in sets if one["must_be_empty"]], list(FAULTS))
        self.assertEqual(said["good"], code == 0)
        return {one["set"]: (one["people"], one["first"]) for one in sets if one["people"]}, said

    def write(self, run, name, heading, rows):
        with open(run.dir / name, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([heading, *rows])
        return run.dir / name

    def accepted(self, run, job):
        """What the simulator took, as (channel, person), a row a message."""
        rows = []
        for channel in CHANNELS:
            owner = {a: person for person, addresses in run.addresses("creator", channel).items() for a in addresses}
            for address, times in run.accepted(channel, job).items():
                rows += [(channel, owner[address])] * times
        return rows

    def settled_job(self):
        run = self.new_run(sim=("--keep-messages", "1000"))
        run.with_links()
        run.people(PEOPLE)
        run.worker()
        subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "suppress", "add", "email", "p1@example.com"],
                       env=run.environment(), check=True, capture_output=True, timeout=60)
        job = run.publish(run.job())
        run.wait_settled(job)
        return run, job

    def test_each_fault_is_found_in_its_set(self):
        run, job = self.settled_job()
        rows = self.accepted(run, job)
        self.assertEqual(len(rows), 3 * PEOPLE - 1)
        heading = ("channel", "recipient")
        good = self.write(run, "good.csv", heading, rows)
        sets, said = self.audit(run, job, "--log", good)
        self.assertEqual(sets, {})
        self.assertEqual((said["planned"], said["told"], said["rows_of_job"]), (3 * PEOPLE, len(rows), len(rows)))

        # As three logs: by what the provider has in its custom data, where that names a person, and by person and device.
        devices = [(person, token) for person, tokens in run.addresses("creator", "push").items() for token in tokens
                   if token in run.accepted("push", job)]
        logs = ["--log", self.write(run, "push.csv", ("Recipient", "Channel", "Device"), [(p, "push", t) for p, t in devices])]
        for channel in ("email", "sms"):
            text = run.sim.call(f"/oracle/log?provider={run.providers[channel]}&job={job}")
            self.assertEqual(len(text.splitlines()) - 1, PEOPLE - (channel == "email"))
            (run.dir / f"{channel}.csv").write_text(text)
            logs += ["--log", run.dir / f"{channel}.csv"]
        sets, said = self.audit(run, job, *logs)
        self.assertEqual((sets, said["told"], said["rows_unproven"]), ({}, len(rows), 0))
        sets, said = self.audit(run, job, "--channel", "sms", "--log", run.dir / "sms.csv")
        self.assertEqual((sets, said["planned"]), ({}, PEOPLE))
        # By the provider's own ids, of an account.
        ids = [(i,) for i, in run.db.rows(f"SELECT provider_id FROM delivery WHERE job_id = '{job}' AND channel = 'sms'")]
        by_id = self.write(run, "ids.csv", ("message_id",), ids)
        self.assertEqual(self.audit(run, job, "--account", run.account("sms")["name"], "--log", by_id)[0], {})

        # One fault of each kind, and what belongs to others.
        missing = ("sms", "p000007")
        planted = [row for row in rows if row != missing]
        planted += [("email", "p000002"), ("email", SUPPRESSED), ("push", "nobody")]
        bad = self.write(run, "bad.csv", (*heading, "job"), [(*row, job) for row in planted] +
                         [("sms", "p000003", "0198b6c4-7d1e-7c52-9a6b-3f6f4a1e2d3c")])
        out = run.dir / "findings.csv"
        sets, said = self.audit(run, job, "--log", bad, "--out", out, code=1)
        self.assertEqual(sets, {"doubled": (1, ["email p000002"]), "falsely_sent": (1, ["sms p000007"]),
                                "unexpected": (2, [f"email {SUPPRESSED}", "push nobody"])})
        self.assertEqual(said["rows_of_others"], 1)
        with open(out, newline="", encoding="utf-8") as file:
            found = {(line["set"], line["channel"], line["recipient"]): (line["outcome"], line["times"])
                     for line in csv.DictReader(file)}
        self.assertEqual(found, {("doubled", "email", "p000002"): ("sent", "2"),
                                 ("falsely_sent", "sms", "p000007"): ("sent", "0"),
                                 ("unexpected", "email", SUPPRESSED): ("suppressed", "1"),
                                 ("unexpected", "push", "nobody"): ("", "1")})

        # A log of one channel says so; one that cannot be read says where.
        only = self.write(run, "only.csv", heading, [row for row in rows if row[0] == "email"])
        sets, said = self.audit(run, job, "--log", only, code=1)
        self.assertEqual(sets["falsely_sent"][0], 2 * PEOPLE)
        self.assertTrue(any("nobody of sms" in note for note in said["notes"]), said)
        fault, _ = self.audit(run, job, "--log", "-", code=65, stdin="channel,recipient\nfax,p000001\n")
        self.assertIn("standard input: line 2, column 1 (channel)", fault)
        self.audit(run, job, "--log", run.dir / "none.csv", code=66)
        self.audit(run, "0198b6c4-7d1e-7c52-9a6b-3f6f4a1e2d3c", "--log", good, code=65)

        # As documented.
        self.write(run, "accepted.csv", heading, rows)
        block, = chapters("reliability.md")["Audit a job"]
        self.assertIn("nobody is lost, doubled, falsely sent or unexpected", self.type(run, block, JOB=job))

    def test_lost_and_doubt(self):
        """Somebody of a finished job has no outcome, by force; in another one answers were lost."""
        run, job = self.settled_job()
        good = self.write(run, "good.csv", ("channel", "recipient"), self.accepted(run, job))
        run.db.psql(f"UPDATE chunk SET outcomes = set_byte(outcomes, 3, 0) WHERE job_id = '{job}' AND channel = 1;")
        sets, said = self.audit(run, job, "--log", good, code=1)
        self.assertEqual(sets["lost"], (1, ["sms p000004"]))
        self.assertIn("differences between plan and ledger", said["verdict"])

        run.sim.control(twilio={"script": ["lose_after", "lose_before"]})
        doubtful = run.publish(run.job(channels=["sms"]))
        run.wait_settled(doubtful)
        unknown = {r for (_, r), (o, _) in run.fates(doubtful).items() if o == "unknown"}
        self.assertEqual(len(unknown), 2)
        told = self.write(run, "doubt.csv", ("recipient",), [(person,) for _, person in self.accepted(run, doubtful)])
        sets, said = self.audit(run, doubtful, "--log", told)
        self.assertEqual((sets["unknown_told"][0], sets["unknown_not_told"][0]), (1, 1))
        self.assertEqual({one.split()[1] for name in sets for one in sets[name][1]}, unknown)
        self.assertTrue(any("fanfare publish --recipients" in note for note in said["notes"]), said)

        # While a job runs nobody is lost.
        run.sim.hold()
        late = run.publish(run.job(channels=["sms"]))
        until(lambda: run.sim.parked("twilio"), "requests to be on their way")
        sets, said = self.audit(run, late, "--log", "-", stdin="recipient\n")
        self.assertEqual((sets, said["over"]), ({}, False))
        run.sim.release()
        run.wait_settled(late)


if __name__ == "__main__":
    main()
