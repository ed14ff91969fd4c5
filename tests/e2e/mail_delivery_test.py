#!/usr/bin/env python3
"""Mail goes through a real mail server, and what arrives is what was meant: Python's mail parser is the judge."""

import re
import shutil
import unittest
from email.utils import parsedate_to_datetime

from harness import ROOT, EndToEnd, main, until
from mail_server import POSTFIX, MailServer

PEOPLE = 30
TITLE = "Gro\u00dfe Show \U0001f389 mit J\u00f6rg, live und in voller L\u00e4nge, heute Abend um acht"
LONG = "w" * 998
TEXT = f"Hallo {{{{name}}}}\n{LONG}\n.\n..dots\nFrom here = on  \n{{{{title}}}}\n"
HTML = "<p>Hallo {{name}} &#127881; <b>{{title}}</b></p>\n"


@unittest.skipUnless(POSTFIX, "no postfix: scripts/setup mail")
class MailDelivery(EndToEnd):
    def start(self):
        run = self.new_run(kafka=False)
        run.settings["kafka"]["embedded_address_file"] = str(run.dir / "broker")
        server = MailServer(run)
        templates = run.dir / "templates"
        shutil.copytree(ROOT / "templates", templates)
        for name, text in (("subject", "{{title}}"), ("text", TEXT), ("html", HTML)):
            for locale in ("", "de."):
                (templates / f"show.reminder/email.{locale}{name}.mustache").write_text(text)
        run.settings["templates_dir"] = str(templates)
        run.settings["accounts"][0] = {
            "name": "e2e-smtp", "type": "smtp", "channel": "email", "timeout_ms": 20000, "ca_file": str(server.ca),
            "rate": {"per_second": 0, "concurrency": 4},
            "options": {"host": "localhost", "port": str(server.port), "from": "J\u00f6rg's Shows <shows@example.org>"}}
        run.people(PEOPLE)
        # Two whose names are no plain words, and one the server does not know.
        run.db.psql("UPDATE users SET username = 'Z\u00f6e <b>' WHERE id = 'p000001';"
                    "UPDATE users SET username = '\U0001f389' WHERE id = 'p000002';"
                    "UPDATE users SET email = 'gone@example.com' WHERE id = 'p000003';")
        return run, server

    def test_everybody_gets_one_good_mail(self):
        run, server = self.start()
        worker = run.worker()
        job = run.job(channels=["email"])
        job["data"]["title"] = TITLE
        run.publish(job, brokers=(run.dir / "broker").read_text().strip())
        run.wait_settled(job["id"])
        fates = self.assert_sound(run, job["id"])
        self.assertEqual(fates[("email", "p000003")], ("refused", "address_invalid"))
        sent = {person for (_, person), (outcome, _) in fates.items() if outcome == "sent"}
        self.assertEqual(len(sent), PEOPLE - 1)
        self.assertEqual(run.db.value("SELECT count(*) FROM suppression"), "1")
        until(lambda: len(server.mails()) >= PEOPLE - 1, lambda: "mails; " + server.log()[-2000:], 30)
        self.assertEqual(worker.end(), 0)
        mails = server.mails()
        self.assertEqual(len({message["To"] for _, message in mails}), PEOPLE - 1, "one each")
        self.assertEqual(len(mails), PEOPLE - 1)
        people = {address: name for name, address in run.db.rows("SELECT username, email FROM users "
                                                                 "WHERE email IS NOT NULL")}
        for raw, message in mails:
            with self.subTest(to=message["To"]):
                self.judge(job, raw, message, people[message["To"]])

    def judge(self, job, raw, message, name):
        for part in message.walk():
            self.assertEqual(part.defects, [])
            for header, value in part.items():
                self.assertEqual(value.defects, (), header)
        headers = [key.lower() for key in message.keys()]
        for header in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
                       "Auto-Submitted"):
            self.assertEqual(headers.count(header.lower()), 1, header)
        self.assertNotIn("bcc", headers)
        head, _, _ = raw.partition(b"\n\n")
        self.assertTrue(raw.isascii())
        # What Postfix has put before ours begins with Received and the like.
        self.assertLessEqual(max(len(line) for line in raw.splitlines()), 998)
        subject = re.search(rb"^Subject:.*(?:\n[ \t].*)*", head, re.M).group()
        self.assertLessEqual(max(len(line) for line in subject.splitlines()), 76)
        self.assertEqual(message["Subject"], TITLE)
        sender = message["From"].addresses[0]
        self.assertEqual((sender.display_name, sender.addr_spec), ("J\u00f6rg's Shows", "shows@example.org"))
        self.assertRegex(message["Message-ID"], rf"^<{job['id']}\.\d+\.\d+[^@]*@example\.org>$")
        self.assertEqual(parsedate_to_datetime(message["Date"]).utcoffset().total_seconds(), 0)
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        self.assertEqual(message.get_content_type(), "multipart/alternative")
        text, html = message.iter_parts()
        self.assertEqual([text.get_content_type(), html.get_content_type()], ["text/plain", "text/html"])
        self.assertEqual(text.get_content().rstrip("\n").split("\n"),
                         TEXT.replace("{{name}}", name).replace("{{title}}", TITLE).rstrip("\n").split("\n"))
        self.assertIn(f"Hallo {name.replace('<', '&lt;').replace('>', '&gt;')} ", html.get_content())
        self.assertIn(f"<b>{TITLE}</b>", html.get_content())


if __name__ == "__main__":
    main()
