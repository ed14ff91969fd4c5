#!/usr/bin/env python3
"""The doctor finds what is wrong, and says what to type."""

import json
import pathlib
import subprocess
import tempfile

import accounts
import broker
from harness import BIN, ROOT, EndToEnd, main, until

FURTHER = ("sendgrid", "ses", "smtp", "vonage", "apns")


class Doctor(EndToEnd):
    def sound_run(self, **options):
        run = self.new_run(**options)
        # What it would rightly note of a test's surroundings.
        for account in run.settings["accounts"]:
            account["rate"]["per_second"] = 100
        self.write(run)
        self.ask(run, "topics")
        return run

    def write(self, run, settings=None):
        (run.dir / "fanfare.yaml").write_text(json.dumps(settings or run.settings, indent=1))

    def ask(self, run, *arguments, **environment):
        return subprocess.run([BIN / "fanfare", "--json", "-c", run.dir / "fanfare.yaml", *arguments],
                              env=run.environment(**environment), text=True, capture_output=True, timeout=120)

    def doctor(self, run, code=1, **environment):
        done = self.ask(run, "doctor", **environment)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def found(self, run, level, what, type_, **environment):
        """There is such a finding, and it says what to type."""
        findings = self.doctor(run, 1 if level == "error" else 0, **environment)
        fitting = [f for f in findings if f["level"] == level and what in f["what"] + ": " + f["found"]]
        self.assertTrue(fitting, findings)
        self.assertIn(type_, fitting[0]["type"], fitting)
        return findings

    def further_accounts(self, run, apns_key):
        more = [accounts.account(run, provider) for provider in FURTHER]
        for account in more:
            account["rate"]["per_second"] = 100
        more[-1]["secrets"]["private_key"] = {"file": str(apns_key)}
        return {**run.settings, "accounts": run.settings["accounts"] + more}

    def each_proves_its_credentials(self, run, apns_key):
        """By a call of its vendor's own; nobody is sent anything."""
        self.write(run, self.further_accounts(run, apns_key))
        said = {f["what"]: f["found"] for f in self.doctor(run, 0)}
        for provider in FURTHER:
            self.assertEqual(said[f"account e2e-{provider}"], f"{provider} takes its credentials")
        other = accounts._key(run, "other.p8", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        self.write(run, self.further_accounts(run, other))
        bad = {"E2E_SENDGRID_KEY": "SG.bad", "E2E_SES_SECRET": "bad", "E2E_SMTP_PASSWORD": "bad",
               "E2E_VONAGE_SECRET": "bad"}
        findings = {f["what"]: f for f in self.doctor(run, 1, **bad)}
        codes = {"sendgrid": "401", "ses": "SignatureDoesNotMatch", "smtp": "535", "vonage": "401",
                 "apns": "InvalidProviderToken"}
        for provider, code in codes.items():
            found = findings[f"account e2e-{provider}"]
            self.assertEqual((found["level"], found["found"]), ("error", f"{provider} refuses its credentials ({code})"))
            self.assertIn(f"mend the secrets of account e2e-{provider}", found["type"])
        self.write(run)
        for provider in FURTHER:
            self.assertEqual(run.sim.summary()[provider]["accepted"], 0, provider)

    def test_ten_planted_faults(self):
        keys = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        apns_key, public = keys / "apns.p8", keys / "apns.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", apns_key],
                       check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", apns_key, "-pubout", "-out", public], check=True, capture_output=True)
        run = self.sound_run(sim=["--apns-public-key", str(public)])
        worker = run.worker()
        well = self.doctor(run, 0)
        self.assertEqual({f["level"] for f in well}, {"ok"}, well)
        self.assertIn("mailgun takes its credentials", [f["found"] for f in well])
        self.assertIn("fcm gives a token", [f["found"] for f in well])
        self.each_proves_its_credentials(run, apns_key)

        with self.subTest(1, fault="a setting that is none"):
            self.write(run, {**run.settings, "worker": {**run.settings["worker"], "lease_ms": 5}})
            self.found(run, "error", "worker.lease_ms", "fanfare.yaml")
        with self.subTest(2, fault="a secret that is not there"):
            self.write(run)
            self.found(run, "error", "E2E_MAILGUN_KEY", "E2E_MAILGUN_KEY", E2E_MAILGUN_KEY="")
        with self.subTest(3, fault="credentials that the provider refuses"):
            self.found(run, "error", "mailgun refuses its credentials (401)", "mend the secrets of account e2e-mailgun",
                       E2E_MAILGUN_KEY="key-00000000000000000000000000000000")
        with self.subTest(4, fault="a broker that does not answer"):
            self.write(run, {**run.settings, "kafka": {**run.settings["kafka"], "brokers": "127.0.0.1:1"}})
            self.found(run, "error", "kafka.brokers", "start Kafka, or mend kafka.brokers in")
        with self.subTest(5, fault="topics that are not there"):
            self.write(run, {**run.settings, "kafka": {**run.settings["kafka"], "topic_prefix": run.name + "x"}})
            self.found(run, "error", f"topic {run.name}x.jobs", "fanfare topics")
        self.write(run)
        with self.subTest(6, fault="a ledger that is older"):
            last = sorted(f.stem for f in (ROOT / "config/migrations").glob("*.sql"))[-1]
            note = run.db.rows(f"SELECT name, checksum FROM schema_migration WHERE name = '{last}'")[0]
            run.db.psql(f"DELETE FROM schema_migration WHERE name = '{last}'")
            self.found(run, "error", f"lacks {last}", "fanfare db migrate")
            run.db.psql(f"INSERT INTO schema_migration VALUES ('{note[0]}', '{note[1]}')")
        with self.subTest(7, fault="a database that may lose what it calls committed"):
            run.db.psql(f"ALTER DATABASE {run.name} SET synchronous_commit = off")
            self.found(run, "error", "synchronous_commit", "ALTER SYSTEM SET synchronous_commit = on")
            run.db.psql(f"ALTER DATABASE {run.name} RESET synchronous_commit")
        with self.subTest(8, fault="a clock that is wrong"):
            now = "CREATE OR REPLACE FUNCTION app_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS "
            run.db.psql(now + "'SELECT clock_timestamp() + interval ''90 s'''")
            self.found(run, "error", "the ledger's clock is +90", "timedatectl set-ntp true")
            run.db.psql(now + "'SELECT clock_timestamp()'")
        with self.subTest(9, fault="a query that the system's database does not take"):
            run.db.psql("ALTER TABLE followers RENAME TO followers_of_old")
            self.found(run, "error", "followers", "system.yaml")
            run.db.psql("ALTER TABLE followers_of_old RENAME TO followers")
        with self.subTest(10, fault="no worker, and work that waits"):
            self.assertEqual(worker.end(), 0)
            broker.publish(run.brokers, run.name + ".jobs", [(b"k", json.dumps(run.job()).encode())])
            self.found(run, "error", "none is a member of group", "fanfare-worker -c")

    def test_what_somebody_did_by_hand_is_noted(self):
        run = self.sound_run()
        run.worker()
        self.assertEqual(self.ask(run, "pause", "--channel", "sms", "--because", "a freeze").returncode, 0)
        self.assertEqual(self.ask(run, "accounts", "set", "e2e-twilio", "--rate", "5").returncode, 0)
        self.found(run, "note", "paused: channel sms", "fanfare resume --channel sms")
        findings = self.found(run, "note", "5 a second, set by", "fanfare accounts set e2e-twilio --clear")
        self.assertEqual([f["level"] for f in findings if f["level"] not in ("ok", "note")], [])
        run.people(40)
        run.sim.control(mailgun={"error_rate": 1.0})
        job = run.publish(run.job(channels=["email"]))

        def failing():
            return [f["type"] for f in self.doctor(run, 0) if f["level"] == "warning"
                    and "account e2e-mailgun: is failing until" in f["what"] + ": " + f["found"]]
        # It is tried again after longer and longer: one look of the doctor's falls in between.
        self.assertIn("fanfare pause --account e2e-mailgun", until(failing, "the account to fail", 120)[0])
        run.sim.control(mailgun={"error_rate": 0})
        run.wait_settled(job)


if __name__ == "__main__":
    main(at_once=2)
