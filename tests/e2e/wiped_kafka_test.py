#!/usr/bin/env python3
"""Kafka forgets everything: what was planned is still sent, because PostgreSQL owns the truth."""

import broker
from harness import EndToEnd, main, until


class WipedKafka(EndToEnd):
    def test_planned_chunks_are_published_again(self):
        run = self.new_run()
        run.people(1500)
        run.tune("email", chunk=50, chunks=2, per_second=60)
        run.tune("sms", per_second=60)
        run.tune("push", per_second=60)
        worker = run.worker()
        job = run.publish(run.job())
        until(lambda: run.state(job) == "sending" and min(run.told(job).values()) > 0, "sending to begin", 60)
        self.assertEqual(worker.end(), 0)
        left = int(run.db.value("SELECT sum(size) FROM chunk WHERE state = 'planned'"))
        self.assertGreater(left, 1000, "not in the middle")
        broker.delete_topics(run.brokers, run.topics)
        for channel in ("email", "sms", "push"):
            run.tune(channel, per_second=0)
        run.worker()
        run.wait_settled(job)
        self.assert_told_once(run, job)


if __name__ == "__main__":
    main()
