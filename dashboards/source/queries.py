"""PromQL in the words of docs/metrics.md."""

PROGRAM = 'job=~"$job", instance=~"$instance"'
FLEET = 'job=~"$job"'
SYSTEM, KIND = 'system=~"$system"', 'kind=~"$kind"'
CHANNEL, ACCOUNT = 'channel=~"$channel"', 'account=~"$account"'

ACCEPTED = ("sent", "delivered", "opened", "clicked")  # the provider took it, and has not given it back
ARRIVED = ("delivered", "opened", "clicked")
UNTOLD = ("refused", "failed", "expired", "unknown")   # somebody wanted them told


def each(name, *matchers):
    """Series that every program has of its own."""
    return f"{name}{{{', '.join((PROGRAM, *matchers))}}}"


def one(name, *matchers):
    """Series of the elected producer, whichever instance that is now."""
    return f"{name}{{{', '.join((FLEET, *matchers))}}}"


def is_(label, *words):
    return f'{label}="{words[0]}"' if len(words) == 1 else f'{label}=~"{"|".join(words)}"'


def total(series, *by, how="sum"):
    return f"{how} by ({', '.join(by)}) ({series})" if by else f"{how}({series})"


def rate(series, *by):
    return total(f"rate({series}[$__rate_interval])", *by)


def per_minute(series, *by):
    """For what is rare: a number that one can imagine."""
    return f"60 * {rate(series, *by)}"


def increase(series, *by):
    """Over the whole range that is shown."""
    return total(f"increase({series}[$__range])", *by)


def quantile(share, family, *by):
    """`family` names the buckets: each("..._bucket")."""
    return f"histogram_quantile({share}, {rate(family, 'le', *by)})"


def outcomes(*words, family="fanfare_outcomes_total"):
    return one(family, SYSTEM, KIND, CHANNEL, is_("outcome", *words))


def net(words, *by, over="$__range"):
    """Who came to one of these outcomes, less who left them again: moves between them count for nothing."""
    came, left = (f"increase({outcomes(*words, family=f'fanfare_outcomes_{family}')}[{over}])"
                  for family in ("total", "left_total"))
    return f"({total(came, *by)} - {total(left, *by)})"
