#!/usr/bin/env python3
"""Time: producers that die or sleep, clocks that jump, moments that coincide. Everyone is told once, nobody early."""

import threading
import uuid

from api_client import Backend
from harness import ROOT, EndToEnd, main, until
from system_case import SystemCase

PEOPLE = 12
CLOCK = """
    CREATE OR REPLACE FUNCTION app_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE
    AS 'SELECT clock_timestamp() + interval ''{} s''';"""
# Every claim, and how long after its moment: never before it.
CLAIMS = """
    CREATE TABLE claimed (kind text, subject text, late interval);
    CREATE FUNCTION note_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.epoch > OLD.epoch THEN
            INSERT INTO claimed VALUES (NEW.kind, NEW.subject, app_now() - NEW.due_at);
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER note_claim AFTER UPDATE ON notification FOR EACH ROW EXECUTE FUNCTION note_claim();
    -- While somebody holds this lock, nothing can be marked as published.
    CREATE FUNCTION hold_mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.state = 'published' THEN PERFORM pg_advisory_xact_lock_shared(42); END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER hold_mark BEFORE UPDATE ON notification FOR EACH ROW EXECUTE FUNCTION hold_mark();
"""
HERE = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
HELD = f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted AND {HERE}"


class TimeCase(SystemCase):
    """The systems' clock and the ledger's are one, and the test sets it."""

    def begin_at(self, system="shows", **producer):
        run = self.new_run(system=system)
        text = (ROOT / f"config/systems/{system}/system.yaml").read_text()
        # A producer that is frozen in its look at the shows holds the others up for five seconds more than that.
        run.system("statement_timeout_ms: 5000\n" + text.replace("now()", "app_now()"), system)
        run.settings["producer"].update({"lease_ms": 2000, **producer})
        run.db.psql(CLAIMS)
        return run

    def shift(self, run, seconds):
        run.db.psql(CLOCK.format(seconds))

    def show(self, run, name, due_in, title="Friday Night"):
        """A show whose reminder is due then, on the clock as it is."""
        run.db.psql(f"""
            INSERT INTO scheduled_shows (id, user_id, title, scheduled_at, created_at, updated_at)
            VALUES ('{name}', 'creator', '{title}',
                    app_now() AT TIME ZONE 'UTC' + interval '15 minutes' + interval '{due_in}',
                    app_now() AT TIME ZONE 'UTC', app_now() AT TIME ZONE 'UTC');""")

    def in_state(self, run, state, names, kind="show.reminder"):
        until(lambda: {s for s, found in self.states(run, kind) if found == state} >= set(names),
              lambda: f"{names} to be {state}: {self.states(run, kind)}", 30)

    def assert_once(self, run, names, kind="show.reminder"):
        """Everyone was told of each of these once, and of nothing else."""
        jobs = [self.jobs(run, kind, name) for name in names]
        self.assertEqual([len(found) for found in jobs], [1] * len(names), names)
        run.wait_settled(*(job for (job,) in jobs))
        for (job,) in jobs:
            self.assert_told_once(run, job)
        self.assert_nothing_else(run, [job for (job,) in jobs])
        self.assertEqual(run.db.rows("SELECT kind, subject, late FROM claimed WHERE late < interval '0'"), [])


class ScheduleTime(TimeCase):
    def test_producers_that_die_while_the_clock_jumps(self):
        run = self.begin_at()
        run.people(PEOPLE, sms=False, push=False)
        run.worker()

        # Claimed and not published: its records wait in a producer that is killed. Another one was
        # asleep in the same place; the clock jumps, a third takes over, and the sleeper publishes late.
        names = ["a1", "a2", "a3"]
        run.settings["kafka"]["client"]["linger.ms"] = "60000"
        dying = run.producer()
        for name in names[:2]:
            self.show(run, name, "-1 second")
        self.in_state(run, "publishing", names[:2])
        dying.kill()
        run.settings["kafka"]["client"]["linger.ms"] = "5000"
        sleeper = run.producer()
        self.show(run, "a3", "-1 second")
        self.in_state(run, "publishing", ["a3"])
        self.freeze(sleeper)
        self.assertEqual(run.db.value("SELECT count(*) FROM job"), "0")
        self.shift(run, 120)
        del run.settings["kafka"]["client"]["linger.ms"]
        first = run.producer()
        self.in_state(run, "published", names)
        self.thaw(sleeper)
        self.assert_once(run, names)

        # Published and not marked: the clock jumps back, the producers die, others come.
        second = run.producer()
        holder = self.hold_marks(run)
        names += ["b1", "b2"]
        for name in names[-2:]:
            self.show(run, name, "1 second")
        until(lambda: int(run.db.value("SELECT count(*) FROM job")) == len(names), "the jobs at the worker", 30)
        until(lambda: int(run.db.value(HELD)) > 0, "a mark to wait", 20)
        self.shift(run, -180)
        for producer in (sleeper, first, second):
            producer.kill()
        run.db.psql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 "
                    f"AND NOT granted AND {HERE}; SELECT pg_terminate_backend({holder});")
        self.assertEqual({s for s, state in self.states(run, "show.reminder") if state == "publishing"}, {"b1", "b2"})
        third = run.producer()
        run.producer()

        # Due while the clock is behind: not before. Ahead again: at once, and what was unmarked is marked.
        names.append("c1")
        self.show(run, "c1", "100 seconds")
        self.in_state(run, "scheduled", ["c1"])
        third.kill()
        self.shift(run, 130)
        self.in_state(run, "published", names)
        run.producer()
        self.shift(run, 0)
        self.show(run, "d1", "-1 second")
        self.in_state(run, "published", ["d1"])
        self.assert_once(run, [*names, "d1"])

    def hold_marks(self, run):
        """The backend that holds the lock."""
        run.start("psql", "psql", "-X", "-q", "-d", run.db.url, "-c",
                  "SELECT pg_advisory_lock(42); SELECT pg_sleep(600);")
        # Whoever marks just now has it, too, for a moment, but shared.
        return until(lambda: run.db.value("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND granted "
                                          "AND mode = 'ExclusiveLock' AND " + HERE), "the lock", 20)

    def freeze(self, process):
        process.signal(19)  # SIGSTOP

    def thaw(self, process):
        process.signal(18)  # SIGCONT

    def test_an_hour_without_a_producer(self):
        run = self.begin_at()
        run.people(PEOPLE, sms=False, push=False)
        producer = run.producer()
        stale, late, ahead = ([f"{word}{n}" for n in range(4)] for word in ("stale", "late", "ahead"))
        for n in range(4):
            self.show(run, stale[n], f"{5 + n} minutes")
            self.show(run, late[n], f"{47 + 3 * n} minutes")
            self.show(run, ahead[n], "2 hours")
        self.show(run, "told", "-1 second")
        self.in_state(run, "scheduled", [*stale, *late])
        run.worker()
        run.wait_settled(self.published(run, "show.reminder", "told"))
        self.assertEqual(producer.end(), 0)
        # Meanwhile: one is cancelled, one is new and due already, and an hour passes.
        self.shift(run, 3600)
        run.db.psql("UPDATE scheduled_shows SET status = 'cancelled', updated_at = app_now() AT TIME ZONE 'UTC' "
                    f"WHERE id IN ('{late[0]}', 'told');")
        self.show(run, "new", "-8 minutes")
        run.producer()
        self.in_state(run, "expired", stale)
        self.in_state(run, "published", [*late[1:], "new"])
        self.in_state(run, "cancelled", late[:1])
        cancelled = self.settled(run, "show.cancelled", "told")
        self.assert_told_once(run, cancelled)
        jobs = [self.settled(run, "show.reminder", name) for name in ("told", *late[1:], "new")]
        for job in jobs:
            self.assert_told_once(run, job)
        self.assert_nothing_else(run, [cancelled, *jobs])
        self.assertEqual({s for s, state in self.states(run, "show.reminder") if state == "scheduled"}, set(ahead))
        self.assertEqual(run.db.rows("SELECT kind, subject, late FROM claimed WHERE late < interval '0'"), [])


class Coincide(TimeCase):
    SYSTEM = "events"

    def test_by_the_clock_by_hand_and_by_the_api_at_once(self):
        run = self.begin_at("events")
        run.with_links()
        run.with_clients()
        run.worker()
        run.producer()
        front = run.front()
        run.producer()
        # Created so late that no reminder is due already.
        event = run.db.value(f"""
            INSERT INTO events (owner_id, owner_name, brand_name, title, start_time, created_at) VALUES
            ('{uuid.uuid4()}', 'Nora', 'Lumen', 'Open Day', now() + interval '40 minutes', now())
            RETURNING id;""")
        run.db.psql(f"""
            INSERT INTO event_registrations (event_id, first_name, last_name, email, registered_at)
            SELECT '{event}', 'Viewer', 'Test', 'p' || n || '@example.com', now() - interval '2 hours'
            FROM generate_series(1, {PEOPLE}) n;""")
        self.state(run, "event.started", event, "scheduled")
        notification = run.db.value("SELECT job_id FROM notification WHERE kind = 'event.started'")
        backend = Backend(front, "shop")
        answers = []
        barrier = threading.Barrier(4)

        def together(act):
            barrier.wait(20)
            act()

        acts = [lambda: answers.append(backend.post(f"/v1/notifications/{notification}/send-now"))] * 2 + [
            lambda: run.db.psql("UPDATE events SET status = 'live', started_at = start_time, updated_at = now();"),
            lambda: self.shift(run, 40 * 60)]
        threads = [threading.Thread(target=together, args=(act,)) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        job = self.settled(run, "event.started", event)
        self.assertEqual(job, notification)
        self.assertTrue(all(status < 500 for status, _, _ in answers), answers)
        self.assertEqual(len(answers), 2)
        self.assert_told(run, job, "email", [f"p{n}@example.com" for n in range(1, PEOPLE + 1)])
        self.assert_nothing_else(run, [job])


if __name__ == "__main__":
    main(at_once=2)
