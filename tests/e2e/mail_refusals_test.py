#!/usr/bin/env python3
"""Mail servers that refuse us rather than the recipient: nobody is suppressed for it; one domain's opinion costs its
own people only, and where all say the same the account waits and nobody is refused."""

import socketserver
import threading
from collections import Counter

from harness import EndToEnd, main, until

PER_DOMAIN, DOMAINS = 10, ("one.example", "two.example", "three.example", "four.example")
RELAY = "554 5.7.1 Relay access denied"


class MailServer:
    """Answers RCPT as `reply` says: a function of the address that gives "" for a recipient it takes."""

    def __init__(self, reply):
        self.reply, self.taken = reply, Counter()
        server = self

        class Session(socketserver.StreamRequestHandler):
            def say(self, line):
                self.wfile.write(line.encode() + b"\r\n")

            def handle(self):
                self.say("220 mail.example ESMTP")
                recipient = None
                for line in iter(self.rfile.readline, b""):
                    word = line.decode("ascii", "replace").strip()
                    verb = word.upper()
                    if verb.startswith("RCPT TO:"):
                        recipient = word[9:].split(">")[0].lstrip("<")
                        self.say(server.reply(recipient) or "250 2.1.5 Ok")
                    elif verb == "DATA":
                        self.say("354 go on")
                        for part in iter(self.rfile.readline, b".\r\n"):
                            if not part:
                                return
                        server.taken[recipient] += 1
                        self.say("250 2.0.0 Ok: queued as 4ABC")
                    elif verb == "QUIT":
                        return self.say("221 2.0.0 Bye")
                    else:
                        self.say("250 mail.example" if verb.startswith("EHLO") else "250 2.0.0 Ok")

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads = True, True

        self.server = Server(("127.0.0.1", 0), Session)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class MailRefusals(EndToEnd):
    def start(self, reply):
        run = self.new_run(kafka=False)
        run.settings["kafka"]["embedded_address_file"] = str(run.dir / "broker")
        server = MailServer(reply)
        self.addCleanup(server.stop)
        run.settings["accounts"][0] = {
            "name": "e2e-smtp", "type": "smtp", "channel": "email", "timeout_ms": 5000, "allow_http": True,
            "rate": {"per_second": 0, "concurrency": 4},
            "options": {"host": "127.0.0.1", "port": str(server.port), "tls": "none",
                        "from": "Fanfare <shows@example.org>"}}
        run.people(PER_DOMAIN * len(DOMAINS), sms=False, push=False)
        run.db.psql("UPDATE users SET email = id || '@' || (ARRAY[" + ",".join(f"'{d}'" for d in DOMAINS) +
                    f"])[1 + right(id, 6)::int % {len(DOMAINS)}] WHERE email IS NOT NULL;")
        run.tune("email", chunk=20)
        return run, server

    def publish(self, run):
        run.worker()
        job = run.job(channels=["email"])
        run.publish(job, brokers=(run.dir / "broker").read_text().strip())
        return job["id"]

    def suppressed(self, run):
        return run.db.value("SELECT count(*) FROM suppression")

    def test_one_domains_opinion_costs_its_own_people_only(self):
        run, server = self.start(lambda address: RELAY if address.endswith("@two.example") else "")
        job = self.publish(run)
        run.wait_settled(job)
        by_fate = Counter(run.fates(job).values())
        self.assertEqual(by_fate, {("sent", "none"): 3 * PER_DOMAIN,
                                   ("refused", "recipient_refused"): PER_DOMAIN})
        self.assertEqual(max(server.taken.values()), 1)
        self.assertEqual(self.suppressed(run), "0")

    def test_ones_demand_for_a_login_is_no_want_of_ours(self):
        demand = "550 5.7.1 Sender must be authenticated to send to this recipient; authentication required"
        run, _ = self.start(lambda address: demand if address.endswith("@two.example") else "")
        job = self.publish(run)
        run.wait_settled(job)
        self.assertEqual(Counter(run.fates(job).values()), {("sent", "none"): 3 * PER_DOMAIN,
                                                            ("refused", "recipient_refused"): PER_DOMAIN})
        self.assertNotIn("is paused", run.processes[-1].log.read_text(errors="replace"))
        self.assertEqual(self.suppressed(run), "0")

    def test_what_all_say_is_the_accounts_and_costs_nobody(self):
        mended, heard = threading.Event(), Counter()

        def reply(address):
            heard[address.split("@")[1]] += 1
            return "" if mended.is_set() else RELAY
        run, server = self.start(reply)
        job = self.publish(run)
        until(lambda: len(heard) >= 3, "servers of three domains to refuse us")
        until(lambda: "is paused" in run.processes[-1].log.read_text(errors="replace"), "the account to wait")
        fates = Counter(outcome for outcome, _ in run.fates(job).values())
        self.assertEqual(set(fates) & {"refused", "failed", "suppressed"}, set(), "nobody is lost by then")
        mended.set()
        run.wait_settled(job)
        self.assertEqual(Counter(run.fates(job).values()), {("sent", "none"): PER_DOMAIN * len(DOMAINS)})
        self.assertEqual(max(server.taken.values()), 1)
        self.assertEqual(self.suppressed(run), "0")

    def test_the_mailbox_alone_is_suppressed(self):
        gone = {"one.example": "550 5.1.1 User unknown", "two.example": "550 mailbox unavailable",
                "three.example": "550 5.1.1 <shows@example.org>: user unknown"}
        run, _ = self.start(lambda address: gone.get(address.split("@")[1], ""))
        job = self.publish(run)
        run.wait_settled(job)
        listed = {a.split("@")[1] for (a,) in run.db.rows("SELECT address FROM suppression")}
        self.assertEqual(listed, {"one.example"})
        self.assertEqual(Counter(run.fates(job).values()),
                         {("sent", "none"): PER_DOMAIN, ("refused", "address_invalid"): PER_DOMAIN,
                          ("refused", "recipient_refused"): 2 * PER_DOMAIN})


if __name__ == "__main__":
    main(at_once=4)
