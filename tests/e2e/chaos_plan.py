"""What a run of chaos does, and when: all of it from the seed."""

import random
from dataclasses import dataclass

# Fault: weight, the part that it hits, and the least and the most seconds that it lasts. A part has one fault at a time.
# A lease of the run is LEASE_S seconds, and one request is of so many people.
LEASE_S = 4
BATCH = {"email": 20, "sms": 1, "push": 1}
FAULTS = {
    "kill": (30, "worker", 0, 0),
    "stop": (10, "worker", 5, 8),
    "terminate": (8, "worker", 0, 0),
    "kill_producer": (4, "producer", 0, 0),
    "restart_postgres": (3, "postgres", 0, 0),
    "crash_postgres": (3, "postgres", 0, 0),
    "kill_postgres": (3, "postgres", 0, 0),
    "postgres_away": (2, "postgres", 5, 8),
    "restart_kafka": (2, "kafka", 0, 0),
    "kill_kafka": (2, "kafka", 0, 0),
    "wipe_kafka": (2, "kafka", 0, 0),
    "delete_topics": (2, "kafka", 0, 0),
    "cut_line": (6, "line", 0, 0),
    "lose_answers": (6, "line", 0, 0),
    "silent_line": (3, "line", 3, 7),
    "slow_line": (4, "line", 3, 6),
    "refuse_line": (3, "line", 2, 6),
    "lying_providers": (6, "providers", 2, 4),
    "slow_providers": (4, "providers", 2, 5),
    "throttling_providers": (4, "providers", 2, 4),
    "slow_query": (2, "system", 6, 8),
    "failing_query": (2, "system", 1, 3),
    "remove_kind": (1, "system", 1, 3),
    "repeat": (4, "records", 0, 0),
}
# What a run has besides, when it is asked for: without, a seed has the plan that it always had.
MORE = {
    "brokers": {  # Three of them.
        "kill_broker": (6, "kafka", 0, 0),
        "restart_broker": (3, "kafka", 0, 0),
        "broker_away": (4, "kafka", 6, 12),
        "stop_broker": (4, "kafka", 5, 9),
    },
    "standby": {
        "failover": (6, "postgres", 0, 0),
        "standby_away": (3, "postgres", 4, 8),
    },
    "contention": {
        "lock_table": (5, "tables", 3, 7),
        "no_connections": (4, "connections", 3, 7),
    },
    "full_disk": {
        "postgres_full": (4, "postgres", 4, 9),
        "kafka_full": (3, "kafka", 4, 9),
    },
    "clocks": {
        "machine_clock": (6, "clock of worker", 3, 8),
        "ledger_clock": (3, "clock", 3, 7),
    },
    "names": {
        "no_names": (4, "provider line", 3, 7),
        "cut_providers": (4, "provider line", 0, 0),
    },
    "certificates": {
        "expired_certificate": (4, "provider line", 3, 7),
    },
}
EVERY_S, LEAST, MOST = 2.25, 4 / 9, 14 / 9  # From fault to fault: the mean, and its least and most as parts of it.
# What a part needs beyond the fault itself to be of use again.
REST_S = {"kafka": 15, "postgres": 6, "system": 10, "tables": 8, "connections": 8, "clock": 20, "provider line": 5}


@dataclass(frozen=True)
class Fault:
    number: int
    at_s: float
    name: str
    part: str
    lasts_s: float
    die: float  # For whatever is chosen within it, of [0, 1).

    def pick(self, things):
        return things[int(self.die * len(things))]


def faults(more=()):
    """Those of a run that has so much more."""
    found = dict(FAULTS)
    for option in MORE:  # In one order, however they were asked for.
        found.update(MORE[option] if option in more else {})
    return found


def plan(seed, minutes, workers, every_s=EVERY_S, more=()):
    """The faults of a run, in their order: the same for the same arguments."""
    dice, found, busy_until, at_s = random.Random(seed), [], {}, 0.0
    known = faults(more)
    names, weights = list(known), [weight for weight, *_ in known.values()]
    while (at_s := at_s + every_s * dice.uniform(LEAST, MOST)) < minutes * 60:
        name = dice.choices(names, weights)[0]
        _, part, least_s, most_s = known[name]
        if part.endswith("worker"):
            part = f"{part} {dice.randrange(workers) + 1}"
        lasts_s, die = round(dice.uniform(least_s, most_s), 2), dice.random()
        if busy_until.get(part, 0) <= at_s:
            busy_until[part] = at_s + lasts_s + REST_S.get(part, 0)
            found.append(Fault(len(found) + 1, round(at_s, 2), name, part, lasts_s, die))
    return found
