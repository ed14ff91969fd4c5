#!/usr/bin/env python3
"""A broker that refuses, is late and moves what it leads, in the midst of a job: nobody is lost, nobody is told twice."""

import mock_broker
from harness import CHANNELS, PARTITIONS, EndToEnd, main
from mock_broker import MockBroker

PEOPLE = 900


class BrokerFaults(EndToEnd):
    def start(self, people=PEOPLE, led=True):
        """led: what chunks are published to."""
        run = self.new_run(kafka=False)
        self.mock = MockBroker(run.topics, PARTITIONS)
        self.addCleanup(self.mock.stop)
        if not led:
            self.lead_chunks(run, -1)
        run.settings["kafka"]["brokers"] = self.mock.brokers
        run.people(people)
        run.tune("email", chunk=10, chunks=4, concurrency=2)
        run.tune("sms", chunk=16, chunks=8, concurrency=20)
        run.tune("push", chunk=25, chunks=8, concurrency=20)
        run.sim.control(all={"latency_ms": 20})
        return run, run.worker()

    def lead_chunks(self, run, number):
        for topic in run.topics:
            for partition in range(PARTITIONS if ".chunks." in topic else 0):
                self.mock.lead(topic, partition, number)

    def order(self, run):
        return run.publish(run.job(), brokers=self.mock.brokers)

    def finish(self, run, worker, *jobs):
        run.wait_settled(*jobs)
        for job in jobs:
            self.assert_told_once(run, job, channels=CHANNELS)
        self.assertEqual(worker.end(), 0)

    def test_what_is_published_is_refused(self):
        """By the worker, which cannot plan, and so publish, before the errors wait for it."""
        run, worker = self.start()
        with self.locked(run, "LOCK TABLE chunk IN ACCESS EXCLUSIVE MODE"):
            job = self.order(run)
            self.mock.refuse(mock_broker.PRODUCE, mock_broker.TRANSPORT, mock_broker.NOT_ENOUGH_REPLICAS,
                             mock_broker.TIMED_OUT, mock_broker.NOT_LEADER, mock_broker.TRANSPORT)
        self.finish(run, worker, job)

    def test_commits_are_refused(self):
        run, worker = self.start()
        jobs = []
        for error in (mock_broker.ILLEGAL_GENERATION, mock_broker.UNKNOWN_MEMBER, mock_broker.REBALANCING,
                      mock_broker.TIMED_OUT):
            self.mock.refuse(mock_broker.OFFSET_COMMIT, error, error)
            jobs.append(self.order(run))
            self.wait_told(run, jobs[-1], 300, 120)
        self.finish(run, worker, *jobs)

    def test_the_coordinator_moves_and_is_away(self):
        run, worker = self.start()
        jobs = []
        for number in (2, 1, 2):
            self.mock.coordinate(run.name, number)
            self.mock.refuse(mock_broker.FIND_COORDINATOR, mock_broker.COORDINATOR_GONE, mock_broker.COORDINATOR_LOADING)
            self.mock.refuse(mock_broker.HEARTBEAT, mock_broker.NOT_COORDINATOR, mock_broker.REBALANCING)
            self.mock.refuse(mock_broker.JOIN_GROUP, mock_broker.COORDINATOR_LOADING)
            self.mock.refuse(mock_broker.SYNC_GROUP, mock_broker.REBALANCING)
            jobs.append(self.order(run))
            self.wait_told(run, jobs[-1], 300, 120)
        self.finish(run, worker, *jobs)

    def test_every_answer_takes_two_seconds(self):
        run, worker = self.start(300)
        self.mock.delay(2000)
        job = self.order(run)
        run.wait_settled(job)
        self.mock.delay(0)
        self.finish(run, worker, job)

    def test_partitions_without_a_leader(self):
        """What lies there waits; the sweeper fetches chunks from the ledger meanwhile. They have none from the beginning on:
        librdkafka 2.8's mock cluster dies when it is asked for a partition that has lost its leader."""
        run, worker = self.start(led=False)
        job = self.order(run)
        run.wait_settled(job)
        self.lead_chunks(run, 1)
        self.finish(run, worker, job, self.order(run))

    def test_partitions_get_another_leader(self):
        run, worker = self.start()
        jobs = []
        for number in (2, 1, 2):
            jobs.append(self.order(run))
            self.wait_told(run, jobs[-1], 300, 120)
            self.lead_chunks(run, number)
        self.finish(run, worker, *jobs)


if __name__ == "__main__":
    main(at_once=3)
