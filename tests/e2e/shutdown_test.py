#!/usr/bin/env python3
"""SIGTERM ends the programs within their bound, whatever is away, and nothing is lost by it."""

import signal
import time

import broker
from harness import CHANNELS, ROOT, main, say, until
from own_stack import OwnStack

PEOPLE = 400
DRAIN_S = 3
BOUND_S = DRAIN_S + 2
PATIENCE_S = BOUND_S + 20  # Of a loaded machine; a program that hangs is found all the same.
LEFT = "left to their leases"
ASKED_TWICE = 130
ENDLESS_S = 300  # Nothing but a second signal ends a drain that waits for what does not come.


class Shutdown(OwnStack):
    def end(self, process, what):
        """The exit code; how long it took is printed, not asserted: machines differ."""
        began = time.monotonic()
        code = process.end(timeout_s=PATIENCE_S)
        say(f"    {what}: {process.name} ended with {code} after {time.monotonic() - began:.1f} s "
            f"(at most {BOUND_S} s are promised)")
        self.assertEqual(code, 0)
        return process.log.read_text(errors="replace")

    def end_by_two_signals(self, process):
        process.ask_to_end()
        until(lambda: "draining" in process.log.read_text(errors="replace"), "it to drain", 60)
        process.signal(signal.SIGTERM)
        self.assertEqual(process.ended(ENDLESS_S // 2), ASKED_TWICE)
        self.assertNotIn("drained", process.log.read_text(errors="replace"))

    def start(self, drain_s=DRAIN_S):
        run = self.own_run()
        run.people(PEOPLE)
        run.settings["worker"]["drain_max_ms"] = drain_s * 1000
        run.settings["producer"]["drain_max_ms"] = drain_s * 1000
        return run


class WorkerShutdown(Shutdown):
    def sending(self):
        """A worker in the middle of a job."""
        run = self.start()
        run.tune("email", chunk=20, chunks=2, concurrency=2)
        run.tune("sms", chunk=16, chunks=2, concurrency=4)
        run.tune("push", chunk=25, chunks=2, concurrency=4)
        run.short_leases(lease_ms=8000)
        run.sim.control(all={"latency_ms": 200})
        worker = run.worker()
        job = run.publish(run.job())
        until(lambda: min(run.told(job).values()) > 0, lambda: "all channels" + run.progress(), 60, 0.02)
        return run, worker, job

    def settle(self, run, job, once=("email", "sms")):
        run.sim.control(all={"latency_ms": 0})
        run.worker()
        run.wait_settled(job, timeout_s=180)
        return self.assert_accounted(run, job, once=once)

    def test_all_well(self):
        run, worker, job = self.sending()
        log = self.end(worker, "all well")
        self.assertIn("drained", log)
        self.assertNotIn(LEFT, log)
        counts = self.settle(run, job)
        self.assertEqual(counts, {channel: {"sent": PEOPLE} for channel in CHANNELS})

    def test_postgresql_is_stopped(self):
        run, worker, job = self.sending()
        self.stack("stop", "postgres", "--immediate")
        log = self.end(worker, "PostgreSQL stopped")
        self.assertIn(LEFT, log)
        self.stack("start", "postgres")
        self.settle(run, job)

    def test_kafka_is_stopped(self):
        run, worker, job = self.sending()
        self.stack("stop", "kafka", "--kill")
        self.end(worker, "Kafka stopped")
        self.stack("start", "kafka")
        self.settle(run, job)

    def test_the_topics_are_gone(self):
        run, worker, job = self.sending()
        broker.delete_topics(run.brokers, run.topics)
        self.end(worker, "topics gone")
        self.settle(run, job)

    def test_a_provider_never_answers(self):
        run = self.start()
        for channel in CHANNELS:
            run.tune(channel, timeout_ms=60_000)
        run.settings["worker"]["lease_ms"] = 90_000
        run.sim.hold()
        worker = run.worker()
        job = run.publish(run.job(channels=["sms"]))
        until(lambda: run.claimed() and run.state(job) == "sending",
              lambda: "a chunk to be claimed" + run.progress(), 60)
        until(lambda: run.sim.parked("twilio") > 0, "a request that waits for its answer", 60)
        log = self.end(worker, "a provider never answers")
        self.assertIn(LEFT, log)
        run.sim.release()
        self.assertEqual(run.state(job), "sending")

    def test_a_second_signal(self):
        """No answer is waited for any more. Who was in a request is unknown after the lease; the others are told."""
        run = self.start(drain_s=ENDLESS_S)
        run.tune("sms", chunk=16, chunks=2, concurrency=4)
        run.short_leases(lease_ms=12_000, timeout_ms=7_000)  # No request is given up before.
        run.sim.hold()
        worker = run.worker()
        job = run.publish(run.job(channels=["sms"]))
        until(lambda: run.sim.parked("twilio") > 0, "a request that waits for its answer", 60)
        self.end_by_two_signals(worker)
        until(run.idle, "its connections to end", 20)
        in_doubt = run.begun()
        self.assertLess(0, len(in_doubt))
        run.sim.release()
        run.worker()
        run.wait_settled(job)
        counts = self.assert_accounted(run, job, channels=["sms"])["sms"]
        self.assertEqual(counts, {"sent": PEOPLE - len(in_doubt), "unknown": len(in_doubt)})
        self.assert_same({k for k, (o, _) in run.fates(job).items() if o == "unknown"}, in_doubt, "unknown")

    def test_a_slow_audience_query(self):
        run = self.start()
        text = (ROOT / "config/systems/shows/system.yaml").read_text()
        slow = "FROM followers, (SELECT pg_sleep(25)) AS slow WHERE followed_id = :user_id"
        self.assertIn("FROM followers WHERE followed_id = :user_id", text)
        run.system(text.replace("FROM followers WHERE followed_id = :user_id", slow))
        worker = run.worker()
        run.publish(run.job())
        # By what it waits for: a cursor's statement says FETCH alone.
        until(lambda: run.db.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") != "0",
              lambda: "the audience to be read" + run.progress(), 60)
        self.end(worker, "a slow audience")


class ProducerShutdown(Shutdown):
    def serving(self):
        """A producer with the HTTP API."""
        run = self.start()
        run.with_links()
        run.with_clients()
        return run, run.producer()

    def test_all_well(self):
        _, producer = self.serving()
        self.assertIn("drained", self.end(producer, "all well"))

    def test_postgresql_is_stopped(self):
        _, producer = self.serving()
        self.stack("stop", "postgres", "--immediate")
        self.end(producer, "PostgreSQL stopped")
        self.stack("start", "postgres")

    def test_kafka_is_stopped(self):
        run, producer = self.serving()
        self.stack("stop", "kafka", "--kill")
        # Something is on its way to the broker, and does not arrive.
        run.db.psql("INSERT INTO notification (system, kind, subject, occurrence, due_at, params, data, job_id) "
                    "VALUES ('shows', 'show.reminder', 's', now(), now(), '{\"user_id\": \"creator\"}', "
                    "'{}', gen_random_uuid()); NOTIFY fanfare;")
        until(lambda: run.db.value("SELECT state FROM notification") == "publishing", "a claim", 60)
        self.end(producer, "Kafka stopped")
        self.stack("start", "kafka")

    def test_the_topics_are_gone(self):
        run, producer = self.serving()
        broker.delete_topics(run.brokers, run.topics)
        self.end(producer, "topics gone")

    def with_a_due_query_that_hangs(self, **options):
        run = self.start(**options)
        text = (ROOT / "config/systems/shows/system.yaml").read_text()
        self.assertIn("FROM scheduled_shows s", text)
        run.system("statement_timeout_ms: 100000\n" + text.replace(
            "FROM scheduled_shows s", "FROM (SELECT pg_sleep(90)) AS slow, scheduled_shows s"))
        producer = run.producer()
        until(lambda: run.db.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") != "0",
              "the due query to run", 60)
        return producer

    def test_a_due_query_never_answers(self):
        producer = self.with_a_due_query_that_hangs()
        self.assertIn("producer.drain_max_ms is over", self.end(producer, "a due query never answers"))

    def test_a_second_signal(self):
        self.end_by_two_signals(self.with_a_due_query_that_hangs(drain_s=ENDLESS_S))


if __name__ == "__main__":
    main()
