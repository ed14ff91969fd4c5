#!/usr/bin/env python3
"""What a backend writes with its own change is published when that commits, and once."""

import json

from harness import ROOT, EndToEnd, main, until
from told_test import SYSTEM

PEOPLE = 20
JOBS = 30


class Outbox(EndToEnd):
    def put(self, run, end, count=1, **more):
        job = {**run.job(channels=["email"]), **more}
        for key in ("id", "idempotency_key", "system"):
            del job[key]
        text = json.dumps(job).replace("'", "''")
        run.db.psql(f"BEGIN; INSERT INTO fanfare_outbox (job) SELECT '{text}' FROM generate_series(1, {count}); {end};")

    def test_committed_rows_are_published_once_whoever_dies(self):
        run = self.new_run()
        run.people(PEOPLE)
        run.system(SYSTEM + "outbox: fanfare_outbox\n")
        run.db.psql((ROOT / "docs/examples/outbox.sql").read_text())
        run.worker()
        first = run.producer()
        run.producer()
        self.put(run, "COMMIT", JOBS)
        self.put(run, "ROLLBACK", 5)
        first.kill()
        run.producer()
        self.put(run, "COMMIT", JOBS)
        self.put(run, "COMMIT", kind="show.gone")
        until(lambda: run.db.value("SELECT count(*) FROM fanfare_outbox WHERE rejected IS NULL") == "0",
              "the outbox to empty", 60)
        until(lambda: run.db.value("SELECT count(*) FROM job WHERE state = 'done'") == str(2 * JOBS),
              lambda: "jobs" + run.progress(), 90)
        self.assertEqual(run.db.value("SELECT count(*) FROM job"), str(2 * JOBS))
        self.assertEqual(run.db.value("SELECT rejected FROM fanfare_outbox").split(":")[0], "unknown_kind")
        for (job,) in run.db.rows("SELECT id FROM job"):
            self.assert_told_once(run, job, channels=("email",))


if __name__ == "__main__":
    main()
