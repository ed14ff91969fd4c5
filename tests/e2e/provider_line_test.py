#!/usr/bin/env python3
"""A provider whose name, line, certificate or answers are odd: who was never sent stays sendable, who may have been told
is unknown, and the worker lives."""

import threading

from harness import ROOT, EndToEnd, main, until
from listener import Listener, expired_certificate
from tcp_proxy import TcpProxy

PEOPLE = 60
OF_KIND = "on_doubt: {push: resend}"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = b'{"id":"<1@mg.example.org>","message":"Queued. Thank you."}'
ODD = {
    "one header of 2 MB": HEAD + b"X-Long: " + b"x" * 2_000_000 + b"\r\n\r\n",
    "100,000 headers": HEAD + b"X-Many: x\r\n" * 100_000 + b"\r\n",
    "endless interim answers": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 50_000,
    "a header without an end": HEAD + b"X-Long: x",
    "a length that is none": HEAD + b"Content-Length: -1\r\n\r\n" + BODY,
    "no status": b"HTTP/1.1 \r\n\r\n" + BODY,
}


def read_request(connection):
    """A whole request with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, body = data.split(b"\r\n\r\n", 1)
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    while len(body) < length:
        body += connection.recv(65536)


class ProviderLine(EndToEnd):
    def start(self, channel="email", people=PEOPLE):
        run = self.new_run()
        run.people(people, **{c: c == channel for c in ("email", "sms", "push")})
        run.tune(channel, chunk=10, concurrency=4, timeout_ms=2000)
        shows = (ROOT / "config/systems/shows/system.yaml").read_text()
        self.assertIn(OF_KIND, shows)
        run.system(shows.replace(OF_KIND, "on_doubt: {push: hold}"))  # Who may have been told is to be seen.
        return run

    def order(self, run, channel="email", ready_s=60):
        worker = run.worker(ready_s)
        return worker, run.publish(run.job(channels=[channel]))

    def listen(self, serve, context=None):
        listener = Listener(serve, context)
        self.addCleanup(listener.stop)
        return listener

    def nobody_is_in_doubt_until_it_is_mended(self, run, option, broken, is_seen, channel="email"):
        """Nobody is sent through what is broken; when it is mended by settings and a restart, everybody is."""
        account = run.account(channel)
        sound = dict(account)
        account.update(broken.pop("account", {}))
        account["options"] = {**account["options"], **broken}
        worker, job = self.order(run, channel)
        until(lambda: is_seen(worker), f"{option} to be met" + run.progress(), 60)
        self.assertEqual(worker.end(), 0)
        self.assertEqual({o for o, _ in run.fates(job).values()} - {"pending", "retry"}, set())
        account.clear()
        account.update(sound)
        run.worker()
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=[channel])

    def test_a_name_that_nobody_has(self):
        run = self.start()
        self.nobody_is_in_doubt_until_it_is_mended(
            run, "the name", {"base_url": "https://mail.invalid"},
            lambda worker: 'verdict="ok"' in run.http(worker, "/metrics") and "e2e-mailgun" in worker.log.read_text())

    def test_a_line_on_which_nobody_speaks(self):
        """It takes connections and says nothing, not even TLS."""
        run = self.start("push")
        silent = self.listen(lambda connection: connection.recv(1) and threading.Event().wait(30))
        self.nobody_is_in_doubt_until_it_is_mended(
            run, "the silence", {"base_url": f"https://localhost:{silent.port}"}, lambda _: silent.taken > 2, "push")

    def test_a_certificate_that_has_expired(self):
        run = self.start("push")
        context, authority = expired_certificate(run.dir, "localhost")
        (run.dir / "both.pem").write_text(authority + run.sim.ca.read_text())
        stale = self.listen(lambda connection: connection.recv(1), context)
        self.nobody_is_in_doubt_until_it_is_mended(
            run, "the certificate", {"base_url": f"https://localhost:{stale.port}",
                                     "account": {"ca_file": str(run.dir / "both.pem")}},
            lambda worker: stale.taken > 2 and "certificate has expired" in worker.log.read_text(), "push")

    def test_whoever_gives_access_tokens_is_away(self):
        """Nothing is claimed without one, and nobody's attempts are used up."""
        run = self.start("push")
        run.sim.control(**{"fcm-token": {"error_rate": 1}})
        worker, job = self.order(run, "push")
        until(lambda: 'fanfare_account_paused{account="e2e-fcm"} 1' in run.http(worker, "/metrics"), "it to be paused", 60)
        until(lambda: run.state(job) == "sending", "the job to be planned", 60)
        self.assertEqual(run.db.value("SELECT max(epoch) FROM chunk"), "0", "no chunk was ever claimed")
        run.sim.control(**{"fcm-token": {"error_rate": 0}})
        run.wait_settled(job)
        self.assert_told_once(run, job, channels=["push"])
        self.assertEqual(run.db.value(f"SELECT max(attempts) FROM delivery WHERE job_id = '{job}'"), "0")
        self.assertEqual(worker.end(), 0)

    def test_answers_without_bounds(self):
        """The request was taken, so whoever was in it is unknown; memory stays what it is."""
        for what, answer in ODD.items():
            with self.subTest(what):
                run = self.start(people=10)  # One request.

                def serve(connection, answer=answer):
                    read_request(connection)
                    connection.sendall(answer)
                provider = self.listen(serve)
                run.account("email")["options"]["base_url"] = f"http://127.0.0.1:{provider.port}"
                worker, job = self.order(run)
                run.wait_settled(job)
                outcomes = {o for o, _ in self.assert_sound(run, job).values()}
                self.assertEqual(outcomes, {"unknown"})
                self.assertLess(worker.peak_bytes(), 200 << 20)
                self.assertEqual(worker.end(), 0)

    def test_a_line_that_is_dead_and_says_nothing(self):
        run = self.start()
        line = TcpProxy(run.sim.ports["http"])
        self.addCleanup(line.stop)
        run.account("email")["options"]["base_url"] = f"http://127.0.0.1:{line.port}"
        run.sim.control(mailgun={"latency_ms": 100})
        worker, job = self.order(run)
        until(lambda: run.told(job)["email"] >= 10, "the first to be told")
        line.swallow()
        until(lambda: run.db.value("SELECT count(*) FROM delivery WHERE outcome = 'unknown'") != "0", "doubt", 60)
        line.cut()
        line.swallow(False)
        run.wait_settled(job)
        counts = self.assert_accounted(run, job, channels=["email"])["email"]
        self.assertEqual(set(counts), {"sent", "unknown"})
        self.assertLess(counts["unknown"], PEOPLE // 2 + 20)
        self.assertEqual(worker.end(), 0)


if __name__ == "__main__":
    main(at_once=3)
