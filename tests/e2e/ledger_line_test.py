#!/usr/bin/env python3
"""The line to PostgreSQL dies in every way in the midst of a job, or PostgreSQL turns programs away: nobody is lost,
nobody is told twice, and nobody is restarted for it."""

import urllib.parse

import postgres
from harness import EndToEnd, main, say, until
from tcp_proxy import TcpProxy

PEOPLE = 1500
CHANNELS = ("email", "sms")


class LedgerLine(EndToEnd):
    def start(self, people=PEOPLE):
        run = self.new_run()
        parts = urllib.parse.urlsplit(run.db.url)
        self.line = TcpProxy(parts.port)
        self.addCleanup(self.line.stop)
        through = parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{self.line.port}"))
        run.system_url = {name: through.geturl() for name in (*run.system_url, "FANFARE_DATABASE_URL")}
        run.people(people, push=False)
        run.tune("email", chunk=10, chunks=4, concurrency=2)
        run.tune("sms", chunk=16, chunks=8, concurrency=20)
        run.sim.control(all={"latency_ms": 20})
        return run

    def finish(self, run, job, worker):
        run.sim.control(all={"latency_ms": 0})
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=CHANNELS)
        self.assertEqual(worker.end(), 0)

    def test_connections_are_terminated_at_random(self):
        run = self.start()
        worker = run.worker()
        job = run.publish(run.job(channels=CHANNELS))
        ended = 0
        for told in range(200, 2600, 200):
            self.wait_told(run, job, told, 120)
            ended += self.end_connections(run, 0.7)
        self.finish(run, job, worker)
        say(f"    {ended} connections terminated")
        self.assertGreater(ended, 12)

    def test_the_answer_to_a_commit_is_lost(self):
        """Whatever a worker says: its statements commit by themselves."""
        run = self.start()
        worker = run.worker()
        job = run.publish(run.job(channels=CHANNELS))
        for told in range(200, 2600, 200):
            self.wait_told(run, job, told, 120)
            self.line.lose_answers(3)
        self.finish(run, job, worker)
        say(f"    {self.line.cuts} statements without an answer")
        self.assertGreater(self.line.cuts, 12)

    def test_a_line_that_is_dead_and_says_nothing(self):
        run = self.start()
        run.short_leases()
        worker = run.worker()
        job = run.publish(run.job(channels=CHANNELS))
        self.wait_told(run, job, 400, 120)
        self.line.swallow()
        self.noticed(worker)
        self.line.cut()
        self.line.swallow(False)
        self.finish(run, job, worker)
        self.assertGreater(self.line.swallowed, 0)

    def test_a_slow_database(self):
        run = self.start(300)
        worker = run.worker()
        job = run.publish(run.job(channels=CHANNELS))
        self.wait_told(run, job, 50, 120)
        self.line.delay(0.5)  # A statement takes a second or more.
        self.wait_told(run, job, 250, 120)
        self.line.delay(0)
        self.finish(run, job, worker)

    def test_no_connection_is_left(self):
        run = self.start()
        name = run.name
        run.maintenance.psql(f"CREATE ROLE {name} LOGIN PASSWORD '{name}';")
        self.addCleanup(run.maintenance.psql, f"DROP ROLE {name};")
        self.addCleanup(run.stop, wait=True)  # Before: what it owns goes with the database.
        run.db.psql(f"GRANT ALL ON SCHEMA public TO {name}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {name};"
                    f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {name};")
        run.system_url = {key: url.replace(urllib.parse.urlsplit(url).netloc.split("@")[0], f"{name}:{name}")
                          for key, url in run.system_url.items()}
        worker = run.worker()
        job = run.publish(run.job(channels=CHANNELS))
        self.wait_told(run, job, 400, 120)
        run.maintenance.psql(f"ALTER DATABASE {name} CONNECTION LIMIT 0;")
        self.end_connections(run)
        self.noticed(worker)
        until(lambda: "no connection to spare" in worker.log.read_text(), "the worker to say why", 60)
        run.maintenance.psql(f"ALTER DATABASE {name} CONNECTION LIMIT -1;")
        self.finish(run, job, worker)

    @staticmethod
    def end_connections(run, share=1.0):
        """Of programs, not of the test."""
        return int(run.maintenance.value(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
                                         f"'{run.name}' AND application_name <> '{postgres.NAME}' AND random() < {share}"))

    @staticmethod
    def noticed(worker):
        until(lambda: "PostgreSQL does not answer" in worker.log.read_text(), "the worker to notice", 120, 0.2)


if __name__ == "__main__":
    main(at_once=3)
