#!/usr/bin/env python3
"""A system of one's own takes a folder: from its tables to everyone told once, with nothing else changed."""

import json
import re
import shutil
import subprocess
import urllib.parse

from harness import BIN, Database, main, until
from system_case import SystemCase

STUDENTS = 30
TABLES = """
    CREATE SCHEMA school;
    CREATE TABLE school.students (student_no int PRIMARY KEY, full_name text, mail text, mobile text, zone text);
    CREATE TABLE school.courses (code text PRIMARY KEY, name text NOT NULL);
    CREATE TABLE school.enrolled (code text REFERENCES school.courses, student_no int REFERENCES school.students);
    CREATE TABLE school.lessons (lesson_no int PRIMARY KEY, code text REFERENCES school.courses,
                                 begins timestamptz NOT NULL, room text, announced boolean NOT NULL DEFAULT false);
    CREATE INDEX ON school.lessons (begins);
"""
SYSTEM = """
database: {env: FANFARE_COURSES_URL}
statement_timeout_ms: 2000
audiences:
  enrolled: SELECT student_no AS recipient_id FROM school.enrolled WHERE code = :code
contacts:
  email: |
    SELECT student_no AS recipient_id, mail AS address, zone AS time_zone, full_name AS name
      FROM school.students
     WHERE student_no = ANY(:recipients::int[])
  sms: |
    SELECT student_no AS recipient_id, mobile AS address, zone AS time_zone, full_name AS name
      FROM school.students WHERE student_no = ANY(:recipients::int[])
kinds:
  lesson.soon:
    audience: enrolled
    times: [starts_at]
    person_defaults: {name: student}
    stop_when_gone: true
write_backs:
  done:
    lesson.soon: |
      WITH done AS (UPDATE school.lessons SET announced = true WHERE lesson_no = :subject::int RETURNING 1)
      SELECT count(*) FROM done
schedules:
  lesson.soon: |
    SELECT l.lesson_no AS subject,
           l.begins AS occurrence,
           l.begins - interval '30 minutes' AS due_at,
           l.begins AS expires_at,
           json_build_object('code', l.code) AS params,
           json_build_object('course', c.name, 'room', l.room,
                             'starts_at', to_char(l.begins AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS data
      FROM school.lessons l JOIN school.courses c USING (code)
     WHERE l.begins > now()
       AND l.begins <= :horizon + interval '30 minutes'
"""
TEMPLATES = {
    "email.subject": "{{course}} begins {{starts_in}}",
    "email.text": "Hello {{name}}, {{course}} begins at {{starts_at}} in room {{room}}.",
    "sms.text": "{{course}} begins {{starts_in}}, room {{room}}."}
# What somebody gets wrong: in the place of what; where it is found; words of what would be right.
MISTAKES = (
    ("mail AS address", "e_mail AS address", "contacts.email", 'column "e_mail" does not exist'),
    ("mobile AS address", "mobile AS number", "contacts.sms", "a column address"),
    ("l.begins AS occurrence", "l.room AS occurrence", "schedules.lesson.soon", "a date or a time"),
    ("l.begins AS expires_at,", "", "schedules.lesson.soon", "a column expires_at"),
    (":horizon", ":until", "schedules.lesson.soon", "no parameter but :horizon"),
    ("code = :code", "code = :course", "schedules.lesson.soon", "params with course"),
    ("SELECT student_no AS recipient_id FROM school.enrolled WHERE code = :code",
     "WITH gone AS (DELETE FROM school.enrolled WHERE code = :code RETURNING 1) SELECT 1 AS recipient_id FROM gone",
     "audiences.enrolled", "a query that only reads"),
    ("c.name, 'room'", "public.wipe(c.name), 'room'", "schedules.lesson.soon", "a query that only reads"),
    ("l.begins > now()", "l.begins > now() AND pg_sleep(20) IS NOT NULL", "schedules.lesson.soon", "timeout"),
    ("UPDATE school.lessons", "UPDATE school.lesson", "write_backs.done.lesson.soon", "does not exist"),
    ("lesson_no = :subject", "lesson_no = :lesson_no", "write_backs.done.lesson.soon", ":subject"),
    ("audience: enrolled", "audience: enroled", "kinds.lesson.soon.audience", "did you mean enrolled?"))


class SixthSystem(SystemCase):
    def begin_courses(self):
        run = self.new_run(sim=["--keep-messages", "5000"])
        shutil.rmtree(run.dir / "served" / "shows")
        run.system(SYSTEM, "courses")
        folder = run.dir / "templates" / "lesson.soon"
        folder.mkdir(parents=True)
        for name, text in TEMPLATES.items():
            (folder / f"{name}.mustache").write_text(text + "\n")
        run.settings["templates_dir"] = str(folder.parent)
        # A database of their own, and what stands in it.
        name = run.name + "_school"
        run.maintenance.psql(f"CREATE DATABASE {name};")
        self.addCleanup(run.maintenance.psql, f"DROP DATABASE {name} WITH (FORCE);")
        self.school = Database(urllib.parse.urlunsplit(urllib.parse.urlsplit(run.db.url)._replace(path="/" + name)))
        run.system_url["FANFARE_COURSES_URL"] = self.school.url
        self.school.psql(TABLES + f"""
            INSERT INTO school.courses VALUES ('P1', 'Pottery'), ('P2', 'Painting');
            INSERT INTO school.students SELECT n, 'Student ' || n, 'student' || n || '@example.com',
                   CASE WHEN n % 3 > 0 THEN '+1555' || lpad(n::text, 7, '0') END, 'Europe/Berlin'
              FROM generate_series(1, {STUDENTS}) n;
            INSERT INTO school.enrolled SELECT 'P1', n FROM generate_series(1, {STUDENTS}) n WHERE n % 2 = 0;
            INSERT INTO school.enrolled SELECT 'P1', n FROM generate_series(1, {STUDENTS}) n WHERE n % 4 = 0;
            CREATE FUNCTION public.wipe(text) RETURNS text LANGUAGE plpgsql AS
                $$ BEGIN DELETE FROM school.enrolled; RETURN $1; END $$;""")
        return run

    def lesson(self, number, begins):
        self.school.psql("INSERT INTO school.lessons (lesson_no, code, begins, room) "
                         f"VALUES ({number}, 'P1', now() + interval '{begins}', 'B2');")

    def test_from_a_folder_to_everyone_told_once(self):
        run = self.begin_courses()
        self.lesson(7, "30 minutes 3 seconds")
        self.lesson(8, "2 days")
        run.producer()
        run.worker()
        run.producer()
        run.worker()
        job = self.settled(run, "lesson.soon", "7")
        numbers = range(2, STUDENTS + 1, 2)
        self.assert_told(run, job, "email", [f"student{n}@example.com" for n in numbers])
        self.assert_told(run, job, "sms", [f"+1555{n:07d}" for n in numbers if n % 3 > 0])
        text = self.message(run, "student8@example.com", job)
        self.assertIn("Pottery begins in 30 minutes", text)
        self.assertIn("Hello Student 8", text)
        self.assertIn("Pottery begins in 30 minutes, room B2.", self.message(run, "+15550000008", job))
        until(lambda: self.school.rows("SELECT lesson_no FROM school.lessons WHERE announced") == [["7"]],
              "the lesson to be flagged", 20)
        self.assertIn("done", self.ask(run, "status", job))
        self.assertIn("no_address", self.ask(run, "delivery", job, "--recipient", "6"))
        self.assertEqual(self.states(run, "lesson.soon"), [("7", "published")])
        self.assert_nothing_else(run, [job])

    def test_what_is_wrong_with_a_folder_is_said_before_it_is_served(self):
        run = self.begin_courses()
        self.lesson(7, "20 minutes")
        (run.dir / "fanfare.yaml").write_text(json.dumps(run.settings))
        self.assertIn("everything is in order", self.ask(run, "config", "check", "--database"))
        for right, wrong, key, words in MISTAKES:
            with self.subTest(wrong=wrong):
                self.assertIn(right, SYSTEM)
                run.system(SYSTEM.replace(right, wrong), "courses")
                done = subprocess.run([BIN / "fanfare", "--json", "-c", run.dir / "fanfare.yaml", "config", "check",
                                       "--database"], env=run.environment(), capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 78, done.stdout + done.stderr)
                found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
                problem = next((p for p in found if p["key"] == key), None)
                self.assertIsNotNone(problem, done.stdout)
                self.assertTrue(problem["file"].endswith("courses/system.yaml"), problem)
                self.assertIn(words, problem["expected"])
        self.assertEqual(self.school.value("SELECT count(*) > 0 FROM school.enrolled"), "t", "nothing was written")

        # PostgreSQL's own word leads to the line.
        run.system(SYSTEM.replace("mail AS address", "e_mail AS address"), "courses")
        said = subprocess.run([BIN / "fanfare", "-c", run.dir / "fanfare.yaml", "config", "check", "--database"],
                              env=run.environment(), capture_output=True, text=True, timeout=60).stderr
        line = 1 + SYSTEM[:SYSTEM.index("mail AS address")].count("\n")
        self.assertIsNotNone(re.search(rf"courses/system\.yaml:{line}: contacts\.email", said), said)


if __name__ == "__main__":
    main()
