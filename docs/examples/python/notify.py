"""Orders notifications from a Python backend, 3.9 or later, with the standard library alone.

    FANFARE_URL=https://fanfare.example.com FANFARE_TOKEN=... python3 notify.py SHOW CREATOR STARTS_AT
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request


class Refused(Exception):
    pass


def post(path, headers, body, tries_max=10):
    """POSTs until Fanfare has taken it. An answer may be lost after the order was taken: the key, or the
    event's source and id, say that the next try is the same order. Nobody is told twice."""
    headers = {"Authorization": "Bearer " + os.environ["FANFARE_TOKEN"], **headers}
    for tries in range(1, tries_max + 1):
        wait_s = min(0.1 * 2 ** tries, 10)
        try:
            request = urllib.request.Request(os.environ["FANFARE_URL"] + path, json.dumps(body).encode(), headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as problem:
            fault = f"{problem.code} {problem.read().decode()}"
            if problem.code != 429 and problem.code < 500:
                raise Refused(fault) from None
            wait_s = max(wait_s, float(problem.headers.get("Retry-After", 0)))
        except OSError as caught:  # No connection, no answer in time.
            fault = str(caught)
        if tries < tries_max:
            time.sleep(wait_s)
    raise TimeoutError(fault)


def notify(key, job):
    """One order: the same key is the same order, however often it is sent."""
    return post("/v1/jobs", {"Content-Type": "application/json", "Idempotency-Key": key}, job)


def notify_by_event(event_id, job):
    """The same as a CloudEvent; its source and id are the key."""
    return post("/v1/events", {"Content-Type": "application/cloudevents+json"}, {
        "specversion": "1.0", "type": "fanfare.job.v1", "source": "/backend/shows", "id": event_id, "data": job})


def main(show, creator, starts_at):
    starting_soon = {
        "system": "shows", "kind": "show.reminder", "subject": show,
        "audience": {"name": "followers", "params": {"user_id": creator}},
        "ttl_s": 900,  # Later nobody is told.
        "data": {"show_id": show, "username": "Mira", "title": "Friday Night", "starts_at": starts_at}}
    order = notify(f"starting-soon/{show}", starting_soon)
    event = notify_by_event(f"starting-soon/{show}", {**starting_soon, "channels": ["sms"]})
    print(order["id"], event["id"])


if __name__ == "__main__":
    try:
        main(*sys.argv[1:4])
    except (Refused, TimeoutError) as fault:
        sys.exit(str(fault))
