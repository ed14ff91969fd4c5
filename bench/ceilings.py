"""What the machine could do at each place where a job spends its time, measured beside the job: with its simulator, its
ledger, its people and its messages, when its programs have ended. Each in people a second."""

import json
import math
import os
import re
import resource
import shutil
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

import broker
from meter import TICKS_A_SECOND, ticks_of

ROOT = Path(__file__).resolve().parents[1]
# As many at once as the accounts of bench/run.py allow (tests/e2e/accounts.py).
H2LOAD = {"email": ["--h1", "-c", "8"], "sms": ["--h1", "-c", "64"], "push": ["-c", "2", "-m", "50"]}
REQUESTS = {"email": 400, "sms": 60_000, "push": 100_000}
PEOPLE_MIN = 200_000  # What is too quick to be timed is done again.
PLAN_BATCH = 5_000    # Written by one COPY: worker.plan_batch.
COMMITS = 1_000
CHUNK = "job_id, channel, number, on_doubt, lane, size, recipients, next_at, publish_at, day"
FILTER = "job_id, channel, number, filter"


def token(run, asked):
    """An access token of the simulator's FCM, asked for as a worker did."""
    request = urllib.request.Request(f"https://localhost:{run.sim.ports['https']}{asked['path']}",
                                     data=asked["body"].encode(), headers=asked["headers"])
    trust = ssl.create_default_context(cafile=run.sim.ca)
    with urllib.request.urlopen(request, timeout=60, context=trust) as answer:
        return json.loads(answer.read())["access_token"]


def request_for(run, sample, channel):
    """The sampled request as this run's simulator takes it, and where."""
    request = dict(sample[channel], headers=dict(sample[channel]["headers"]))
    secure = channel == "push"
    if secure:
        request["headers"]["authorization"] = f"Bearer {token(run, sample['token'])}"
        request["ca"] = str(run.sim.ca)
    request["origin"] = (f"https://localhost:{run.sim.ports['https']}" if secure
                         else f"http://127.0.0.1:{run.sim.ports['http']}")
    return request


def filled(request):
    """The body with its own address."""
    if "hole" not in request:
        return request["body"]
    address = request["address"]
    return request["body"].replace(request["hole"], urllib.request.quote(address, safe="") if request["encoded"] else address)


def read_h2load(text):
    """(requests a second, how many were answered well) of what h2load prints."""
    rate = re.search(r"finished in [\d.]+\w+, ([\d.]+) req/s", text)
    good = re.search(r"status codes: (\d+) 2xx", text)
    if not rate or not good:
        raise RuntimeError(f"h2load: {text[-400:]}")
    return float(rate[1]), int(good[1])


def requests(run, sample, channel, share):
    """The same request again and again by h2load, which does nothing else."""
    if not shutil.which("h2load"):
        return None
    request, count = request_for(run, sample, channel), max(100, int(REQUESTS[channel] * share))
    body = run.dir / "ceiling.body"
    body.write_bytes(filled(request).encode())
    headers = [option for name, value in request["headers"].items() for option in ("-H", f"{name}: {value}")]
    sim = run.sim.process.child.pid
    client, server = resource.getrusage(resource.RUSAGE_CHILDREN), ticks_of(sim)
    done = subprocess.run(["h2load", *H2LOAD[channel], "-n", str(count), "-d", body, *headers,
                           request["origin"] + request["path"]], capture_output=True, text=True, check=True)
    used, served = resource.getrusage(resource.RUSAGE_CHILDREN), (ticks_of(sim) - server) / TICKS_A_SECOND
    rate, good = read_h2load(done.stdout)
    if good != count:
        raise RuntimeError(f"h2load: {good} of {count} requests were taken\n{done.stdout[-800:]}")
    spent = used.ru_utime + used.ru_stime - client.ru_utime - client.ru_stime
    return {"per_s": round(rate * request["people"]), "requests_per_s": round(rate),
            "client_us": round(spent * 1e6 / count, 1), "sim_us": round(served * 1e6 / count, 1)}


def timed(run, statements):
    """Seconds between the first and the last statement of a script, by the server's clock, on one session."""
    now = "SELECT extract(epoch FROM clock_timestamp());\n"
    told = run.db.psql(f"SET synchronous_commit = on;\n{now}\\o /dev/null\n{statements}\\o\n{now}").split()
    return float(told[-1]) - float(told[0])


def relation_of(system, channel):
    """A channel's contact query, out of a system.yaml."""
    return re.search(rf"^contacts:\n(?:.*\n)*?  {channel}: \|\n((?:    .*\n)+)", system, re.M)[1].rstrip()


def contacts(run, job, channel):
    """The people of the job's chunks, asked for as the worker asks, by one session that does nothing with the answer."""
    relation = relation_of((ROOT / "config/systems/shows/system.yaml").read_text(), channel)
    chunks = run.db.rows(f"SELECT recipients[1], recipients[size], size FROM chunk WHERE job_id = '{job}' AND "
                         f"channel = (SELECT code FROM channel WHERE name = '{channel}') ORDER BY number")
    people = sum(int(size) for _, _, size in chunks)
    rounds = math.ceil(PEOPLE_MIN / people)
    asked = "".join(f"EXECUTE people('{first}', '{last}', {int(size) + 1});\n" for first, last, size in chunks)
    seconds = timed(run, f"PREPARE people(text, text, bigint) AS SELECT * FROM ({relation}\n) contact "
                         f"WHERE contact.recipient_id BETWEEN $1 AND $2 LIMIT $3;\n{asked * rounds}")
    return {"per_s": round(people * rounds / seconds)}


def pieces(sizes, most):
    """(first, last) of pieces that hold so many people, the last one fewer."""
    first, held = 0, 0
    for number, size in enumerate(sizes):
        held += size
        if held >= most or number + 1 == len(sizes):
            yield first, number + 1
            first, held = number + 1, 0


def copy(run, job, channels):
    """The job's chunks, as they were planned, written once more into tables like the ledger's."""
    tables = {"chunk": CHUNK, "chunk_filter": FILTER}
    rows = {table: run.db.psql(f"COPY (SELECT {columns} FROM {table} WHERE job_id = '{job}' ORDER BY number, channel) "
                               "TO STDOUT").splitlines() for table, columns in tables.items()}
    run.db.psql("".join(f"CREATE TABLE ceiling_{table} (LIKE {table} INCLUDING ALL);" for table in tables))
    sizes = [int(row.split("\t")[CHUNK.split(", ").index("size")]) for row in rows["chunk"]]
    rounds, script = math.ceil(PEOPLE_MIN / sum(sizes)), []
    for number in range(rounds):
        other = f"{number:08x}" + job[8:]
        for first, last in pieces(sizes, PLAN_BATCH * channels):
            script.append("BEGIN;")
            for table, columns in tables.items():
                script.append(f"COPY ceiling_{table} ({columns}) FROM STDIN;")
                script += [*(row.replace(job, other) for row in rows[table][first:last]), "\\."]
            script.append("COMMIT;")
    return {"per_s": round(sum(sizes) * rounds / timed(run, "\n".join(script) + "\n"))}


def kafka(run, job):
    """The job's chunk messages produced and read once more, with nothing done for them."""
    topic, partitions = run.name + ".chunks.normal", 3
    count, people = run.db.rows(f"SELECT count(*), sum(size) FROM chunk WHERE job_id = '{job}'")[0]
    values = [value for value, _ in broker.read(run.brokers, topic, partitions, int(count))]
    copies = values * math.ceil(20_000 / len(values))
    broker.create_topics(run.brokers, [run.name + ".ceiling"], partitions)
    run.topics.append(run.name + ".ceiling")
    begun = time.monotonic()
    broker.publish(run.brokers, run.name + ".ceiling", [(b"%d" % number, value) for number, value in enumerate(copies)])
    found = broker.read(run.brokers, run.name + ".ceiling", partitions, len(copies))
    seconds = time.monotonic() - begun
    if len(found) < len(copies):
        raise RuntimeError(f"kafka: {len(found)} of {len(copies)} messages were read")
    rate = len(copies) / seconds
    return {"per_s": round(rate * int(people) / int(count)), "messages_per_s": round(rate)}


def commits(run):
    """One row and one flush to disk after another, on one session."""
    run.db.psql("CREATE TABLE ceiling_commit (number integer);")
    statements = "INSERT INTO ceiling_commit VALUES (1);\n" * COMMITS
    return {"per_s": round(COMMITS / timed(run, statements))}


def together(parts):
    """Of one person on several channels: what is done one after the other."""
    return round(len(parts) / sum(1 / part for part in parts))


def all_of(run, sample, channels, job, share):
    """{name: figures}; `requests` is None where there is no h2load."""
    found = {}
    each = {channel: requests(run, sample, channel, share) for channel in channels}
    read = {channel: contacts(run, job, channel) for channel in channels}
    if all(each.values()):
        found["requests"] = each[channels[0]] if len(channels) == 1 else {
            "per_s": together([figures["per_s"] for figures in each.values()]), "by_channel": each}
    else:
        found["requests"] = None
    found["contacts"] = {"per_s": together([figures["per_s"] for figures in read.values()])}
    found["copy"] = copy(run, job, len(channels))
    if run.brokers != "embedded" and os.environ.get("FANFARE_TEST_KAFKA_BROKERS"):
        found["kafka"] = kafka(run, job)
    return found
