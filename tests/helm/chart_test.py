#!/usr/bin/env python3
"""deploy/helm/fanfare, judged by helm, by Kubernetes' own schemas, and by our programs: chart_test.py ROOT BIN_DIR

helm is the one of PATH, or is built once by Go into the cache; the schemas come from PyPI. Where they cannot be had nothing
is tested, and the exit code is 77: scripts/test says so loudly."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT, BIN = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
CHART = ROOT / "deploy/helm/fanfare"
HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("FANFARE_CACHE") or pathlib.Path.home() / ".cache/fanfare")
HELM, VALIDATE, KUBERNETES = "v3.19.5", "1.37.0", ("1.30", "1.37")
BUILD_S = 1500  # Three minutes on two idle cores; beside other tests on a slow machine anything takes long.
SKIPPED = 77


def run(*command, timeout=600, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=timeout, **more)


def skip(why):
    print(f"NOT JUDGED: the chart, because {why}")
    sys.exit(SKIPPED)


def find_helm():
    on_path = shutil.which("helm")
    if on_path and run(on_path, "version", "--short").stdout.startswith("v3."):
        return on_path
    program = CACHE / f"helm-{HELM}" / "helm"
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        skip("there is no helm, and no go to build it with (1.24 or later)")
    program.parent.mkdir(parents=True, exist_ok=True)
    try:
        built = run(go, "install", f"helm.sh/helm/v3/cmd/helm@{HELM}", env={**os.environ, "GOBIN": str(program.parent)}, timeout=BUILD_S)
    except subprocess.TimeoutExpired:  # What is compiled by then is kept: the next try goes on from there.
        skip(f"go did not build helm within {BUILD_S} s")
    if not program.exists():
        skip("go cannot build helm: " + built.stderr.strip()[-300:])
    return program


def find_python():
    """One with kubernetes-validate, and the YAML that it reads."""
    folder = CACHE / f"kubernetes-validate-{VALIDATE}"
    python = folder / "bin/python"
    if not (folder / "bin/kubernetes-validate").exists():
        made = run(sys.executable, "-m", "venv", "--clear", folder)
        if made.returncode == 0:
            made = run(python, "-m", "pip", "--quiet", "install", f"kubernetes-validate=={VALIDATE}")
        if made.returncode != 0:
            skip("pip cannot fetch kubernetes-validate: " + (made.stdout + made.stderr).strip()[-300:])
    return python


def render(values, *more, chart=CHART):
    done = run(find_helm(), "template", "fanfare", chart, "--namespace", "news", "--kube-version", "1.30", "--values", HERE / values,
               "--set-file", f"monitoring.rules.file={ROOT / 'dashboards/alerts.yml'}", *more)
    return done.returncode, done.stdout, done.stderr


def documents(text):
    done = run(find_python(), "-c", "import json, sys, yaml; print(json.dumps([d for d in yaml.safe_load_all(sys.stdin) if d]))", input=text)
    return json.loads(done.stdout)


def schema_faults(text):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        faults = []
        for version in KUBERNETES:
            done = run(find_python().parent / "kubernetes-validate", "--strict", "--no-warn", "--quiet", "-k", version, file.name)
            if done.returncode != 0:
                faults.append(done.stdout + done.stderr)
        return "\n".join(faults)


def is_part(some, whole):
    return bool(some) and some.items() <= whole.items()


class Chart(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text, cls.all = {}, {}
        for values in ("least.yaml", "full.yaml"):
            code, cls.text[values], errors = render(values)
            assert code == 0, errors
            cls.all[values] = documents(cls.text[values])

    def of(self, kind, values="full.yaml"):
        return {each["metadata"]["name"]: each for each in self.all[values] if each["kind"] == kind}

    def pods(self, values):
        for kind in ("Deployment", "Job"):
            for name, each in self.of(kind, values).items():
                yield name, each["spec"]["template"]

    def test_helm_finds_nothing(self):
        for values in ("least.yaml", "full.yaml"):
            done = run(find_helm(), "lint", "--strict", CHART, "--values", HERE / values,
                       "--set-file", f"monitoring.rules.file={ROOT / 'dashboards/alerts.yml'}")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_what_only_the_operator_knows_is_asked_for(self):
        done = run(find_helm(), "template", "fanfare", CHART)
        self.assertNotEqual(done.returncode, 0)
        for name in ("/image/repository", "/existingSecret", "/settings/kafka/brokers"):
            self.assertIn(name, done.stderr)
        for wrong in ("image.tag=latest", "settings.database.url=postgresql://u:p@h/d", "autoscaling.perWorker=0"):
            self.assertNotEqual(render("least.yaml", "--set", wrong)[0], 0, wrong)

    def test_kubernetes_knows_every_field(self):
        for values, text in self.text.items():
            self.assertEqual(schema_faults(text), "", values)
        self.assertIn("replicaz", schema_faults(self.text["least.yaml"].replace("\n  replicas:", "\n  replicaz:")), "or nothing is found")

    def test_pods_may_do_little(self):
        for values in self.all:
            for name, pod in self.pods(values):
                with self.subTest(pod=name, values=values):
                    self.assertFalse(pod["spec"]["automountServiceAccountToken"])
                    self.assertTrue(pod["spec"]["securityContext"]["runAsNonRoot"])
                    for container in pod["spec"]["containers"]:
                        self.assertTrue(container["securityContext"]["readOnlyRootFilesystem"])
                        self.assertFalse(container["securityContext"]["allowPrivilegeEscalation"])
                        self.assertEqual(container["securityContext"]["capabilities"], {"drop": ["ALL"]})
                        self.assertIn("memory", container["resources"]["limits"])
                        self.assertNotIn("env", container, "secrets are files: they can change")

    def test_pods_are_found_by_what_is_for_them(self):
        for values in self.all:
            labels = {name: pod["metadata"]["labels"] for name, pod in self.pods(values)}
            policies = [each["spec"]["podSelector"]["matchLabels"] for each in self.of("NetworkPolicy", values).values()]
            for name, own in labels.items():
                self.assertEqual(sum(is_part(each, own) for each in policies), 1, name)
            for kind, path in (("Service", ("selector",)), ("PodDisruptionBudget", ("selector", "matchLabels"))):
                found = self.of(kind, values)
                self.assertEqual(set(found), {"fanfare-worker", "fanfare-producer"})
                for name, each in found.items():
                    selector = each["spec"]
                    for key in path:
                        selector = selector[key]
                    self.assertEqual([pod for pod, own in labels.items() if is_part(selector, own)], [name])
        services = self.of("Service")
        for name, each in self.of("ServiceMonitor").items():
            chosen = each["spec"]["selector"]["matchLabels"]
            self.assertEqual([service for service, own in services.items() if is_part(chosen, own["metadata"]["labels"])], [name])
            self.assertIn(each["spec"]["endpoints"][0]["port"], [port["name"] for port in services[name]["spec"]["ports"]])

    def test_there_is_time_to_drain(self):
        for values, worker, producer in (("least.yaml", 25, 10), ("full.yaml", 40, 10)):
            pods = {name: pod["spec"] for name, pod in self.pods(values)}
            self.assertGreaterEqual(pods["fanfare-worker"]["terminationGracePeriodSeconds"], worker + 10)
            stop = pods["fanfare-producer"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
            self.assertEqual(stop[0], "sleep")
            self.assertGreaterEqual(pods["fanfare-producer"]["terminationGracePeriodSeconds"], producer + int(stop[1]) + 10)

    def test_tables_come_first(self):
        job = self.of("Job")["fanfare-migrate"]
        settings = self.of("ConfigMap")
        for each in (job, settings["fanfare-migrate"], self.of("NetworkPolicy")["fanfare-migrate"]):
            self.assertEqual(each["metadata"]["annotations"]["helm.sh/hook"], "pre-install,pre-upgrade")
        weight = [int(each["metadata"]["annotations"]["helm.sh/hook-weight"]) for each in (settings["fanfare-migrate"], job)]
        self.assertLess(*weight)
        self.assertEqual(settings["fanfare-migrate"]["data"], settings["fanfare"]["data"])
        mounted = [volume["configMap"]["name"] for volume in job["spec"]["template"]["spec"]["volumes"] if "configMap" in volume]
        self.assertEqual(mounted, ["fanfare-migrate"], "what the chart installs is not there yet")

    def test_it_scales_by_a_metric_that_there_is(self):
        scaled = self.of("ScaledObject")["fanfare-worker"]["spec"]
        self.assertEqual(scaled["scaleTargetRef"]["name"], "fanfare-worker")
        self.assertEqual(scaled["maxReplicaCount"], 12)
        self.assertNotIn("replicas", self.of("Deployment")["fanfare-worker"]["spec"], "two would decide")
        self.assertEqual(self.of("Deployment", "least.yaml")["fanfare-worker"]["spec"]["replicas"], 2)
        query = scaled["triggers"][0]["metadata"]["query"]
        self.assertIn('namespace="news"', query)
        names = re.findall(r"\bfanfare_\w+", query)
        self.assertTrue(names)
        sources = "".join(file.read_text() for folder in ("core", "worker", "producer") for file in (ROOT / folder).rglob("*.cpp"))
        for name in names:
            self.assertIn(f'"{name}"', sources)

    def test_rules_are_the_alerts(self):
        rules = self.of("PrometheusRule")["fanfare"]["spec"]
        self.assertEqual(rules, documents((ROOT / "dashboards/alerts.yml").read_text())[0])

    def test_our_program_takes_the_settings(self):
        if not (BIN / "fanfare").exists():
            self.skipTest("fanfare is not built")
        for values in self.all:
            with tempfile.TemporaryDirectory() as folder:
                here = pathlib.Path(folder)
                for name in ("systems", "templates", "secrets"):
                    (here / name).mkdir()
                for name in ("link_key", "shop_token", "mailgun_api_key"):
                    (here / "secrets" / name).write_text("0123456789abcdef" * 4)
                (here / "secrets/database_url").write_text("postgresql://fanfare@127.0.0.1/fanfare")
                text = self.of("ConfigMap", values)["fanfare"]["data"]["fanfare.yaml"]
                (here / "fanfare.yaml").write_text(text.replace("/run/secrets/fanfare", str(here / "secrets")))
                done = run(BIN / "fanfare", "--config", here / "fanfare.yaml", "config", "check", env={"PATH": os.environ["PATH"]})
                self.assertEqual((done.returncode, done.stderr), (0, ""), values)

    def test_files_of_systems_and_templates(self):
        volumes = {each["name"]: each for each in dict(self.pods("full.yaml"))["fanfare-worker"]["spec"]["volumes"]}
        paths = {item["path"]: self.of("ConfigMap")[f"fanfare-{name}"]["data"][item["key"]] for name in ("systems", "templates")
                 for item in volumes[name]["configMap"]["items"]}
        self.assertEqual(set(paths), {"news/system.yaml", "news.out/email.subject.mustache", "news.out/email.text.mustache"})
        self.assertEqual(paths["news.out/email.subject.mustache"], "{{title}}", "mustache is not Helm's to fill in")


if __name__ == "__main__":
    find_helm()
    find_python()
    unittest.main(argv=sys.argv[:1])
