#!/usr/bin/env python3
"""The chapter "Upgrade" of docs/operations.md: the next version's tables below running programs, programs that are replaced one by
one in the middle of a job, ledgers of older shapes with open jobs in them; and older programs beside these, where
FANFARE_OLD_BIN_DIR names some."""

import json
import os
import shutil
import unittest
import uuid
from pathlib import Path

from documented import Documented, chapters
from harness import CHANNELS, ROOT, main, say, until

PEOPLE, FEW = 2400, 120
HELD = ("email", "sms")  # For push the provider would have to be asked for a token first.
MIGRATIONS = ROOT / "config/migrations"
OLD = os.environ.get("FANFARE_OLD_BIN_DIR")
# As a version to come may: columns, an index, a table, a vocabulary, rows that are touched.
NEXT = """
ALTER TABLE job ADD COLUMN of_the_next text NOT NULL DEFAULT 'next';
ALTER TABLE chunk ADD COLUMN of_the_next integer;
ALTER TABLE notification ADD COLUMN of_the_next jsonb;
CREATE INDEX chunk_of_the_next ON chunk (job_id, channel) WHERE state <> 'done';
CREATE TABLE next_thing (job_id uuid REFERENCES job ON DELETE CASCADE, noted_at timestamptz NOT NULL DEFAULT app_now());
INSERT INTO reason VALUES (250, 'of_the_next');
UPDATE chunk SET of_the_next = 1 WHERE state = 'done';
"""


class Upgrade(Documented):
    def begin(self, people=PEOPLE, upto=None):
        run = self.run_ = self.new_run(upto=upto)
        run.people(people)
        run.short_leases(lease_ms=16_000, timeout_ms=10_000)
        for channel in CHANNELS:
            run.tune(channel, chunk=20, chunks=4, per_second=100)
        shutil.copytree(MIGRATIONS, run.dir / "migrations")
        run.write_settings()
        (by_package, self.by_hand) = chapters("operations.md")["Upgrade"]
        self.assertIn("fanfare db status", by_package)
        return run

    def migrate(self):
        return self.type(self.run_, self.by_hand)

    def wait_for_the_middle(self, job, people):
        self.wait_told_on_each(job, people)
        self.assertLess(max(self.run_.told(job).values()), PEOPLE, "not in the middle")

    def replace(self, job, programs):
        """One after another, in the middle of the job, each with its time to drain."""
        run = self.run_
        for number, (old, start) in enumerate(programs, 1):
            self.wait_for_the_middle(job, 300 + number * 300)
            self.assertEqual(old.end(), 0, old.name)
            start()
        run.wait_settled(job)
        self.assert_told_once(run, job)

    def test_the_next_version_comes_while_all_runs(self):
        run = self.begin()
        producer, workers = run.producer(), [run.worker(), run.worker()]
        job = run.publish(run.job())
        self.wait_for_the_middle(job, 300)
        (run.dir / "migrations/999_next.sql").write_text(NEXT)
        self.assertRegex(self.migrate(), r"(?s)applied\n999_next\n.*\n999_next +yes\b")
        self.assertEqual(run.db.value(f"SELECT of_the_next FROM job WHERE id = '{job}'"), "next")
        self.replace(job, [(workers[0], run.worker), (producer, run.producer), (workers[1], run.worker)])
        self.too_old()

    def too_old(self):
        """What runs goes on, what is started anew does not."""
        run = self.run_
        run.db.psql("UPDATE ledger_compat SET oldest_program = 1000")
        late = run.worker(ready_s=None)
        self.assertEqual(until(lambda: not late.is_alive() and late.child.returncode, "a program that is too old to end", 30), 78)
        run.people(FEW, creator="later", prefix="q")
        job = run.publish(run.job(creator="later"))
        run.wait_settled(job)
        self.assert_told_once(run, job, creator="later")

    @unittest.skipUnless(OLD, "FANFARE_OLD_BIN_DIR names no older programs")
    def test_older_programs_beside_these(self):
        run, old = self.begin(), Path(OLD or ".").resolve()
        producer, workers = run.producer(folder=old), [run.worker(folder=old), run.worker(folder=old)]
        job = run.publish(run.job())
        run.worker()
        self.replace(job, [(workers[0], run.worker), (producer, run.producer), (workers[1], run.worker)])

    # Older shapes.

    def test_ledgers_of_older_shapes_with_open_jobs(self):
        rows, begun, claimed = self.open_jobs()
        files = len(list(MIGRATIONS.glob("*.sql")))
        going_on = []  # All at once: each waits for the lease of what was claimed.
        for shape in (*range(1, files, 6), files - 1):
            with self.subTest(files=shape):
                run = self.begin(FEW, upto=shape)
                for table in ("job", "chunk"):
                    self.put_in(table, rows[table])
                has_marks = run.db.rows("SELECT 1 FROM pg_attribute WHERE attrelid = 'chunk'::regclass AND attname = 'marked_epoch'")
                self.migrate()
                self.assertEqual(run.db.value("SELECT count(*) FROM schema_migration"), str(files))
                run.worker(ready_s=None)
                going_on.append((shape, run, has_marks))
        for shape, run, has_marks in going_on:
            with self.subTest(files=shape):
                sending, planning = (row["id"] for row in rows["job"])
                run.wait_settled(sending, planning)
                self.assert_told_once(run, planning, channels=HELD)
                self.assert_accounted(run, sending, channels=HELD)
                unknown = {person for person, (outcome, _) in run.fates(sending).items() if outcome == "unknown"}
                # Before migration 010 nothing could tell whose request had begun: all that was claimed is in doubt.
                self.assert_same(unknown, begun if has_marks else claimed, "unknown are those in doubt")
                run.stop()

    def open_jobs(self):
        """Rows of a job whose worker died while requests stood before the providers, and of one that nobody plans;
        whose request had begun, and all that were claimed."""
        run = self.begin(FEW)
        run.sim.hold()
        worker = run.worker()
        job = run.publish(run.job(channels=HELD))
        until(lambda: {channel for channel, _ in run.begun()} == set(HELD), "both channels to begin", 60)
        until(lambda: run.db.value(f"SELECT planned_at IS NOT NULL FROM job WHERE id = '{job}'") == "t", "it to be planned", 30)
        worker.kill()
        until(run.idle, "the connections of the dead worker to end", 20)
        begun, claimed = run.begun(), run.claimed()
        rows = {table: [json.loads(row) for row in run.db.psql(f"SELECT row_to_json(t) FROM {table} t").splitlines()]
                for table in ("job", "chunk")}
        sending, = rows["job"]
        text = json.dumps(sending["body"])
        other = str(uuid.uuid4())
        rows["job"].append({**sending, "id": other, "idempotency_key": other, "body": json.loads(text.replace(job, other)),
                            "state": "planning", "planned_at": None, "planned": [0, 0, 0], "plan_chunks": [0, 0, 0],
                            "plan_cursor": "", "plan_epoch": 0, "plan_lease": None, "plan_attempts": 0})
        run.sim.release()
        say(f"    {len(rows['chunk'])} chunks, {len(claimed)} claimed, of {len(begun)} the request had begun")
        return rows, begun, claimed

    def put_in(self, table, rows):
        """What a table of that shape can hold of these rows."""
        db = self.run_.db
        columns = ", ".join(name for (name,) in db.rows(
            f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}' AND is_generated = 'NEVER'")
            if name in rows[0])
        for row in rows:
            word = json.dumps(row).replace("'", "''")
            db.psql(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, '{word}')")


if __name__ == "__main__":
    main()
