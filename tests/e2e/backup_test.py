#!/usr/bin/env python3
"""A ledger that is dumped while workers send, lost later, and restored by the lines of docs/operations.md."""

import urllib.parse
from datetime import datetime, timedelta, timezone

from documented import Documented, chapters
from harness import CHANNELS, ROOT, main, say, until

PEOPLE = 1200


class Backup(Documented):
    def begin(self):
        run = self.run_ = self.new_run()
        run.people(PEOPLE)
        (run.dir / "migrations").symlink_to(ROOT / "config/migrations")
        run.short_leases()
        run.tune("email", chunk=20, chunks=4, per_second=150)
        run.tune("sms", chunk=16, chunks=8, per_second=150)
        run.tune("push", chunk=25, chunks=8, per_second=150)
        server = urllib.parse.urlsplit(run.db.url)
        self.starts = (datetime.now(timezone.utc) + timedelta(minutes=14)).strftime("%Y-%m-%d %H:%M:%S")
        self.place = {"PGHOST": server.hostname, "PGPORT": str(server.port), "PGUSER": server.username,
                      "PGPASSWORD": server.password, "DATABASE": run.name}
        dump, restore, look, cancel, resume = chapters("operations.md")["Backup and restore"]
        self.dump, self.restore, self.look, self.cancel, self.resume = dump, restore, look, cancel, resume

    def show(self):
        """A show of the system's own tables, which are not lost with the ledger; its reminder becomes due after the dump."""
        self.run_.db.psql("INSERT INTO scheduled_shows (id, user_id, title, scheduled_at, status, created_at, updated_at) "
                          f"SELECT 'due', 'creator', 'Late', '{self.starts}', 'scheduled', now(), now();")

    def lose_everything(self):
        run = self.run_
        for process in run.processes:
            if not process.name.startswith("sim"):
                process.kill()
        run.maintenance.psql(f"DROP DATABASE {run.name} WITH (FORCE);")

    def accepted(self, job):
        """(channel, address) -> how often it was told."""
        return {(channel, address): count for channel in CHANNELS
                for address, count in self.run_.accepted(channel, job).items()}

    def restored(self):
        """As the chapter says, up to the programs' start; who begun by the dump is in doubt."""
        run = self.run_
        self.type(run, self.restore, **self.place)
        return run.begun()

    def test_dumped_while_workers_run(self):
        self.begin()
        run = self.run_
        run.producer()
        run.worker()
        over = run.publish(run.job(channels=["push"], audience={"recipients": ["p000001", "p000002"]}))
        run.wait_settled(over)
        job = run.publish(run.job())
        self.wait_told_on_each(job, 100)
        before = self.accepted(job)
        self.type(run, self.dump, **self.place)
        self.assertTrue(all(n < PEOPLE for n in run.told(job).values()), "not in the middle")
        self.show()
        due = until(lambda: run.db.value("SELECT job_id FROM notification WHERE state = 'published'"), "the show to be due", 60)
        self.wait_told_on_each(job, 300)
        self.wait_told_on_each(due, 20)
        self.lose_everything()
        told = {each: self.accepted(each) for each in (job, due)}
        self.assertGreater(len(told[job]), len(before) + 300)

        # Held and cancelled: nobody is told twice, though the ledger has forgotten most of it. The show is due once more.
        in_doubt = self.restored()
        self.show()
        self.finish(job, due, [job, due], told)
        unknown = {person for person, (outcome, _) in run.fates(job).items() if outcome == "unknown"}
        self.assert_same(unknown, in_doubt, "unknown are those in doubt")
        for each in (job, due):
            self.assertEqual(self.accepted(each), told[each], "told after it was cancelled")
        self.assertEqual(run.state(over), "done")

        # Restored once more, and left to go on: twice are told those at most who were told after the dump, and push in doubt.
        self.lose_everything()
        in_doubt = self.restored()
        self.finish(job, due, [], told)
        again = self.accepted(job)
        twice = {one for one, count in again.items() if count > 1}
        owners = {(channel, address): (channel, person) for channel in CHANNELS
                  for person, addresses in run.addresses("creator", channel).items() for address in addresses}
        since = set(told[job]) - set(before)
        self.assertTrue(twice, "what the chapter warns of")
        resent = {one for one in twice - since if owners[one] not in in_doubt}
        self.assert_same(resent, set(), "told before the dump, and again")
        self.assertEqual(max(again.values()), 2)
        doubtful = {one for one, person in owners.items() if person in in_doubt}
        self.assert_same(set(owners) - set(again) - doubtful, set(), "never told")
        say(f"    {len(since)} told after the dump, {len(twice)} of them twice; {len(in_doubt)} in doubt in it")

    def finish(self, job, due, cancelled, told):
        run = self.run_
        run.producer()
        run.worker()
        until(lambda: run.state(job) == "sending", "the job to be found", 60)
        if cancelled:
            until(lambda: run.state(due), "what had become due to be published again", 60)
            listed = self.type(run, self.look)
            for each in cancelled:
                self.assertIn(each, listed)
                self.assertEqual(self.accepted(each), told[each], "held")
                self.type(run, self.cancel, JOB=each)
        self.assertIn("everyone has exactly one outcome", self.type(run, self.resume))
        run.wait_settled(*{job, *cancelled})
        self.assert_sound(run, job)


if __name__ == "__main__":
    main()
