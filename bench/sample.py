#!/usr/bin/env python3
"""What a worker really sends, for scripts/bench: one small job on every channel against a simulator that keeps what it
is asked. Prints a JSON object, a request for each channel: path, headers, body, the address in it and the hole in its place."""

import base64
import json
import re
import sys
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/e2e"))

import accounts  # noqa: E402
import harness  # noqa: E402

PEOPLE, KEPT = 1000, 100
HOLE = "\x02address\x03"
# What the simulator puts stars in the place of.
BASIC = {"twilio": f"AC00000000000000000000000000000001:{accounts.ENVIRONMENT['E2E_TWILIO_TOKEN']}",
         "mailgun": f"api:{accounts.ENVIRONMENT['E2E_MAILGUN_KEY']}"}
ADDRESS = {"sms": re.compile(r"(?<=^To=)[^&]+"), "push": re.compile(r'(?<="token":")[^"]+')}


def request_of(call):
    headers = {name.lower(): value for name, value in call["headers"].items()}
    kept = {name: headers[name] for name in ("content-type", "authorization") if name in headers}
    if call["provider"] in BASIC:
        kept["authorization"] = "Basic " + base64.b64encode(BASIC[call["provider"]].encode()).decode()
    return {"path": call["path"] + ("?" + call["query"] if call["query"] else ""), "headers": kept, "body": call["body"]}


def with_hole(channel, request):
    address = ADDRESS[channel].search(request["body"])[0]
    encoded = "%" in address
    return {**request, "people": 1, "hole": HOLE, "encoded": encoded,
            "address": urllib.parse.unquote(address) if encoded else address,
            "body": request["body"].replace(address, HOLE, 1)}


def calls_of(run, job):
    run.wait_settled(run.publish(job))
    return json.loads(run.sim.call(f"/oracle/calls?limit={KEPT}"))


def ask(run):
    run.settings["worker"], run.settings["producer"] = {}, {}
    run.people(3, creator="few", prefix="f")
    run.people(PEOPLE)
    run.producer()
    run.worker()
    calls = {}
    for call in calls_of(run, run.job(creator="few", channels=["sms", "push"])) + calls_of(run, run.job(channels=["email"])):
        calls.setdefault(call["provider"], []).append(call)
    found = {"token": request_of(calls["fcm-token"][0])}
    for channel, provider in harness.PROVIDERS.items():
        request = request_of(max(calls[provider], key=lambda call: len(call["body"])))
        if channel in ADDRESS:
            request = with_hole(channel, request)
        else:
            request["people"] = len(re.findall(r'name="to"', request["body"]))
        found[channel] = request
    return found


def main():
    run = harness.Run(sim=("--keep-messages", str(KEPT)))
    try:
        found = ask(run)
    except BaseException:
        run.show_logs()
        raise
    finally:
        run.stop()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
