#!/usr/bin/env python3
"""Broadcasts: every live device once, settings as they are then, no second buzz, none when over."""

from harness import main, until
from system_case import SystemCase, utc

FOLLOWERS = 40


class SystemBroadcasts(SystemCase):
    SYSTEM = "broadcasts"

    def people(self, run):
        """Curators 1 to 4; everyone from 101 on follows each, every fifth with a tablet, too."""
        run.db.psql(f"""
            INSERT INTO users (id, username, locale) VALUES (1, 'ada', 'en'), (2, 'ben', 'en'), (3, 'cy', 'en'),
                (4, 'di', 'en');
            INSERT INTO users (id, username, locale)
            SELECT 100 + n, 'fan' || n, (ARRAY['en', 'de', 'es', 'fr'])[1 + n % 4] FROM generate_series(1, {FOLLOWERS}) n;
            INSERT INTO follows (curator_id, follower_id)
            SELECT c, 100 + n FROM generate_series(1, 4) c, generate_series(1, {FOLLOWERS}) n;
            INSERT INTO push_notification_tokens (user_id, token)
            SELECT 100 + n, 'token-' || n FROM generate_series(1, {FOLLOWERS}) n UNION ALL
            SELECT 100 + n, 'tablet-' || n FROM generate_series(5, {FOLLOWERS}, 5) n;""")

    def broadcast(self, run, curator, started="0 s", heartbeat="NULL", ended="NULL"):
        return run.db.value(
            "INSERT INTO broadcasts (curator_id, title, started_at, last_heartbeat_at, ended_at) "
            f"VALUES ({curator}, 'Late Night Tape', {utc(started)}, {heartbeat}, {ended}) RETURNING id;")

    def devices(self, run):
        return [t for (t,) in run.db.rows("SELECT token FROM push_notification_tokens")]

    def test_every_live_device_once(self):
        run = self.begin(programs=False)
        self.people(run)
        run.producer()
        dead = "token-7"
        run.sim.control(fcm={"fail_addresses": {dead: "UNREGISTERED"}})

        # The job is there, then somebody turns it off: settings count as they are at sending.
        run.db.psql("INSERT INTO user_notification_settings VALUES (103, 'broadcast.started', true),"
                    "(104, 'broadcast.started', false), (105, 'something.else', false);")
        first = self.broadcast(run, 1, started="-30 seconds")
        job = self.published(run, "broadcast.started", first)
        run.db.psql("UPDATE user_notification_settings SET enabled = false WHERE user_id = 103;")
        run.worker()
        run.wait_settled(job)
        fates = self.assert_sound(run, job)
        out = {r for (_, r), fate in fates.items() if fate[0] == "opted_out"}
        self.assertEqual(out, {"103", "104"})
        alive = [t for t in self.devices(run) if t not in (dead, "token-3", "token-4")]
        self.assert_told(run, job, "push", alive)
        for token, title in (("token-8", "ada is on air"), ("token-5", "ada ist auf Sendung"),
                             ("token-6", "ada está en el aire"), ("token-11", "ada est à l'antenne")):
            text = self.message(run, token, job)
            self.assertIn(title, text)
            self.assertIn("Late Night Tape", text)
            self.assertIn("broadcast-1", text)
        until(lambda: dead not in self.devices(run), "the dead token to leave their table", 20)
        self.assertEqual(len(self.devices(run)), FOLLOWERS + FOLLOWERS // 5 - 1)

        # A restart within minutes, and a broadcast that died unnoticed: nobody is told.
        run.db.psql(f"UPDATE broadcasts SET ended_at = {utc()} WHERE id = '{first}';")
        again = self.broadcast(run, 1)
        over = self.broadcast(run, 3, started="-9 minutes", heartbeat=utc("-6 minutes"))
        second = self.broadcast(run, 2, started="-9 minutes", heartbeat=utc("-20 seconds"))
        told = self.settled(run, "broadcast.started", second)
        self.assertEqual(self.jobs(run, "broadcast.started", again), [])
        self.assertEqual(self.jobs(run, "broadcast.started", over), [])

        # A false start told nobody: the next one counts.
        self.broadcast(run, 4, started="-1 minute", ended=utc("-58 seconds"))
        third = self.settled(run, "broadcast.started", self.broadcast(run, 4))
        self.assert_nothing_else(run, [job, told, third])

    def test_a_broadcast_that_ends_stops(self):
        run = self.begin(programs=False)
        self.people(run)
        run.tune("push", chunk=4, chunks=2, concurrency=1, per_second=4)
        run.producer()
        # Not taken by any worker yet: none begins.
        early = self.broadcast(run, 3)
        at_the_broker = self.published(run, "broadcast.started", early)
        run.db.psql(f"UPDATE broadcasts SET ended_at = {utc()} WHERE id = '{early}';")
        until(lambda: run.state(at_the_broker) == "cancelled", "the job to end", 20)
        run.worker()
        # While it is sent: nobody else is told.
        one = self.broadcast(run, 1)
        job = self.published(run, "broadcast.started", one)
        until(lambda: run.told(job)["push"] >= 6, "the first to be told", 30)
        run.db.psql(f"UPDATE broadcasts SET ended_at = {utc()} WHERE id = '{one}';")
        run.wait_settled(job)
        fates = self.assert_sound(run, job)
        self.assertEqual(set(fates.values()), {("sent", "none"), ("cancelled", "job_cancelled")})
        sent = {r for (_, r), (outcome, _) in fates.items() if outcome == "sent"}
        told = {str(100 + int(token.split("-")[1])) for token in run.accepted("push", job)}
        self.assert_same(told, sent, "told before it ended")
        self.assertEqual(run.fates(at_the_broker), {})
        self.assert_nothing_else(run, [job])

    def test_a_silent_broadcast_is_over(self):
        run = self.begin(programs=False)
        self.people(run)
        producer = run.producer()
        one = self.broadcast(run, 1, started="-9 minutes", heartbeat=utc("-288 seconds"))
        job = self.published(run, "broadcast.started", one)
        producer.end()  # Nobody looks any more.
        until(lambda: run.db.value("SELECT last_heartbeat_at + interval '5 minutes' < now() AT TIME ZONE 'UTC' "
                                   "FROM broadcasts") == "t", "five minutes without a heartbeat", 60)
        run.worker()
        run.wait_settled(job)
        self.assertEqual(set(self.assert_sound(run, job).values()), {("expired", "past_expiry")})
        self.assert_nothing_else(run, [])


if __name__ == "__main__":
    main(at_once=3)
