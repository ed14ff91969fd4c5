#!/usr/bin/env python3
"""Every query of every panel of every dashboard returns numbers in a real Prometheus, or rows as Grafana's own login, after a
run with faults, receipts, a worker that died, pauses and a replay.

usage: dashboards_test.py [--keep FILE]    FILE: what was answered, for dashboards/draw"""

import json
import math
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timedelta, timezone

import api_client
from harness import BIN, ROOT, Database, EndToEnd, main, say, until
from prometheus import Prometheus, as_pattern, filled

from panels import dashboards, panels  # noqa: E402  (tests/dashboards)

PEOPLE, STEP_S = 500, 1
SKIPPED = 77
ARRIVES = {"delivered_rate": 0.85, "hard_bounce_rate": 0.05, "soft_bounce_rate": 0.03, "opened_rate": 0.3, "clicked_rate": 0.1,
           "complaint_rate": 0.01}
FAULTY = {"error_rate": 0.08, "lose_after_rate": 0.03, "throttle_rate": 0.05}
HEALTHY = {"error_rate": 0, "lose_after_rate": 0, "throttle_rate": 0, "fail_addresses": {}}
keep = None


class Dashboards(EndToEnd):
    def fanfare(self, *arguments):
        done = subprocess.run([BIN / "fanfare", "-c", self.run_.dir / "fanfare.yaml", *arguments], env=self.run_.environment(),
                              text=True, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)

    def begin(self):
        """Programs with everything on that has metrics."""
        run = self.run_ = self.new_run(sim=["--seed", "7"])
        run.people(PEOPLE)
        run.with_links()
        run.with_clients()
        run.system((ROOT / "config/systems/shows/system.yaml").read_text() + "\noutbox: fanfare_outbox\n")
        run.db.psql((ROOT / "docs/examples/outbox.sql").read_text())
        run.short_leases()
        run.tune("email", chunk=25, per_second=60)
        run.tune("sms", chunk=25, per_second=40)
        run.tune("push", chunk=25)
        self.prometheus = Prometheus(run)
        self.producers = [run.producer(), self.producer_with_certificate()]
        self.workers = run.workers(2)
        self.scrape()
        self.began = time.time()
        run.sim.control(mailgun={**ARRIVES, "latency_ms": 20, "jitter_ms": 30, **self.hook("mailgun")},
                        twilio={"delivered_rate": 0.9, "hard_bounce_rate": 0.05, "latency_ms": 60, "jitter_ms": 60, **self.hook("twilio")},
                        fcm={"latency_ms": 10, "jitter_ms": 15})

    def hook(self, provider):
        return {"webhook_url": f"https://hooks.example.com/webhooks/e2e-{provider}", "webhook_connect": self.run_.front()}

    def producer_with_certificate(self):
        run = self.run_
        known = run.settings["producer"]["http"]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "90",
                        "-keyout", run.dir / "tls.key", "-out", run.dir / "tls.pem"], check=True, capture_output=True)
        run.settings["producer"]["http"] = {"port": 0, "port_file": str(run.dir / "second.port"),
                                            "certificate": str(run.dir / "tls.pem"), "key": str(run.dir / "tls.key")}
        try:
            return run.producer()
        finally:
            run.settings["producer"]["http"] = known
            run.write_settings()

    def scrape(self):
        self.prometheus.scrape(worker=self.workers, producer=self.producers)

    def settle(self, *jobs):
        self.run_.wait_settled(*jobs, timeout_s=240)

    def announcement(self):
        return self.run_.job(channels=["push", "email"], kind="generic", audience={"name": "everyone"},
                             data={"title": "News", "body": "There is some.", "link": "https://example.com/news"})

    def schedule(self):
        """Shows of a backend: due, later, cancelled; a row of its outbox."""
        run = self.run_
        run.db.psql("INSERT INTO users (id, username) VALUES ('nobody', 'Nobody');" + "".join(
            "INSERT INTO scheduled_shows (id, user_id, title, scheduled_at, status, created_at, updated_at) SELECT "
            f"'{name}', '{owner}', 'Show', now() AT TIME ZONE 'UTC' + interval '{starts}', '{status}', "
            "now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC';" for name, owner, starts, status in (
                ("due", "creator", "14 minutes", "scheduled"), ("later", "creator", "16 minutes", "scheduled"),
                ("off", "nobody", "10 minutes", "cancelled"))))
        row = json.dumps({**run.job(channels=["push"]), "id": None}).replace("'", "''")
        run.db.psql(f"INSERT INTO fanfare_outbox (job) VALUES ('{row}'::jsonb - 'id' - 'idempotency_key');")
        until(lambda: run.db.value("SELECT count(*) FROM notification WHERE state = 'published'") == "2",
              "notifications to be published", 60)
        self.settle(*(job for (job,) in run.db.rows("SELECT job_id FROM notification WHERE state = 'published'")))

    def faults(self):
        """A fifth of the text messages is refused, answers are lost, a worker dies. The job to look at."""
        run = self.run_
        people = run.addresses("creator", "sms")
        refused = {a: "21408" for i, r in enumerate(sorted(people)) if i % 5 == 0 for a in people[r]}
        run.sim.control(mailgun=FAULTY, twilio={**FAULTY, "fail_addresses": refused}, fcm=FAULTY)
        job = run.publish(run.job())
        until(lambda: run.told(job)["sms"] > PEOPLE // 5, lambda: "sending to begin" + run.progress(), 120)
        self.workers.pop(0).kill()
        self.workers.append(run.worker())
        self.scrape()
        self.settle(job)
        run.sim.control(all=HEALTHY)
        return job

    def broken_and_held(self):
        """A provider that only fails, an account that is held, people who are told too late, and rubbish."""
        run = self.run_
        run.sim.control(twilio={"error_rate": 1})
        job = run.publish(run.job(channels=["sms"]))
        until(lambda: self.prometheus.value('max(fanfare_account_broken{account="e2e-twilio"})') == 1, "the account to break", 60)
        run.sim.control(twilio={"error_rate": 0})
        self.fanfare("pause", "--account", "e2e-fcm", "--because", "a look at it")
        until(lambda: self.prometheus.value('min(fanfare_account_held{account="e2e-fcm"})') == 1, "it to be held", 60)
        soon = (datetime.now(timezone.utc) + timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        late = run.publish(run.job(channels=["push"], expires_at=soon))
        run.publish(b"rubbish")
        for path, token in (("/v1/jobs", "nobody"), ("/v1/jobs", api_client.TOKENS["reader"]), ("/u/none", None)):
            self.get(path, token)
        self.settle(late)
        self.fanfare("resume", "--account", "e2e-fcm")
        self.settle(job)

    def get(self, path, token):
        request = urllib.request.Request(self.run_.front() + path, headers={"Authorization": f"Bearer {token}"} if token else {})
        try:
            with urllib.request.urlopen(request, timeout=20):
                pass
        except urllib.error.HTTPError:
            pass

    def replay(self, job):
        self.fanfare("replay", job, "--channel", "sms", "--outcome", "refused", "--yes", "--because", "refused by mistake")
        self.settle(*(new for (new,) in self.run_.db.rows(f"SELECT id FROM job WHERE replay_of = '{job}'")))

    def everything_is_scraped(self):
        def posted():
            found = json.loads(self.run_.sim.call("/oracle/webhooks"))
            return all(one["pending"] == 0 for one in found.get("providers", found).values())
        until(posted, "webhooks to be posted", 90, 0.2)

        def shown():
            held = {outcome: int(people) for outcome, people in
                    self.run_.db.rows("SELECT outcome, count(*) FROM delivery GROUP BY 1")}
            found = {one["metric"]["outcome"]: int(one["value"][1]) for one in
                     self.prometheus.call("query", query="sum by (outcome) (fanfare_recipients) > 0")["result"]}
            return found == held and self.prometheus.value("sum(fanfare_open_jobs)") == 0
        until(shown, "Prometheus to have what the ledger has", 60)

    # What Grafana would ask.

    def reader(self):
        """The database as Grafana's login has it."""
        password = self.run_.dir / "reader_password"
        password.write_text("a-password-of-a-test")
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.run_.db.url, "-f",
                        ROOT / "deploy/postgres/reader.sql"], check=True, capture_output=True,
                       env={"PATH": os.environ["PATH"], "READER_PASSWORD_FILE": str(password)})
        parts = urllib.parse.urlsplit(self.run_.db.url)
        place = f"fanfare_reader:{password.read_text()}@127.0.0.1:{parts.port}"
        return Database(urllib.parse.urlunsplit(parts._replace(netloc=place)))

    def rows(self, sql):
        return json.loads(self.database.psql(f"SELECT coalesce(json_agg(found), '[]') FROM ({sql}) AS found;"))

    def values_of(self, document, window):
        """Variable -> what "All", or the job that is looked at, stands for."""
        values = {}
        for variable in document["templating"]["list"]:
            name, query = variable["name"], variable.get("query")
            if variable["type"] != "query":
                continue
            if isinstance(query, dict):
                found = self.prometheus.label_values(filled(query["query"], values, window))
            else:
                found = [str(next(iter(row.values()))) for row in self.rows(filled(query, values, window))]
            self.assertTrue(found, f"{document['title']}: ${name} has no values")
            values[name] = (variable["allValue"] if variable.get("allValue") else as_pattern(found)) if variable["includeAll"] else \
                self.job if name == "job_id" else found[0]
            if name == "job_id":
                self.assertIn(self.job, found)
        return values

    def answer(self, target, values, window):
        if "rawSql" in target:
            return [row for row in self.rows(filled(target["rawSql"], values, window)) if None not in list(row.values())[:1]]
        return self.prometheus.ask({**target, "expr": filled(target["expr"], values, window)}, window)

    def test_every_query_returns_data(self):
        self.begin()
        self.settle(self.run_.publish(self.run_.job()))
        self.schedule()
        self.settle(self.run_.publish(self.announcement()))
        self.job = self.faults()
        self.replay(self.job)
        self.broken_and_held()
        self.everything_is_scraped()
        window = (int(self.began), math.ceil(time.time()), STEP_S)
        self.database = self.reader()
        answers, silent, asked = {}, [], 0
        for name, document in dashboards().items():
            values = self.values_of(document, window)
            for mark in document["annotations"]["list"]:
                if not self.prometheus.ask({"expr": filled(mark["expr"], values, window)}, window):
                    silent.append(f"{name}: no {mark['name']}")
            found = answers[name] = {}
            for panel in panels(name, document):
                found[panel.body["id"]] = said = [self.answer(target, values, window) for target in panel.targets]
                asked += len(said)
                silent += [f"{panel.title}: {filled(target.get('expr') or target['rawSql'], values, window)}"
                           for target, one in zip(panel.targets, said) if not one]
        if keep:
            with open(keep, "w") as file:
                json.dump({"window": window, "answers": answers}, file)
        say(f"    {asked} queries of {len(answers)} dashboards over {window[1] - window[0]} s")
        self.assertEqual(silent, [], f"{len(silent)} return nothing")


if __name__ == "__main__":
    if "--keep" in sys.argv:
        keep = sys.argv.pop(sys.argv.index("--keep") + 1)
        sys.argv.remove("--keep")
    if shutil.which("prometheus") is None:
        print("NOT TESTED: the queries of dashboards, because there is no prometheus (scripts/setup check)")
        sys.exit(SKIPPED)
    main()
