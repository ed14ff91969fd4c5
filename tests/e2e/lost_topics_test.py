#!/usr/bin/env python3
"""Kafka forgets everything under programs that go on: no hand mends it, and nothing that was accepted is lost."""

import json
import uuid

import broker
from api_client import Backend
from harness import ROOT, main, until
from own_stack import OwnStack
from told_test import SYSTEM

PEOPLE = 60


class LostTopics(OwnStack):
    def start(self):
        run = self.own_run()
        run.people(PEOPLE)
        run.system(SYSTEM + "outbox: fanfare_outbox\n")
        run.db.psql((ROOT / "docs/examples/outbox.sql").read_text())
        run.settings["producer"]["republish_after_ms"] = 2000
        run.with_links()
        run.with_clients()
        run.producer()
        return run, Backend(run.front(), "shop")

    def wipe(self, run, how):
        if how == "wiped":
            self.stack("wipe", "kafka")
        else:
            broker.delete_topics(run.brokers, run.topics)

    def body(self, run):
        return {k: v for k, v in run.job(channels=["email"]).items()
                if k not in ("version", "id", "idempotency_key")}

    def order(self, backend, key, body):
        """As its answer says: a broker that does not answer yet is asked again with the same key."""
        def answered():
            status, document, _ = backend.post("/v1/jobs", body, Idempotency_Key=key)
            return None if status == 503 else (status, document)
        status, document = until(answered, "an answer to the order", 60, 0.5)
        self.assertEqual(status, 202, document)
        return document["id"]

    def put(self, run):
        """A row of the outbox; its job's id is known once it is published."""
        job = {k: v for k, v in run.job(channels=["email"]).items()
               if k not in ("id", "idempotency_key", "system")}
        run.db.psql("INSERT INTO fanfare_outbox (job) VALUES ('" + json.dumps(job).replace("'", "''") + "');")
        return until(lambda: run.db.value("SELECT job_id FROM outbox_row"), "the row to be published", 60)

    def schedule(self, run):
        """A notification that is due; its job's id."""
        job = str(uuid.uuid4())
        data = json.dumps(run.job()["data"]).replace("'", "''")
        run.db.psql("INSERT INTO notification (system, kind, subject, occurrence, due_at, params, data, job_id) VALUES "
                    f"('shows', 'show.reminder', 's', now(), now(), '{{\"user_id\": \"creator\"}}', '{data}', '{job}'); "
                    "NOTIFY fanfare;")
        until(lambda: run.db.value("SELECT state FROM notification") == "published", "it to be published", 60)
        return job

    def settle(self, run, *jobs):
        until(lambda: all(run.state(job) for job in jobs), lambda: "jobs to be taken" + run.progress(), 120)
        run.wait_settled(*jobs, timeout_s=120)
        for job in jobs:
            self.assert_told_once(run, job, channels=("email",))

    def lose_what_nobody_took(self, how):
        run, backend = self.start()
        body = self.body(run)  # Of one moment: a retry is the same to the letter, or another order.
        jobs = [self.order(backend, "k", body), self.put(run), self.schedule(run)]
        self.wipe(run, how)
        run.worker(ready_s=120)
        self.assertEqual(self.order(backend, "k", body), jobs[0])
        self.settle(run, *jobs)
        until(lambda: run.db.value("SELECT count(*) FROM fanfare_outbox") == "0", "the row to go", 60)
        until(lambda: run.db.value("SELECT count(*) FROM notification WHERE taken_at IS NULL") == "0", "the note", 60)

    def test_jobs_that_nobody_took_are_published_again_after_a_wipe(self):
        self.lose_what_nobody_took("wiped")

    def test_jobs_that_nobody_took_are_published_again_after_a_deletion(self):
        self.lose_what_nobody_took("deleted")

    def go_on(self, how):
        run, backend = self.start()
        workers = run.workers(2)
        self.settle(run, self.order(backend, "before", self.body(run)))
        for round_ in range(2):
            self.wipe(run, how)
            until(lambda: run.is_ready(run.processes[1]), "the producer to be ready again", 120)

            def accepted(key=f"after {round_}"):
                job = {k: v for k, v in run.job(channels=["email"]).items()
                       if k not in ("version", "id", "idempotency_key", "data")}
                job["data"] = {"show_id": "s1", "user_id": "creator", "username": "Mira", "title": "Late",
                               "starts_at": "2099-01-01T00:00:00Z"}
                status, document, _ = backend.post("/v1/jobs", job, Idempotency_Key=key)
                return document["id"] if status == 202 else None
            self.settle(run, until(accepted, "the order to be taken", 120))
            for process in workers:
                until(lambda process=process: run.is_ready(process), f"{process.name} to be ready", 120)
        for process in workers:
            self.assertEqual(process.end(), 0)

    def test_live_programs_go_on_after_a_wipe(self):
        self.go_on("wiped")

    def test_live_programs_go_on_after_a_deletion(self):
        self.go_on("deleted")


if __name__ == "__main__":
    main()
