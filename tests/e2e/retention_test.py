#!/usr/bin/env python3
"""How long the ledger keeps what became of people: what is open stays, and links in mails that are older still work."""

import json
import re
import subprocess
import urllib.error
import urllib.request

from api_client import Backend
from harness import BIN, EndToEnd, main, until

PEOPLE = 120
NOT_KEPT = "no longer kept"


def post(url):
    request = urllib.request.Request(url, data=b"List-Unsubscribe=One-Click")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as fault:
        return fault.code


class Retention(EndToEnd):
    def fanfare(self, run, *arguments, code=0):
        done = subprocess.run([BIN / "fanfare", "--json", "-c", run.dir / "fanfare.yaml", *arguments],
                              env=run.environment(), text=True, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], done.stderr

    def begin(self, provider="mailgun"):
        run = self.new_run(sim=["--seed", "5", "--keep-messages", "2000"])
        run.people(PEOPLE, sms=False, push=False)
        run.use("email", provider)
        run.with_links()
        run.with_clients()
        run.tune("email", chunk=50)
        run.producer()
        run.worker()
        run.sim.control(**{provider: {"webhook_url": "", "webhooks": False}})
        return run

    def told(self, run):
        job = run.publish(run.job(channels=["email"]))
        run.wait_settled(job)
        return job

    def grow_old(self, run, job, days=100):
        run.db.psql(f"UPDATE job SET day = day - {days}, created_at = created_at - interval '{days} days', "
                    f"finished_at = finished_at - interval '{days} days' WHERE id = '{job}'")

    def link(self, run, address, job):
        message = run.sim.call(f"/oracle/messages?address={address}&job={job}")
        links = set(re.findall(r"https://hooks\.example\.com(/u/[A-Za-z0-9._?=-]+)", message))
        self.assertEqual(len(links), 1, f"header and text have the same: {message[:2000]}")
        link = links.pop()
        self.assertRegex(link, r"^/u/[0-9a-f-]{36}\.\d+\.\d+\.[A-Za-z0-9_-]{11}\?a=[A-Za-z0-9_-]{22}$")
        return run.front() + link

    def left(self, run, job):
        return {p for (_, p), fate in run.fates(job).items() if fate == ("opted_out", "consent_withdrawn")}

    def links_outlive_their_chunks(self, provider):
        run = self.begin(provider)
        old = self.told(run)
        links = {n: self.link(run, f"p{n}@example.com", old) for n in (7, 8, 9)}
        self.assertEqual(post(links[9]), 200)
        self.grow_old(run, old)
        days, _ = self.fanfare(run, "db", "retention")
        self.assertEqual([(d["jobs"], d["people"], d["jobs_that_stay"]) for d in days], [(1, PEOPLE, 0)])
        # By hand as by itself: one program at a time.
        run.db.psql("INSERT INTO lease (name, holder, until) VALUES ('retention', 'somebody', app_now() + interval '1 h') "
                    "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until")
        self.assertIn("another program", self.fanfare(run, "db", "retention", "--drop", code=69)[1])
        self.assertNotEqual(run.db.value("SELECT count(*) FROM chunk"), "0")
        run.db.psql("DELETE FROM lease WHERE name = 'retention'")
        self.assertEqual(self.fanfare(run, "db", "retention", "--drop")[0][0]["jobs"], 1)
        self.assertEqual(run.db.value("SELECT count(*) FROM chunk"), "0")

        self.assertEqual(post(links[8].split("?")[0]), 404, "nobody knows whose it was")
        other = links[8].split("?")[0] + "?" + links[7].split("?")[1]
        self.assertEqual(post(other), 404, "another's seal")
        for _ in range(2):
            self.assertEqual(post(links[7]), 200)
        new = self.told(run)
        self.assertEqual(self.left(run, new), {"p000007", "p000009"})
        self.assertEqual(len(run.accepted("email", new)), PEOPLE - 2)
        self.assert_sound(run, new)
        return run, old, new

    def test_mailgun(self):
        run, old, new = self.links_outlive_their_chunks("mailgun")
        # What there is no answer to any more says so.
        for arguments in (["replay", old], ["replay", new, old, "--yes", "--because", "x"],
                          ["delivery", old, "-r", "p000001"]):
            self.assertIn(NOT_KEPT, self.fanfare(run, *arguments, code=65)[1])
        self.assertTrue(self.fanfare(run, "status", old)[0][0]["dropped_at"])
        admin = Backend(run.front(), "admin")
        status, problem, _ = admin.post("/v1/replays", {"jobs": [old], "dry_run": True})
        self.assertEqual((status, problem["code"]), (409, "no_longer_kept"), problem)
        status, job, _ = admin.get(f"/v1/jobs/{old}")
        self.assertEqual((status, job["state"], bool(job["dropped_at"]), job["audience"]), (200, "done", True, {}), job)
        self.assertIsNone(admin.get(f"/v1/jobs/{new}")[1]["dropped_at"])
        # The same order once more is the same job, and tells nobody.
        self.fanfare(run, "verify")

    def test_sendgrid(self):
        self.links_outlive_their_chunks("sendgrid")

    def test_ses(self):
        self.links_outlive_their_chunks("ses")

    def test_a_producer_drops_by_itself_and_nothing_open(self):
        run = self.begin()
        over, waiting = self.told(run), self.told(run)
        run.db.psql(f"UPDATE chunk SET state = 'planned', next_at = 'infinity', publish_at = 'infinity' "
                    f"WHERE job_id = '{waiting}' AND number = 0; UPDATE job SET state = 'sending' WHERE id = '{waiting}'")
        for job in (over, waiting):
            self.grow_old(run, job)
        for process in [p for p in run.processes if p.name.startswith("producer")]:
            process.end()
        run.producer()
        until(lambda: run.db.value(f"SELECT count(*) FROM chunk WHERE job_id = '{over}'") == "0", "the old job to go")
        until(lambda: run.db.value("SELECT count(*) FROM job WHERE dropped_at IS NOT NULL") == "1", "that to be noted", 30)
        self.assertEqual(run.db.value(f"SELECT count(*) > 1 FROM chunk WHERE job_id = '{waiting}'"), "t")
        until(lambda: run.db.value("SELECT until <= app_now() FROM lease WHERE name = 'retention'") == "t",
              "the producer to let others have the next round", 30)


if __name__ == "__main__":
    main(at_once=4)
