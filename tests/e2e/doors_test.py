#!/usr/bin/env python3
"""Strangers at the doors: endless requests cost no memory, idle ones keep nobody out, and one client's long
calls are in nobody else's way."""

import json
import re
import socket
import subprocess
import threading
import urllib.parse
from collections import Counter

from api_case import ApiCase
from api_client import TOKENS
from harness import MIB, RSS_MAX, main, say, until

ENDLESS = 256 * MIB


class Stranger:
    """A connection on which anything may be said."""

    def __init__(self, port, first=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.sendall(first)

    def flood(self, block, most=ENDLESS):
        """How much went out before the server had enough."""
        block *= max(1, 65536 // len(block))
        sent = 0
        try:
            while sent < most:
                self.socket.sendall(block)
                sent += len(block)
        except OSError:
            pass
        self.socket.close()
        return sent

    def ask(self, data):
        """Status and body of one answer."""
        self.socket.sendall(data)
        with self.socket.makefile("rb") as answer:
            status = int(answer.readline().split()[1])
            fields = {}
            while (line := answer.readline().strip()):
                name, _, value = line.partition(b":")
                fields[name.lower()] = value.strip()
            return status, answer.read(int(fields.get(b"content-length", 0)))


def together(work, arguments):
    """Runs work(argument) for each at once; what they gave."""
    found = [None] * len(arguments)

    def one(index):
        found[index] = work(arguments[index])
    threads = [threading.Thread(target=one, args=(i,), daemon=True) for i in range(len(arguments))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    return found


class Doors(ApiCase):
    def programs(self, run):
        producer = next(p for p in run.processes if p.name.startswith("producer"))
        worker = next(p for p in run.processes if p.name.startswith("worker"))
        return producer, worker

    def ports(self, run):
        """Of the API, and of the metrics of producer and worker."""
        return (urllib.parse.urlsplit(run.front()).port,
                *(int(p.port_file.read_text()) for p in self.programs(run)))

    def test_endless_requests_cost_no_memory(self):
        run, backend = self.start(people=1)
        api, *metrics = self.ports(run)
        token = f"Authorization: Bearer {TOKENS['shop']}\r\nContent-Type: application/json\r\n".encode()
        chunked = b"Host: x\r\nTransfer-Encoding: chunked\r\n"
        heads = [(api, b"POST /v1/jobs HTTP/1.1\r\n" + chunked + token),
                 (api, b"POST /v1/jobs HTTP/1.1\r\n" + chunked),
                 (api, b"POST /webhooks/e2e-mailgun HTTP/1.1\r\n" + chunked),
                 (api, b"POST /webhooks/none HTTP/1.1\r\n" + chunked),
                 (api, b"POST /u/x HTTP/1.1\r\n" + chunked),
                 *((port, b"GET /metrics HTTP/1.1\r\n" + chunked) for port in metrics)]
        attacks = [(port, head + begin, block) for port, head in heads for begin, block in (
            (b"\r\n1;", b"x"),                   # a chunk's extension
            (b"\r\n", b"1;" + b"x" * 1000 + b"\r\nx\r\n"),
            (b"\r\n0\r\nX: ", b"x"),             # a trailer
            (b"\r\n0\r\n", b"X: y\r\n"),         # trailers
            (b"X: ", b"x"),                      # a field
            (b"", b"X: y\r\n"),                  # fields
            (b"\r\n", b"4000\r\n" + b"x" * 0x4000 + b"\r\n"))]
        attacks += [(port, b"GET /", b"x") for port in (api, *metrics)]
        sent = together(lambda attack: Stranger(*attack[:2]).flood(attack[2]), attacks)
        for (port, begin, block), count in zip(attacks, sent):
            self.assertLess(count, ENDLESS, (port, begin, block[:20]))
        # Bodies that do not end, of callers nobody knows.
        half = b"POST /webhooks/e2e-mailgun HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 900_000

        def give(_):
            stranger = Stranger(api)
            try:
                stranger.socket.sendall(half)
            except OSError:
                pass  # There was no room for it.
            return stranger
        held = together(give, range(120))
        self.assertEqual(backend("shop").get("/v1/jobs")[0], 200)
        peaks = {p.name: p.peak_bytes() // MIB for p in self.programs(run)}
        say(f"    peak of memory: {peaks} MiB")
        for stranger in held:
            stranger.socket.close()
        for process in self.programs(run):
            self.assertLessEqual(process.peak_bytes(), RSS_MAX, process.name)
            self.assertEqual(run.http(process, "/healthz"), "ok\n")

    def test_idle_connections_keep_nobody_out(self):
        run, backend = self.start(people=1)
        api, *metrics = self.ports(run)
        idle = [Stranger(api, b"POST /v1/jobs HTTP/1.1\r\nHost" if i % 2 else b"") for i in range(600)]
        for port in metrics:
            idle += [Stranger(port, b"GET /healthz" if i % 2 else b"") for i in range(100)]
        self.assertEqual(backend("shop").get("/v1/jobs")[0], 200)
        self.assertEqual(Stranger(api).ask(b"GET /u/x HTTP/1.1\r\nHost: x\r\n\r\n")[0], 404)
        self.assertEqual(Stranger(api).ask(b"POST /webhooks/none HTTP/1.1\r\nHost: x\r\n\r\n")[0], 404)
        for process in self.programs(run):
            for path in ("/healthz", "/readyz"):
                self.assertIn(run.http(process, path), ("ok\n", "ready\n"))
        for stranger in idle:
            stranger.socket.close()

    def test_one_clients_long_calls_are_in_nobodys_way(self):
        run, backend = self.start(people=10)
        shop = backend("shop")
        job = shop.post("/v1/jobs", self.order(run))[1]["id"]
        run.wait_settled(job)
        order = {"job": self.order(run)}
        lock = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", run.db.url], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
        lock.stdin.write("BEGIN; LOCK TABLE followers IN ACCESS EXCLUSIVE MODE; SELECT 'locked';\n")
        lock.stdin.flush()
        self.assertEqual(lock.stdout.readline().strip(), "locked")
        answers = []
        # One client alone, and as many clients as there are connections for what takes long.
        callers = [shop] * 24 + [backend("other"), backend("admin")]
        threads = [threading.Thread(target=lambda one: answers.append(one.post("/v1/estimate", order)), args=[one],
                                    daemon=True) for one in callers]
        for thread in threads:
            thread.start()
        until(lambda: len(answers) == 15, lambda: f"15 refused, found {[a[0] for a in answers]}", 30)
        until(lambda: run.db.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                                   "AND datname = current_database()") == "2",
              "two estimates that wait for the table")
        for name in ("shop", "reader", "tenant", "admin"):
            self.assertEqual(backend(name).get("/v1/jobs")[0], 200)
        self.assertEqual(backend("admin").get(f"/v1/jobs/{job}")[0], 200)
        self.assertEqual(len(answers), 15, "nobody waits for the estimates")
        for answer in answers:
            self.refused(answer, 429, "busy")
        lock.communicate("COMMIT;\n", timeout=30)
        for thread in threads:
            thread.join(60)
        self.assertEqual(Counter(answer[0] for answer in answers), {429: 15, 200: 11})

    def test_a_console_that_is_switched_off_is_no_path_at_all(self):
        for on, statuses in ((True, {200}), (False, {404})):
            with self.subTest(console=on):
                _, backend = self.start(worker=False, people=1, console=on)
                shop = backend("shop")
                paths = ("/console", "/console/", "/console/sign-in", "/console/console.css", "/console/console.js", "/console/icon.svg",
                         "/console/jobs")
                self.assertEqual({shop.get(path)[0] for path in paths}, statuses)
                self.assertIn(shop.post("/console/sign-in", b"token=" + TOKENS["shop"].encode())[0], {404} if not on else {200, 303, 403})
                self.assertEqual(shop.get("/v1/jobs")[0], 200)

    def test_ids_with_a_slash(self):
        run, backend = self.start(people=1)
        shop = backend("shop")
        run.db.psql("INSERT INTO users (id, username, email) VALUES ('a/b c%', 'odd', 'odd@example.com');"
                    "INSERT INTO followers (follower_id, followed_id) VALUES ('a/b c%', 'creator');")
        job = shop.post("/v1/jobs", self.order(run, channels=["email"]))[1]["id"]
        run.wait_settled(job)
        odd = urllib.parse.quote("a/b c%", safe="")
        status, found, _ = shop.get(f"/v1/jobs/{job}/recipients/{odd}")
        self.assertEqual((status, found["recipient"], found["planned"]), (200, "a/b c%", True))
        one = f"/v1/systems/shows/recipients/{odd}"
        self.assertEqual(len(shop.post(f"{one}/unsubscribe")[1]["opt_outs"]), 3)
        self.assertEqual(shop.get(f"{one}/opt-outs")[1]["recipient"], "a/b c%")
        status, found, _ = shop.get(f"/v1/systems/shows/subjects/{odd}")
        self.assertEqual((status, found["subject"]), (200, "a/b c%"))
        self.assertEqual(shop.post(f"/v1/systems/shows/subjects/{odd}/cancel")[0], 200)

    def test_bytes_that_are_no_text_are_refused(self):
        run, _ = self.start(worker=False, people=1)
        api = urllib.parse.urlsplit(run.front()).port
        body = json.dumps(self.order(run)).encode()
        for value in (b"\xe9", b"caf\xe9", b"%FF", b"%E9%FF", b"\"\xff\""):
            for name in (b"ce-id", b"ce-source", b"ce-other"):
                fields = {b"ce-id": b"1", b"ce-source": b"/shop", name: value}
                head = (b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                        b"ce-specversion: 1.0\r\nce-type: fanfare.job.v1\r\nAuthorization: Bearer "
                        + TOKENS["shop"].encode() + b"\r\nContent-Length: %d\r\n" % len(body)
                        + b"".join(b"%s: %s\r\n" % field for field in fields.items()))
                status, answer = Stranger(api).ask(head + b"\r\n" + body)
                self.assertEqual((status, json.loads(answer)["code"]), (422, "invalid_event"), (name, value))


if __name__ == "__main__":
    main(at_once=3)
