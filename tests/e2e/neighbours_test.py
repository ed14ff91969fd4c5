#!/usr/bin/env python3
"""Several systems on one worker: a database that answers nobody holds up its own jobs and nobody else's."""

import re

from harness import ROOT, EndToEnd, main, until

HUNG = 12  # Jobs of the system that hangs: more than are planned at a time, however many threads stand in.
TABLES = ("users", "followers", "push_tokens", "scheduled_shows")
EMAIL = ["email"]


class Neighbours(EndToEnd):
    def two_systems(self):
        """`shows`, and `clips`, which has tables of its own."""
        run = self.new_run()
        text = (ROOT / "config/systems/shows/system.yaml").read_text()
        run.system(text)
        for table in TABLES:
            run.db.psql(f"CREATE TABLE clip_{table} (LIKE {table} INCLUDING ALL)")
            text = re.sub(rf"\b(FROM|JOIN) {table}\b", rf"\1 clip_{table}", text)
        run.system(text, "clips")
        run.system_url["FANFARE_CLIPS_URL"] = run.db.url
        run.people(30, sms=False, push=False)
        for table in TABLES:
            run.db.psql(f"INSERT INTO clip_{table} SELECT * FROM {table}")
        run.tune("email", chunk=5, chunks=4, concurrency=1)
        run.worker()
        return run

    def hangs(self, table):
        run = self.two_systems()
        with self.locked(run, f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"):
            hung = [run.job(channels=EMAIL, lane=lane) for lane in ("normal", "bulk") * (HUNG // 2)]
            run.publish(*hung)
            # All are taken, and as many plans as may wait for an answer.
            until(lambda: self.is_stuck(run, table), lambda: "jobs that hang" + run.progress(), 90, 0.1)
            self.serves_neighbours(run)
            self.assertEqual([run.told(job["id"])["email"] for job in hung], [0] * HUNG)
        self.settles(run, hung)

    def test_whose_audiences_hang(self):
        self.hangs("followers")

    def test_whose_contacts_hang(self):
        self.hangs("users")

    def test_whose_contacts_hang_while_it_is_sent(self):
        run = self.two_systems()
        run.sim.control(all={"latency_ms": 1000})
        hung = [run.job(channels=EMAIL, lane=lane) for lane in ("normal", "bulk") * (HUNG // 2)]
        run.publish(*hung)
        planned = "SELECT count(*) FROM job WHERE planned_at IS NOT NULL"
        until(lambda: int(run.db.value(planned)) == HUNG, lambda: "jobs to be planned" + run.progress(), 60, 0.05)
        with self.locked(run, "LOCK TABLE users IN ACCESS EXCLUSIVE MODE"):
            run.sim.control(all={"latency_ms": 0})
            until(lambda: self.waiting(run, "users") >= 1, lambda: "somebody to ask for contacts" + run.progress(), 60, 0.05)
            self.serves_neighbours(run)
        self.settles(run, hung)

    def settles(self, run, jobs):
        run.wait_settled(*(job["id"] for job in jobs), timeout_s=240)
        for job in jobs:
            self.assert_told_once(run, job["id"], channels=EMAIL)

    def serves_neighbours(self, run):
        for lane in ("normal", "bulk", "urgent"):
            job = run.job(channels=EMAIL, lane=lane, system="clips")
            run.publish(job)
            run.wait_settled(job["id"], timeout_s=60)
            self.assertEqual(len(run.fates(job["id"])), 30, lane)

    @staticmethod
    def waiting(run, table):
        return int(run.db.value(f"SELECT count(*) FROM pg_locks WHERE relation = '{table}'::regclass AND NOT granted"))

    def is_stuck(self, run, table):
        taken = "SELECT count(*) FROM job WHERE state = 'planning'"
        return int(run.db.value(taken)) == HUNG and self.waiting(run, table) >= 3


if __name__ == "__main__":
    main()
