"""What became of whom: by system, kind, channel and provider; numbers, shares and how long it took."""

from . import frame
from .panels import CALM, PEOPLE_RATE, PER_S, Query, bad_above, chart, good_above, grid, number, row
from .queries import (ACCEPTED, ACCOUNT, ARRIVED, CHANNEL, UNTOLD, each, increase, is_, net, outcomes, quantile, rate)

MAIN = ("sent", "delivered", "opened", "clicked", *UNTOLD)
BOUNCED = ("hard_bounced", "soft_bounced")
RECEIPTS = "fanfare_receipts_received_total"
TAKEN = each("fanfare_request_recipients_total", CHANNEL, ACCOUNT, is_("verdict", "ok"))


def receipts(*events):
    return each(RECEIPTS, ACCOUNT, is_("event", *events))


def share(part, whole):
    return f"clamp({part} / ({whole} > 0), 0, 1)"


def figures(made):
    made.with_row(row("In the time that is shown"))
    for title, meaning, expr, steps in (
            ("Sent", "People whom a provider accepted.", net(ACCEPTED), CALM),
            ("Delivered", "People to whom a provider says it was delivered; opened and clicked are delivered too.", net(ARRIVED), CALM),
            ("Opened", "People who opened it. Many mail programs load pictures by themselves, others never do.",
             net(("opened", "clicked")), CALM),
            ("Bounced or refused", "People whom a provider refused, at once or with a receipt later.", net(("refused",)), CALM),
            ("Failed", "People who were given up or not told in time.", net(("failed", "expired")), bad_above(1)),
            ("In doubt", "People of whom nobody can know whether they were told.", net(("unknown",)), bad_above(1, 100))):
        made.with_panel(number(title, meaning + " Less those who have another outcome by now.", "short",
                               Query(expr, title.lower(), instant=True), decimals=0, steps=steps,
                               runbook={"Bounced or refused": "fanfarerefusedrising", "Failed": "fanfareattemptsusedup",
                                        "In doubt": "fanfaredoubtgrowing"}.get(title, "")))
    made.with_panel(grid(
        "By system, kind and channel", "What people of each kind came to, less those who have another outcome by now.", "short",
        Query(net(ACCEPTED, "system", "kind", "channel"), "sent"), Query(net(ARRIVED, "system", "kind", "channel"), "delivered"),
        Query(net(("opened", "clicked"), "system", "kind", "channel"), "opened"),
        Query(net(("refused",), "system", "kind", "channel"), "refused"),
        Query(net(("failed", "expired"), "system", "kind", "channel"), "failed"),
        Query(net(("unknown",), "system", "kind", "channel"), "in doubt"),
        Query(share(net(ACCEPTED, "system", "kind", "channel"),
                    net((*ACCEPTED, *UNTOLD), "system", "kind", "channel")), "sent of all"),
        units={"sent of all": "percentunit"}, order=("system", "kind", "channel")))


def rates(made):
    made.with_row(row("A second"))
    made.with_panel(chart("By outcome", "People who came to an outcome.", PEOPLE_RATE,
                          Query(rate(outcomes(*MAIN), "outcome"), "{{outcome}}"), words=MAIN))
    made.with_panel(chart("Sent, by system", "People whom a provider accepted.", PEOPLE_RATE,
                          Query(rate(outcomes("sent"), "system"), "{{system}}"), stacked=True))
    made.with_panel(chart("Sent, by kind", "People whom a provider accepted.", PEOPLE_RATE,
                          Query(rate(outcomes("sent"), "system", "kind"), "{{system}} {{kind}}"), stacked=True))
    made.with_panel(chart("Sent, by channel", "People whom a provider accepted.", PEOPLE_RATE,
                          Query(rate(outcomes("sent"), "channel"), "{{channel}}"), stacked=True, words=("email", "sms", "push")))
    made.with_panel(chart("Delivered, by channel", "People to whom a provider says it was delivered.", PEOPLE_RATE,
                          Query(rate(outcomes("delivered"), "channel"), "{{channel}}"), stacked=True,
                          words=("email", "sms", "push")))
    made.with_panel(chart("Not told, by channel", "People who were refused, given up, told too late or are in doubt.", PEOPLE_RATE,
                          Query(f"{rate(outcomes(*UNTOLD), 'channel', 'outcome')} > 0", "{{channel}} {{outcome}}"),
                          runbook="fanfarerefusedrising"))


def shares(made):
    made.with_row(row("Shares"))
    for title, by, legend in (("system and kind", ("system", "kind"), "{{system}} {{kind}}"), ("channel", ("channel",), "{{channel}}")):
        made.with_panel(chart(
            f"Sent of all, by {title}", "Of the people who could be told, those whom a provider accepted. The dashed lines are 90 and"
            " 98 of 100.", "percentunit",
            Query(share(net(ACCEPTED, *by, over="$__rate_interval"),
                        net((*ACCEPTED, *UNTOLD), *by, over="$__rate_interval")), legend),
            span=8, most=1, runbook="mail-failed-for-an-hour-what-now", steps=good_above(0.9, 0.98),
            words=("email", "sms", "push") if by == ("channel",) else ()))
    made.with_panel(chart(
        "Receipts of what was accepted, by account", "People of whom a receipt says delivered, bounced or opened, of those whom the"
        " account's provider has accepted by now. Receipts come later, and some providers send none.", "percentunit",
        *(Query(share(increase(receipts(*events), "account"), increase(TAKEN, "account")), "{{account}} " + word)
          for word, events in (("delivered", ("delivered",)), ("bounced", BOUNCED), ("opened", ("opened",)))),
        span=8, most=1))


def providers(made):
    made.with_row(row("By account of a provider"))
    made.with_panel(chart("Accepted", "People in requests that the provider took.", PEOPLE_RATE,
                          Query(rate(TAKEN, "account"), "{{account}}"), stacked=True))
    made.with_panel(chart("Receipts", "What providers say afterwards: delivered, opened, bounced and so on.", PEOPLE_RATE,
                          Query(f"{rate(each(RECEIPTS, ACCOUNT), 'event')} > 0", "{{event}}"), stacked=True))
    made.with_panel(chart("Bounced", "Receipts that say bounced, by account. Providers close accounts whose mail bounces much.",
                          PEOPLE_RATE, Query(rate(receipts(*BOUNCED), "account"), "{{account}}"),
                          runbook="fanfarerefusedrising"))
    for title, meaning, part in (("Latency, half", "Half of the requests are answered within this.", 0.5),
                                 ("Latency, 99 of 100", "99 of 100 requests are answered within this.", 0.99)):
        made.with_panel(chart(title, meaning, "s", Query(
            quantile(part, each("fanfare_request_seconds_bucket", ACCOUNT), "account"), "{{account}}")))
    made.with_panel(chart(
        "Unsubscribed", "Requests to unsubscribe, by what became of them.", PER_S,
        Query(f"{rate(each('fanfare_unsubscribes_total'), 'result')} > 0", "{{result}}"), stacked=True))
    made.with_panel(grid(
        "Accounts", "What became of the people in each account's requests, in the time that is shown.", "short",
        Query(increase(TAKEN, "account"), "accepted"),
        Query(increase(each("fanfare_request_recipients_total", CHANNEL, ACCOUNT, is_("verdict", "suppress", "perm_rcpt")), "account"),
              "refused"),
        *(Query(increase(receipts(*events), "account"), word) for word, events in (
            ("delivered", ("delivered",)), ("opened", ("opened",)), ("clicked", ("clicked",)), ("bounced", BOUNCED),
            ("complained", ("complained",)), ("unsubscribed", ("unsubscribed", "opted_out")))), height=6))


def dashboard():
    made = frame.new("delivery", "Delivery", "What became of whom, by system, kind, channel and provider.",
                     "instance", "system", "kind", "channel", "account")
    for part in (figures, rates, shares, providers):
        part(made)
    return made
