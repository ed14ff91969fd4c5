#!/usr/bin/env python3
"""With a poll every minute only: what the databases say is heard at once, also after they were cut off."""

import json
import subprocess

from harness import BIN, ROOT, EndToEnd, main, until

PEOPLE = 20
SOON_S = 40  # Below the poll.


class Notify(EndToEnd):
    def show(self, run, name, due_in):
        run.db.psql(f"""BEGIN;
            INSERT INTO scheduled_shows (id, user_id, title, scheduled_at, status) VALUES
                ('{name}', 'creator', 'Show', now() AT TIME ZONE 'UTC' + interval '15 minutes' + interval '{due_in}', 'scheduled');
            NOTIFY a_show; COMMIT;""")

    def found(self, run, name, state):
        """The job of the show's notification, as soon as it is in that state."""
        return until(lambda: run.db.value("SELECT job_id FROM notification WHERE kind = 'show.reminder' "
                                          f"AND subject = '{name}' AND state = '{state}'"), f"{name} to be {state}", within_s=SOON_S)

    def listeners(self, run):
        return {pid for (pid,) in run.db.rows("SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN %' "
                                            "AND datname = current_database()")}

    def test_what_a_database_says_is_heard_at_once(self):
        run = self.new_run()
        run.people(PEOPLE, sms=False, push=False)
        run.settings["producer"]["poll_interval_ms"] = 60_000
        run.system("notify: a_show\noutbox: fanfare_outbox\n" + (ROOT / "config/systems/shows/system.yaml").read_text())
        run.db.psql((ROOT / "docs/examples/outbox.sql").read_text())
        run.producer()
        run.worker()
        until(lambda: len(self.listeners(run)) == 2, "the producer to listen to the ledger and to the system")
        listening = self.listeners(run)

        # A row of a due query, the outbox, and an order that another process writes in the ledger.
        self.show(run, "live", "-1 second")
        jobs = [self.found(run, "live", "published")]
        self.show(run, "later", "30 minutes")
        later = self.found(run, "later", "scheduled")
        subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "notifications", "send-now", later], check=True,
                       env=run.environment(), timeout=60, capture_output=True)
        jobs.append(self.found(run, "later", "published"))
        job = run.job(channels=["email"])
        text = json.dumps({k: v for k, v in job.items() if k not in ("id", "idempotency_key", "system")})
        run.db.psql("INSERT INTO fanfare_outbox (job) VALUES ('" + text.replace("'", "''") + "');")
        jobs.append(until(lambda: run.db.value(f"SELECT id FROM job WHERE kind = '{job['kind']}' AND id NOT IN "
                                               f"('{jobs[0]}', '{jobs[1]}')"), "the job of the outbox", within_s=SOON_S))

        # Cut off: it listens again, and asks for what it may have missed.
        run.db.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' "
                    "AND datname = current_database()")
        self.show(run, "missed", "-1 second")
        jobs.append(self.found(run, "missed", "published"))
        until(lambda: len(self.listeners(run) - listening) == 2, "the producer to listen again")
        self.show(run, "again", "-1 second")
        jobs.append(self.found(run, "again", "published"))
        run.wait_settled(*jobs)
        for told in jobs:
            self.assert_told_once(run, told, channels=("email",))


if __name__ == "__main__":
    main()
