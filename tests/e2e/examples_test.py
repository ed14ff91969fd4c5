#!/usr/bin/env python3
"""The examples of docs/examples, run as they stand: everyone is told once, though answers are lost on the way."""

import http.server
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request

from api_case import ApiCase
from api_client import TOKENS
from harness import ROOT, main, until

PEOPLE = 20
EXAMPLES = ROOT / "docs/examples"
PROGRAMS = {"node": ["node", EXAMPLES / "node/notify.mjs"], "python": [sys.executable, EXAMPLES / "python/notify.py"]}


class Weather(http.server.ThreadingHTTPServer):
    """Stands before the producer. Of every path: the first answer is lost behind a 503, the second call
    reaches nobody, the third gets through."""

    def __init__(self, front):
        weather = self
        self.front, self.calls = front, {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                count = weather.calls[self.path] = weather.calls.get(self.path, 0) + 1
                status, answer = (503, b"{}") if count == 2 else weather.forward(self, body)
                status, answer = (503, b"{}") if count == 1 else (status, answer)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def forward(self, call, body):
        headers = {k: v for k, v in call.headers.items() if k.lower() not in ("host", "connection")}
        request = urllib.request.Request(self.front + call.path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as problem:
            return problem.code, problem.read()


class Examples(ApiCase):
    def call(self, run, program, url, token, *arguments):
        self.assertIsNotNone(shutil.which(str(program[0])), f"{program[0]} is not installed: scripts/setup installs it")
        return subprocess.run([*program, *arguments], capture_output=True, text=True, timeout=120, env={
            "PATH": run.environment()["PATH"], "FANFARE_URL": url, "FANFARE_TOKEN": token})

    def test_backends_tell_everyone_once(self):
        run, _ = self.start(people=PEOPLE)
        for name, program in PROGRAMS.items():
            with self.subTest(name):
                weather = Weather(run.front())
                self.addCleanup(weather.server_close)
                self.addCleanup(weather.shutdown)
                url = f"http://127.0.0.1:{weather.server_port}"
                show = ("show-" + name, "creator", "2030-01-01T20:00:00Z")
                done = self.call(run, program, url, TOKENS["shop"], *show)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                # A busy machine may make the producer ask for one more.
                self.assertEqual(set(weather.calls), {"/v1/jobs", "/v1/events"})
                self.assertGreaterEqual(min(weather.calls.values()), 3)
                order, event = done.stdout.split()
                # Run once more, it is still the same.
                again = self.call(run, program, run.front(), TOKENS["shop"], *show)
                self.assertEqual((again.stdout, again.stderr), (done.stdout, ""))
                run.wait_settled(order, event)
                self.assert_told_once(run, order)
                self.assert_told_once(run, event, channels=("sms",))
                before = weather.calls["/v1/jobs"]
                refused = self.call(run, program, url, "x" * 40, *show)
                self.assertEqual(refused.returncode, 1)
                self.assertIn("401", refused.stderr)
                self.assertEqual(weather.calls["/v1/jobs"], before + 1, "a refusal is not tried again")
        self.assertEqual(run.db.value("SELECT count(*) FROM job"), str(2 * len(PROGRAMS)))

    def test_plain_sql_tells_everyone_once(self):
        run = self.new_run()
        run.people(PEOPLE)
        run.system((ROOT / "config/systems/shows/system.yaml").read_text() + "\noutbox: fanfare_outbox\n")
        run.db.psql((EXAMPLES / "outbox.sql").read_text())
        run.db.psql("""INSERT INTO scheduled_shows (id, user_id, title, scheduled_at) VALUES
            ('s-42', 'creator', 'Friday Night', now() AT TIME ZONE 'UTC' + interval '3 hours');""")
        run.worker()
        run.producer()
        insert = (EXAMPLES / "outbox_insert.sql").read_text()
        run.db.psql(insert.replace("COMMIT;", "ROLLBACK;"), "-v", "show=s-42")
        run.db.psql(insert, "-v", "show=s-42")
        until(lambda: run.db.value("SELECT count(*) FROM job WHERE state = 'done'") == "1",
              lambda: "the job" + run.progress() + run.db.psql("SELECT rejected FROM fanfare_outbox"), 60)
        # A row is let go when the ledger knows of its job: that may be after the job's last message.
        until(lambda: run.db.value("SELECT count(*) FROM fanfare_outbox") == "0", "the outbox empty", 30)
        self.assert_told_once(run, run.db.value("SELECT id FROM job"))
        self.assertEqual(run.db.value("SELECT body -> 'data' ->> 'title' FROM job"), "Friday Night, with guests")


if __name__ == "__main__":
    main()
