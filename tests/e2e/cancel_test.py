#!/usr/bin/env python3
"""A cancelled job stops, an expired one never starts."""

import json
from collections import Counter
from datetime import datetime, timedelta, timezone

import broker
from harness import CHANNELS, EndToEnd, Lag, main, until

PEOPLE = 1500


def moment(seconds):
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Cancel(EndToEnd):
    def slow_run(self):
        run = self.new_run()
        run.people(PEOPLE)
        run.tune("email", chunk=25, chunks=2, concurrency=2, per_second=100)
        run.tune("sms", chunk=16, chunks=4, per_second=100)
        run.tune("push", chunk=20, chunks=4, per_second=100)
        return run

    def split(self, run, job, rest):
        """Everybody was told or is `rest`; nobody is both. Returns how many were told, by channel."""
        fates = self.assert_sound(run, job)
        told = {}
        for channel in CHANNELS:
            accepted = run.accepted(channel, job)
            people = run.addresses("creator", channel)
            owner = {a: r for r, addresses in people.items() for a in addresses}
            sent = {r for (c, r), (o, _) in fates.items() if c == channel and o == "sent"}
            outcomes = Counter(o for (c, _), (o, _) in fates.items() if c == channel)
            self.assertEqual(set(outcomes) - {"sent", rest}, set(), channel)
            self.assertGreater(outcomes[rest], 0, channel)
            self.assert_same({owner[a] for a in accepted}, sent, f"told on {channel}")
            self.assertEqual(max(accepted.values(), default=1), 1, f"told twice on {channel}")
            told[channel] = len(accepted)
        return told

    def test_a_cancelled_job_stops(self):
        run = self.slow_run()
        run.worker()
        job = run.publish(run.job())
        until(lambda: min(run.told(job).values()) >= 50, lambda: "sending to begin" + run.progress(), 60)
        run.db.psql(f"UPDATE job SET state = 'cancelled', finished_at = app_now() WHERE id = '{job}';")
        run.db.psql("BEGIN; LOCK TABLE chunk IN SHARE MODE; COMMIT;")  # Who was claiming at that moment has done so.
        claimed = Counter(channel for channel, _ in run.claimed())
        before = run.told(job)
        run.wait_settled(job, within_s=50)  # Before the leases are over.
        told = self.split(run, job, "cancelled")
        for channel in CHANNELS:
            self.assertLessEqual(told[channel], before[channel] + claimed[channel], f"claimed after the cancel: {channel}")
            self.assertLess(told[channel], PEOPLE)
        self.assertEqual(run.state(job), "cancelled")

    def test_an_expired_job_tells_nobody(self):
        run = self.slow_run()
        run.worker()
        job = run.publish(run.job(expires_at=moment(-60)))
        run.wait_settled(job)
        fates = self.assert_sound(run, job)
        self.assertEqual(set(fates.values()), {("expired", "past_expiry")})
        self.assertEqual(len(fates), 3 * PEOPLE)
        self.assertEqual(sum(run.told(job).values()), 0)

    def test_a_job_expires_on_its_way(self):
        run = self.slow_run()
        run.worker()
        with Lag() as lag:
            job = run.publish(run.job(expires_at=moment(10)))
            run.wait_settled(job)
        told = self.split(run, job, "expired")
        last = max(p["last_accept_ns"] for p in run.sim.summary(job).values())
        limit = run.db.value(f"SELECT extract(epoch FROM expires_at) FROM job WHERE id = '{job}'")
        self.assertLessEqual(last / 1e9, float(limit) + lag.allows(0.5), "told after the expiry")
        self.assertGreater(sum(told.values()), 0)

    def test_a_life_time_counts_from_the_brokers_time(self):
        run = self.new_run()
        run.people(10)
        run.worker()
        now = datetime.now(timezone.utc)

        def publish(hours, **more):
            """By a client whose clock is so many hours off."""
            job = run.job(channels=["email"], ttl_s=600, **more)
            broker.publish(run.brokers, run.settings["kafka"]["topic_prefix"] + ".jobs",
                           [(b"k", json.dumps(job).encode(), {}, now + timedelta(hours=hours))])
            return job["id"]

        def lives(job):
            return float(run.db.value("SELECT extract(epoch FROM expires_at - timestamptz "
                                      f"'{now.isoformat()}') FROM job WHERE id = '{job}'"))

        jobs = [publish(hours) for hours in (-2, 0, 2)]
        run.wait_settled(*jobs)
        for job in jobs:
            self.assertEqual(set(run.fates(job).values()), {("sent", "none")}, "no clock but the broker's counts")
            self.assertGreaterEqual(lives(job), 600)
        # On a topic that somebody else made the client's counts, but gives nobody more time.
        other = run.settings["kafka"]["topic_prefix"] = f"{run.name}.theirs"
        run.topics += [topic.replace(run.name, other) for topic in run.topics]
        broker.create_topics(run.brokers, [other + ".jobs"], message_timestamp_type="CreateTime")
        run.worker()
        late, ahead = publish(-2), publish(0.5)
        run.wait_settled(late, ahead)
        self.assertEqual(set(run.fates(late).values()), {("expired", "past_expiry")})
        self.assertEqual(set(run.fates(ahead).values()), {("sent", "none")})
        over = (datetime.now(timezone.utc) - now).total_seconds()
        self.assertLessEqual(lives(ahead), 600 + over)


if __name__ == "__main__":
    main(at_once=2)
