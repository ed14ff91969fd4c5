#!/usr/bin/env python3
"""docker-compose.yml followed by hand, where there is no Docker: its secrets, settings, SQL, commands and health checks
bring up what the docs promise. Only hosts, ports and paths are this machine's."""

import functools
import os
import re
import secrets
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from harness import BIN, ROOT, Database, EndToEnd, Process, free_port, main, until

COMPOSE = (ROOT / "docker-compose.yml").read_text()
FOLLOWERS = {"jonas@example.com", "ana@example.com", "li@example.com"}


def service(name):
    """The lines of one service."""
    return re.search(rf"^  {name}:\n(.*?)(?=^  \w|^\w)", COMPOSE, re.M | re.S).group(1)


class Deploy(EndToEnd):
    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="fanfare-deploy-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.processes = []
        self.addCleanup(lambda: [process.end() for process in reversed(self.processes) if process.is_alive()])

    def run_it(self, command, **more):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120,
                              env={"PATH": os.environ["PATH"], **more})
        self.assertEqual(done.returncode, 0, (command, done.stdout, done.stderr))
        return done.stdout

    def make_secrets(self):
        for folder in ("deploy/secrets", "scripts"):
            (self.dir / folder).mkdir(parents=True)
        shutil.copy(ROOT / "deploy/make-secrets", self.dir / "deploy")
        shutil.copy(ROOT / "scripts/lib.sh", self.dir / "scripts")
        self.run_it([self.dir / "deploy/make-secrets"], HOME=str(self.dir))
        self.secrets = self.dir / "deploy/secrets"
        wanted = set(re.findall(r"file: deploy/secrets/(\w+)", COMPOSE))
        self.assertEqual({path.name for path in self.secrets.iterdir()} & wanted, wanted)

    def make_database(self):
        server = Database(os.environ["FANFARE_TEST_DATABASE_URL"])
        name = "deploy_" + secrets.token_hex(4)
        server.psql(f"CREATE DATABASE {name};")
        self.addCleanup(lambda: server.psql(f"DROP DATABASE {name} WITH (FORCE);"))
        parts = urllib.parse.urlsplit(server.url)
        self.db = Database(urllib.parse.urlunsplit(parts._replace(path="/" + name)))
        (self.secrets / "database_url").chmod(0o600)
        (self.secrets / "database_url").write_text(self.db.url)
        self.assertIn("./deploy/postgres/demo.sql:/docker-entrypoint-initdb.d/", service("postgres"))
        self.assertIn("./tests/fixtures/shows.sql:/demo/shows.sql", service("postgres"))
        self.run_sql("demo.sql", lambda text: text.replace("/demo/shows.sql", str(ROOT / "tests/fixtures/shows.sql")))

    def run_sql(self, name, change=lambda text: text, **more):
        script = self.dir / name
        script.write_text(change((ROOT / "deploy/postgres" / name).read_text()))
        self.run_it(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", self.db.url, "-f", script], **more)

    def start(self, name, **changes):
        """As the service does it, but for `changes` of its arguments."""
        command = re.search(r"command: \[(.*)\]", service(name))
        words = command.group(1).split(", ") if command else re.findall(r"^      - (\S+)$", service(name), re.M)
        words = [str(BIN / words[0]), *[functools.reduce(lambda word, change: word.replace(*change), changes.items(), word)
                                        for word in words[1:]]]
        if name == "sim":
            words += ["--ports-file", str(self.dir / "ports.json")]
        words = [word.replace("/etc/fanfare", str(self.dir)).replace("/run/sim", str(self.dir)) for word in words]
        process = Process(name, words, self.dir / f"{name}.log", {
            "PATH": os.environ["PATH"], "FANFARE_OBSERVE_PORT": str(self.ports[name]),
            "FANFARE_KAFKA_TOPIC_PREFIX": self.db.url.rsplit("/", 1)[1], "FANFARE_KAFKA_GROUP": "deploy"})
        self.processes.append(process)
        return process

    def write_settings(self):
        text = (ROOT / "deploy/fanfare.yaml").read_text()
        self.assertIn('ports: ["127.0.0.1:8080:8080"]', service("producer"), "where docs/operations.md says")
        for here, there in (("kafka:19092", os.environ["FANFARE_TEST_KAFKA_BROKERS"]), ("/run/secrets", str(self.secrets)),
                            ("/run/sim", str(self.dir)), ("https://sim:8443", f"https://localhost:{self.https}"),
                            ("address: 0.0.0.0", "address: 127.0.0.1"), ("port: 8080", f"port: {self.api}")):
            self.assertIn(here, text)
            text = text.replace(here, there)
        (self.dir / "fanfare.yaml").write_text(text)
        token_uri = (self.secrets / "fcm_service_account").read_text()
        (self.secrets / "fcm_service_account").chmod(0o600)
        (self.secrets / "fcm_service_account").write_text(token_uri.replace("https://sim:8443", f"https://localhost:{self.https}"))
        # What the image copies beside it.
        for name in ("systems", "migrations"):
            shutil.copytree(ROOT / "config" / name, self.dir / name)
        shutil.copytree(ROOT / "templates", self.dir / "templates")

    def is_healthy(self, name):
        check = re.search(r'&observed\n\s+test: \[CMD, bash, -c, "(.*)"\]', COMPOSE).group(1)
        self.assertIn("healthcheck: *observed", service("worker"))
        # YAML's own escapes, and Compose's dollars.
        check = check.replace("\\\\", "\\").replace("$$", "$").replace("9464", str(self.ports[name]))
        return subprocess.run(["bash", "-c", check], capture_output=True, timeout=20).returncode == 0

    def get(self, path, token=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.api}{path}",
                                         headers={"Authorization": f"Bearer {token}"} if token else {})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as fault:
            return fault.code, fault.read().decode()

    def test_what_compose_starts(self):
        self.https, self.api, admin = free_port(), free_port(), free_port()
        self.ports = {name: free_port() for name in ("sim", "producer", "worker")}
        self.make_secrets()
        self.make_database()
        self.write_settings()
        self.start("sim", **{"0.0.0.0": "127.0.0.1", "=8080": "=0", "=8443": f"={self.https}", "=8081": f"={admin}"})
        until((self.dir / "ports.json").exists, "the simulator", 30)
        fanfare = [BIN / "fanfare", "--config", self.dir / "fanfare.yaml"]
        refused = subprocess.run([BIN / "fanfare-worker", "--config", self.dir / "fanfare.yaml"], capture_output=True,
                                 text=True, timeout=60, env={"PATH": os.environ["PATH"]})
        self.assertEqual(refused.returncode, 78, refused.stderr)
        self.assertIn("fanfare db migrate", refused.stderr, "before its tables are made")
        self.assertRegex(service("migrate"), r"fanfare, db, migrate")
        self.run_it([*fanfare, "db", "migrate"])
        self.run_it([*fanfare, "config", "check", "--database"])
        self.run_sql("reader.sql", READER_PASSWORD_FILE=str(self.secrets / "reader_password"))
        producer, worker = self.start("producer"), self.start("worker")
        for name in ("producer", "worker"):
            until(lambda: self.is_healthy(name), f"{name} to be healthy", 60)
        self.assertEqual(self.get("/openapi.yaml")[0], 200)
        self.assertEqual(self.get("/v1/jobs")[0], 401)
        token = (self.secrets / "api_token").read_text()
        self.assertEqual(self.get("/v1/jobs", token)[0], 200)
        # The show that is due is announced to whoever follows.
        until(lambda: self.db.value("SELECT count(*) FROM job WHERE state = 'done'") == "1", "the demo's show", 60)
        oracle = f"http://127.0.0.1:{admin}/oracle/accepted?provider=mailgun&job=" + self.db.value("SELECT id FROM job")
        with urllib.request.urlopen(oracle, timeout=20) as answer:
            told = {line.split("\t")[0] for line in answer.read().decode().splitlines()}
        self.assertEqual(told, FOLLOWERS)
        self.assert_grafana_reads_views_only()
        for process in (worker, producer):
            self.assertEqual(process.end(), 0)

    def assert_grafana_reads_views_only(self):
        datasource = (ROOT / "deploy/grafana/datasources.yml").read_text()
        user = re.search(r"user: (\w+)", datasource).group(1)
        self.assertIn("/run/secrets/reader_password", datasource)
        parts = urllib.parse.urlsplit(self.db.url)
        password = (self.secrets / "reader_password").read_text()
        reader = Database(urllib.parse.urlunsplit(parts._replace(netloc=f"{user}:{password}@127.0.0.1:{parts.port}")))
        self.assertEqual(reader.value("SELECT count(DISTINCT recipient) FROM delivery"), "3")
        self.assertEqual(reader.value("SELECT count(*) > 0 FROM job_progress"), "t")
        for statement in ("SELECT * FROM job", "SELECT * FROM suppression", "SELECT * FROM demo.users",
                          "SET default_transaction_read_only = off; DELETE FROM delivery", "CREATE TABLE public.x (n int)"):
            with self.assertRaises(RuntimeError, msg=statement):
                reader.psql(statement)


if __name__ == "__main__":
    main()
