#!/usr/bin/env python3
"""Mail over SMTP through a server that loses, refuses and delays: everyone is accounted for, nobody gets two."""

import harness
from harness import EndToEnd, main

PEOPLE = 300
PASSWORD = "0123456789abcdef"


class MailFaults(EndToEnd):
    def start(self):
        harness.PROVIDERS["email"] = "smtp"
        run = self.new_run(kafka=False)
        run.settings["kafka"]["embedded_address_file"] = str(run.dir / "broker")
        secret = run.dir / "smtp.password"
        secret.write_text(PASSWORD)
        run.settings["accounts"][0] = {
            "name": "e2e-smtp", "type": "smtp", "channel": "email", "timeout_ms": 2000, "ca_file": str(run.sim.ca),
            "rate": {"per_second": 0, "concurrency": 16},
            "options": {"host": "localhost", "port": str(run.sim.ports["smtp"]), "username": "fanfare",
                        "from": "Fanfare <shows@example.org>"},
            "secrets": {"password": {"file": str(secret)}}}
        run.people(PEOPLE)
        return run

    def told(self, run):
        worker = run.worker()
        job = run.job(channels=["email"])
        run.publish(job, brokers=(run.dir / "broker").read_text().strip())
        run.wait_settled(job["id"])
        self.assertEqual(worker.end(), 0)
        found = run.sim.summary()["smtp"]
        for name in ("bad_requests", "leaks", "duplicated"):
            self.assertEqual(found.get(name, 0), 0, name)
        return job["id"]

    def test_everybody_is_told_once(self):
        run = self.start()
        job = self.told(run)
        self.assert_told_once(run, job, channels=("email",))

    def test_what_is_lost_is_unknown_and_what_failed_is_sent_again(self):
        run = self.start()
        run.sim.control(smtp={"lose_before_rate": 0.04, "throttle_rate": 0.04, "error_rate": 0.04,
                              "refuse_rate": 0.05, "lose_after_rate": 0.04, "malformed_rate": 0.03,
                              "blackhole_rate": 0.02, "latency_ms": 5,
                              # Each once for sure.
                              "script": ["lose_before", "throttle", "error", "refuse", "lose_after", "malformed", "blackhole"]})
        run.settings["worker"]["attempts_max"] = 20
        job = self.told(run)
        counts = self.assert_accounted(run, job, channels=("email",), once=("email",))["email"]
        found = run.sim.summary()["smtp"]
        for name in ("lost_before", "throttled", "errors", "refused", "lost_after", "malformed", "blackholed"):
            self.assertGreater(found[name], 0, f"the fault {name} has happened")
        # The server closes before it answers the end of a message: that is doubt as well.
        doubt = sum(found[n] for n in ("lost_before", "lost_after", "malformed", "blackholed"))
        self.assertEqual(counts["unknown"], doubt)
        self.assertEqual(counts["refused"], found["refused"])
        self.assertEqual(counts["sent"], PEOPLE - doubt - found["refused"])


if __name__ == "__main__":
    main()
