#!/usr/bin/env python3
"""Odd bytes at the doors of the real programs: each request is answered or ends, none with a 5xx of ours, none
shows what it must not, and webhooks that nobody signed change nothing in the ledger."""

import base64
import hashlib
import hmac
import json
import re
import socket
import time
import urllib.parse
from pathlib import Path

import accounts
from api_case import ApiCase
from api_client import TOKENS
from harness import main

OWN = b"Host: x\r\nAuthorization: Bearer " + TOKENS["shop"].encode() + b"\r\n"
LAST = b"GET /v1/jobs HTTP/1.1\r\n" + OWN + b"Connection: close\r\n\r\n"

# What a proxy and a server may read in two ways; behind each stands a request of its own.
SMUGGLING = [b"POST /webhooks/e2e-mailgun HTTP/1.1\r\nHost: x\r\n" + more for more in (
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    b"Transfer-Encoding:\tchunked, chunked\r\n\r\n0\r\n\r\n", b"Content-Length: 0x5\r\n\r\nhello", b"Content-Length: +5\r\n\r\nhello",
    "Content-Length: \u0665\r\n\r\nhello".encode(), b"Content-Length: 5, 5\r\n\r\nhello", b"Content-Length: 5\r\nContent-Length: 0\r\n\r\n",
    b"Content-Length: 99999999999999999999999\r\n\r\n", b"Content-Length: -1\r\n\r\n", b"X: a\r\n Content-Length: 5\r\n\r\nhello",
    b"X: a\nContent-Length: 5\r\n\r\nhello", b": y\r\n\r\n", b"Host: y\r\n\r\n", b"X: a\0b\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n", b"Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n0\r\n Y: z\r\n\r\n")]
SMUGGLING += [b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x00\xc5" + b"\0" * 197,
              b"GET\t/u/x\tHTTP/1.1\r\nHost: x\r\n\r\n", b"GET  /u/x HTTP/1.1\r\nHost: x\r\n\r\n", b"GET ftp://x/u HTTP/1.1\r\nHost: x\r\n\r\n",
              b"GET /u/\xff HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /u/x HTTP/1.1\r\nHost: a@b\r\n\r\n", b"GET /u/x HTTP/1.1\r\n\r\n",
              b"GET /u/x HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(101)) + b"\r\n"]

SEGMENTS = (b"%00", b"%2e%2e", b"%ff%fe", b"%C0%AF", b"x%0d%0aY:z", b"'", b"%f0%9f%8e%89", b"a" * 5000, b"%ed%a0%80", b"%", b"%2",
            b"%zz", b"{id}", b"0" * 36, b"FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", b"..", b";a=b", b"")
PLACES = (b"/v1/jobs/", b"/v1/systems/shows/subjects/", b"/v1/systems/", b"/v1/notifications/", b"/v1/templates/shows/",
          b"/v1/systems/shows/recipients/", b"/u/", b"/webhooks/", b"/")
QUERIES = (b"%00", b"%", b"%zz", b"%FF", b"a=1&a=2", b"limit=1e9", b"limit=-1", b"limit=" + b"9" * 40, b"cursor=%00", b"cursor=" + b"A" * 7000,
           b"&".join(b"a%d=1" % i for i in range(900)), b"=", b"&&&", b"limit", b"system=shows%00", b"system='%3b--", b"state=done&state=done")

NEST = 50_000
BODIES = [
    b'{"system":"shows","system":"tickets"}', b"[" * NEST, b'{"a":' * NEST, b"[" * NEST + b"]" * NEST, b"\xef\xbb\xbf{}", b'{"system":"a\0"}',
    b'{"system":"a\\u0000"}', b'{"system":"\xff\xfe"}', b'{"system":"\\ud800"}', b'{"ttl_s":1e400}', b'{"ttl_s":-1}', b'{"ttl_s":1.5}',
    b'{"ttl_s":' + b"9" * 40 + b"}", b'{"ttl_s":NaN}', b'{"ttl_s":-0}', b'{"ttl_s":1e-999999999999}', b"{} x", b"", b"null", b"[]", b'"x"', b"1",
    b"{/*x*/}", '{"system":"shows"}'.encode("utf-16"), b"{" + b",".join(b'"k%d":1' % i for i in range(20_000)) + b"}",
    b'{"' + b"k" * 200_000 + b'":1}', b'{"ttl_s":' + b"9" * 200_000 + b"}", b'{"__proto__":{}}']
ROUTES = ["POST /v1/jobs", "POST /v1/estimate", "POST /v1/preview", "POST /v1/notifications", "POST /v1/events",
          "POST /v1/systems/shows/subjects/x/notify", "PUT /v1/templates/shows/generic", "POST /webhooks/e2e-mailgun",
          "POST /webhooks/e2e-twilio", "POST /webhooks/none", "POST /u/x"]


class OddInput(ApiCase):
    def say(self, data):
        """All that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as line:
            try:
                line.sendall(data)
                line.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # It had enough.
            answer = b""
            try:
                while (more := line.recv(65536)):
                    answer += more
            except ConnectionError:
                pass
        return answer

    def status(self, data):
        answer = self.say(data)
        found = re.findall(rb"HTTP/1\.1 (\d\d\d) ", answer)
        self.assertEqual(len(found), 1, (data[:200], answer[:300]))
        self.assertNotEqual(found[0][:1], b"5", (data[:200], answer[:300]))
        return int(found[0])

    def test_whatever_comes_is_answered(self):
        run, backend = self.start(worker=False, people=3)
        self.port = urllib.parse.urlsplit(run.front()).port
        for data in SMUGGLING:
            found = re.findall(rb"HTTP/1\.1 (\d\d\d) ", self.say(data + LAST))
            self.assertEqual(len(found), 1, (data, found))
            self.assertIn(found[0], (b"400", b"413", b"431", b"501", b"505"), data)
        for place in PLACES:
            for segment in SEGMENTS:
                for method in (b"GET", b"DELETE"):
                    found = self.status(method + b" " + place + segment + b" HTTP/1.1\r\nConnection: close\r\n" + OWN + b"\r\n")
                    self.assertTrue(found == 200 or 400 <= found < 500, (place, segment, found))
        for query in QUERIES:
            self.assertIn(self.status(b"GET /v1/jobs?" + query + b" HTTP/1.1\r\nConnection: close\r\n" + OWN + b"\r\n"), (200, 400))
        for route in ROUTES:
            for body in BODIES:
                head = f"{route} HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                found = self.status(head.encode() + OWN + b"\r\n" + body)
                self.assertTrue(400 <= found < 500, (route, body[:60], found))
        for method in (b"HEAD", b"OPTIONS", b"TRACE", b"get", b"PATCH"):
            answer = self.say(method + b" /v1/jobs HTTP/1.1\r\nConnection: close\r\n" + OWN + b"\r\n")
            self.assertTrue(answer.startswith(b"HTTP/1.1 200 " if method == b"HEAD" else b"HTTP/1.1 405 "), answer)
        self.assertEqual(self.say(LAST.replace(b"Connection: close\r\n", b"") * 49 + LAST).count(b"HTTP/1.1 200 "), 50)
        self.assertEqual(run.db.value("SELECT count(*) FROM job"), "0")
        self.assertEqual(backend("shop").get("/v1/jobs")[0], 200)
        producer = next(p for p in run.processes if p.name.startswith("producer"))
        self.assertEqual(run.http(producer, "/healthz"), "ok\n")
        self.assertNotIn('"level":"error"', producer.log.read_text())

    def forged(self, job, tls):
        """Webhooks of all five providers that none of them signed: account, target behind it, headers, body."""
        now = int(time.time())
        reference = f"{job}.0.0.AAAAAAAAAAA"
        event = {"event": "failed", "severity": "permanent", "reason": "bounce", "recipient": "p1@example.com",
                 "user-variables": {"fanfare": job + ".0", "person": "0.AAAAAAAAAAA"}}
        for key in (b"", b"wrong", b"webhook-key-0123456789abcdef0123456"):
            for at in (str(now), str(now - 86_400), "", "x"):
                right = hmac.new(key, (at + "t").encode(), hashlib.sha256).hexdigest()
                for signature in (right, right.upper(), "0" * 64, ""):
                    yield "mailgun", "", {}, {"signature": {"timestamp": at, "token": "t", "signature": signature}, "event-data": event}
        batch = [{"event": "bounce", "type": "bounce", "email": "p1@example.com", "fanfare": reference}]
        for signature in ("", "AAAA", "MEUCIQ" + "A" * 90, base64.b64encode(b"\x30\x06\x02\x01\x00\x02\x01\x00").decode(),
                          base64.b64encode(b"\x30\x06\x02\x01\x01\x02\x01\x01").decode()):
            for at in (str(now), "0", ""):
                yield "sendgrid", "", {"X-Twilio-Email-Event-Webhook-Signature": signature,
                                       "X-Twilio-Email-Event-Webhook-Timestamp": at}, batch
        told = json.dumps({"eventType": "Bounce", "mail": {"tags": {"fanfare": [reference.replace(".", "_", 3)]}},
                           "bounce": {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "p1@example.com"}]}})
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now))
        for url in (f"{tls}/sns/SimpleNotificationService-test.pem", "https://sns.s3.amazonaws.com/SimpleNotificationService-a.pem",
                    "https://127.0.0.1/SimpleNotificationService-a.pem", "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-a.pem", ""):
            for kind in ("Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"):
                yield "ses", "", {}, {"Type": kind, "MessageId": "m", "TopicArn": "arn:aws:sns:us-east-1:123456789012:ses-events",
                                      "Message": told, "Timestamp": stamp, "SignatureVersion": "1", "Signature": "AAAA",
                                      "SubscribeURL": f"{tls}/sns/?Action=ConfirmSubscription", "Token": "t", "SigningCertURL": url}
        form = b"MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30005&To=%2B15550000001"
        for signature in ("", "AAAA", base64.b64encode(hmac.new(b"wrong", form, hashlib.sha1).digest()).decode()):
            yield "twilio", f"?ref={reference}", {"X-Twilio-Signature": signature}, form
            yield "twilio", f"?ref={reference}&bodySHA256=" + hashlib.sha256(form).hexdigest(), {"X-Twilio-Signature": signature}, form
        status = {"message_uuid": "u", "to": "15550000001", "status": "rejected", "client_ref": reference, "timestamp": stamp}

        def part(document):
            return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()
        claims = part({"iat": now, "api_key": "abcd1234", "payload_hash": hashlib.sha256(json.dumps(status).encode()).hexdigest()})
        for algorithm in ("HS256", "none", "RS256"):
            head = part({"alg": algorithm, "typ": "JWT"})
            made = base64.urlsafe_b64encode(hmac.new(b"wrong", f"{head}.{claims}".encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
            for token in (f"{head}.{claims}.", f"{head}.{claims}.{made}", f"{head}.{claims}"):
                yield "vonage", "", {"Authorization": f"Bearer {token}"}, status
        yield "vonage", "", {}, b"msisdn=15550000001&status=rejected&err-code=1&timestamp=%d&sig=%s" % (now, b"0" * 64)

    def test_forged_webhooks_change_nothing(self):
        run, _ = self.start_with_all()
        self.port = urllib.parse.urlsplit(run.front()).port
        job = run.publish(run.job())
        run.wait_settled(job)

        def ledger():
            tables = ("job", "chunk", "suppression", "opt_out", "soft_bounce", "early_receipt", "address_owner")
            return [run.db.value(f"SELECT count(*) || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t")
                    for table in tables]
        before = ledger()
        count = 0
        for provider, query, fields, body in self.forged(job, f"https://localhost:{run.sim.ports['https']}"):
            kind = "application/x-www-form-urlencoded" if isinstance(body, bytes) else "application/json"
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            found = self.status((f"POST /webhooks/e2e-{provider}{query} HTTP/1.1\r\nHost: hooks.example.com\r\nConnection: close\r\n"
                                 f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n{lines}\r\n").encode() + body)
            self.assertIn(found, (400, 401, 403, 406), (provider, query, fields, body))
            count += 1
        self.assertGreaterEqual(count, 71)
        stored = re.findall(r'result="stored"\} (\d+)', run.http(self.producer_of(run), "/metrics"))
        self.assertEqual(set(stored), {"0"})
        self.assertEqual(ledger(), before)

    def test_no_program_leaves_a_core(self):
        run, _ = self.start(people=1)
        for process in run.processes:
            if not process.name.startswith("sim"):
                limits = Path(f"/proc/{process.child.pid}/limits").read_text()
                self.assertRegex(limits, r"Max core file size +0 ", process.name)

    def producer_of(self, run):
        return next(p for p in run.processes if p.name.startswith("producer"))

    def start_with_all(self):
        """One account of each provider that has webhooks; three of them send."""
        def more(run):
            for provider in ("sendgrid", "ses", "vonage"):
                run.settings["accounts"].append({**accounts.account(run, provider), "weight": 0})
        return self.start(people=3, prepare=more)


if __name__ == "__main__":
    main()
