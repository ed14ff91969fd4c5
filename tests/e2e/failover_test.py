#!/usr/bin/env python3
"""Several accounts a channel: work moves away from one that cannot, and nobody is told twice."""

import copy

import accounts
from harness import EndToEnd, main, until

PEOPLE = 600


class Failover(EndToEnd):
    def two_mail_accounts(self, change):
        """A changed first account, and a good second one of weight 0: only when no other can."""
        run = self.new_run()
        run.people(PEOPLE, sms=False, push=False)
        run.tune("email", chunk=50)
        first = run.settings["accounts"][0]
        second = {**copy.deepcopy(first), "name": "spare", "weight": 0}
        change(run, first)
        run.settings["accounts"].append(second)
        run.worker()
        return run

    def served_by(self, run, job):
        return dict(run.db.rows(f"SELECT account, count(*) FROM chunk WHERE job_id = '{job}' GROUP BY 1"))

    def test_a_wrong_key_moves_the_work_and_costs_nobody_an_attempt(self):
        def wrong_key(run, account):
            (run.dir / "key").write_text("key-wrong")
            account["secrets"]["api_key"] = {"file": str(run.dir / "key")}
        run = self.two_mail_accounts(wrong_key)
        job = run.publish(run.job(channels=["email"]))
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=["email"])
        self.assertEqual(self.served_by(run, job), {"spare": str(PEOPLE // 50)})
        self.assertEqual(run.db.value(f"SELECT max(attempts) FROM delivery WHERE job_id = '{job}'"), "0")

    def test_an_account_that_cannot_be_reached_is_left_alone(self):
        def nobody_there(run, account):
            account["options"]["base_url"] = "http://127.0.0.1:1"
        run = self.two_mail_accounts(nobody_there)
        for _ in range(3):
            job = run.publish(run.job(channels=["email"]))
            run.wait_settled(job)
            self.assert_told_once(run, job, channels=["email"])

    def test_doubt_stays_with_its_account(self):
        """Answers are lost: whoever is in doubt is never sent again by another account."""
        run = self.two_mail_accounts(lambda run, account: account.update(weight=1))
        run.sim.control(mailgun={"lose_after_rate": 0.5})
        job = run.publish(run.job(channels=["email"]))
        run.wait_settled(job)
        counts = self.assert_accounted(run, job, channels=["email"])
        self.assertGreater(counts["email"]["unknown"], 0)

    def test_a_new_secret_is_taken_up_without_a_restart(self):
        run = self.new_run()
        run.people(PEOPLE, sms=False, push=False)
        run.tune("email", chunk=50)
        key = run.dir / "key"
        key.write_text("key-wrong\n")
        run.settings["accounts"][0]["secrets"]["api_key"] = {"file": str(key)}
        worker = run.worker()
        job = run.publish(run.job(channels=["email"]))
        until(lambda: 'fanfare_account_paused{account="e2e-mailgun"} 1' in run.http(worker, "/metrics"),
              "the account to be paused")
        self.assertEqual(sum(run.accepted("email", job).values()), 0)
        fresh = run.dir / "key.new"
        fresh.write_text(accounts.ENVIRONMENT["E2E_MAILGUN_KEY"] + "\n")
        fresh.rename(key)
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=["email"])
        self.assertEqual(run.db.value(f"SELECT max(attempts) FROM delivery WHERE job_id = '{job}'"), "0")


if __name__ == "__main__":
    main(at_once=4)
