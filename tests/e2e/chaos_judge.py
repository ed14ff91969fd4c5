"""What the simulator says of a run, beside what the ledger says: who was lost, doubled, falsely sent or told unexpectedly."""

from collections import Counter

from harness import CHANNELS, FINAL

TOLD = {"sent", "delivered", "opened", "clicked"}
# Kept at nought by every policy, and whatever happens.
FAULTS = ("lost", "doubled", "falsely sent", "unexpected")
POLICIES = {"hold": dict.fromkeys(CHANNELS, "hold"), "reconcile": dict.fromkeys(CHANNELS, "reconcile"),
            "resend": dict.fromkeys(CHANNELS, "resend"),
            "mixed": {"email": "reconcile", "sms": "hold", "push": "resend"}}
# Whatever the simulator did to a request after which nobody can know whether it was taken.
UNCERTAIN = ("lost_before", "lost_after", "malformed", "errors", "errors_after", "blackholed")


class Judge:
    """Asks of each job. `in_doubt` has by job and channel who was in a request that a fault may have met; `batch` says of how
    many people one request is; `cut` people, at most, were in requests that ended with their connections."""

    def __init__(self, run, policy, in_doubt, batch, cut=0):
        self.run, self.policies, self.in_doubt, self.batch = run, POLICIES[policy], in_doubt, batch
        self.found, self.outcomes, self.excused = Counter(dict.fromkeys(FAULTS, 0)), Counter(), cut
        self.reasons = Counter()  # Of those who were not sent, and why.
        self.stories = []  # Of the first few that are not as they should be.

    def judge(self, jobs):
        self.everybody = {channel: self.run.addresses("creator", channel) for channel in CHANNELS}
        for job in jobs:
            fates, summary = self.run.fates(job), self.run.sim.summary(job)
            self.reasons.update(f"{o}: {why}" for o, why in fates.values() if o not in TOLD)
            for channel in CHANNELS:
                answers = summary.get(self.run.providers[channel], {})
                self.excused += self.batch[channel] * sum(answers.get(name, 0) for name in UNCERTAIN)
                self._channel(job, channel, {r: o for (c, r), (o, _) in fates.items() if c == channel})
        return self.found

    def _count(self, what, job, channel, people):
        self.found[what] += len(people)
        if people and len(self.stories) < 20:
            self.stories.append(f"{what}: job {job}, {channel}, {len(people)} people, such as {sorted(people)[:3]}")

    def _channel(self, job, channel, outcomes):
        everybody, accepted = self.everybody[channel], self.run.accepted(channel, job)
        owner = {address: person for person, addresses in everybody.items() for address in addresses}
        told = {owner[address] for address in accepted if address in owner}
        unknown = {person for person, outcome in outcomes.items() if outcome == "unknown"}
        twice = {owner[address] for address, times in accepted.items() if times > 1 and address in owner}
        doubtful = self.in_doubt.get((job, channel), set())
        self.outcomes.update(outcomes.values())
        self.found["people"] += len(everybody)
        self.found["told"] += len(told)
        self._count("lost", job, channel, set(everybody) - {p for p, outcome in outcomes.items() if outcome in FINAL})
        self._count("unexpected", job, channel, set(accepted) - set(owner))
        self._count("unexpected", job, channel, {p for p in told if outcomes.get(p) not in TOLD | {"unknown"}})
        self._count("falsely sent", job, channel, {p for p, outcome in outcomes.items() if outcome in TOLD} - told)
        self.found["unknown without a fault"] += len(unknown - doubtful)
        if self.policies[channel] == "resend":
            self.found["told again"] += len(twice)
            self.found["told again without a fault"] += len(twice - doubtful)
        else:
            self._count("doubled", job, channel, twice)

    def wrong(self):
        """What is not as promised, in words."""
        said = [f"{self.found[what]} {what}" for what in FAULTS if self.found[what]]
        return said + [f"{self.found[what]} {what}, of {self.excused} whose answers the providers kept or broke"
                       for what in ("unknown without a fault", "told again without a fault")
                       if self.found[what] > self.excused]
