"""Providers: how their accounts stand, how near their limits, what they answer."""

from . import frame
from .panels import (CALM, GREEN, RED, REQUEST_RATE, YELLOW, Query, bad_above, bar_list, chart, grid, number, row, states)
from .queries import ACCOUNT, CHANNEL, each, is_, quantile, rate, total

VERDICTS = ("ok", "suppress", "perm_rcpt", "perm_req", "config", "throttle", "transient", "ambiguous")
REQUESTS = "fanfare_requests_total"
LIMIT = f"max by (account) ({each('fanfare_account_rate_per_second', ACCOUNT)} > 0)"
TAKEN_HOOKS = ("stored", "confirmed", "repeated", "in_hand", "nothing")
BREAKER = (" + ".join(f"max by (account) ({weight}{each('fanfare_account_breaker', ACCOUNT, is_('state', state))})"
                      for weight, state in (("", "half_open"), ("2 * ", "open"))))


def standing(made):
    made.with_row(row("How accounts stand"))
    for title, family, meaning, runbook in (
            ("Paused", "fanfare_account_paused", "Not used because of their credentials or settings. Only a person can mend it.",
             "fanfareaccountpaused"),
            ("Broken", "fanfare_account_broken", "Given a rest because they keep failing; tried again by themselves.",
             "fanfareaccountbroken"),
            ("Held", "fanfare_account_held", "Held back by an operator, or their channel is.", "mail-failed-for-an-hour-what-now")):
        made.with_panel(number(title, "Accounts. " + meaning, "short",
                               Query(f"sum({total(each(family, ACCOUNT), 'account', how='max')})", title.lower()),
                               span=4, height=4, runbook=runbook, steps=bad_above(1)))
    made.with_panel(number("Requests a second", "All requests to providers.", REQUEST_RATE,
                           Query(rate(each(REQUESTS, CHANNEL, ACCOUNT)), "requests")))
    made.with_panel(number("Throttled", "The share of requests that were answered with: too fast.", "percentunit",
                           Query(f"{rate(each(REQUESTS, CHANNEL, ACCOUNT, is_('verdict', 'throttle')))}"
                                 f" / {rate(each(REQUESTS, CHANNEL, ACCOUNT))}", "throttled"),
                           runbook="fanfarethrottled", steps=bad_above(0.01, 0.1)))
    made.with_panel(number("Webhooks not taken", "The share of webhooks that were refused or could not be stored.", "percentunit",
                           Query(f"1 - {rate(each('fanfare_webhooks_total', ACCOUNT, is_('result', *TAKEN_HOOKS)))}"
                                 f" / {rate(each('fanfare_webhooks_total', ACCOUNT))}", "not taken"),
                           runbook="fanfarewebhooksrefused", steps=bad_above(0.05, 0.5)))
    made.with_panel(states(
        "Breakers", "The worst that any worker's breaker is in. Open: no request but one now and then, to see.",
        Query(BREAKER, "{{account}}"), span=12, runbook="fanfareaccountbroken",
        mapping={0: ("closed", GREEN), 1: ("half open", YELLOW), 2: ("open", RED)}))
    made.with_panel(states(
        "Paused or held", "Accounts that are not used for their credentials (paused) or because an operator holds them back (held).",
        Query(f"2 * max by (account) ({each('fanfare_account_paused', ACCOUNT)})"
              f" + max by (account) ({each('fanfare_account_held', ACCOUNT)})", "{{account}}"),
        span=12, runbook="fanfareaccountpaused",
        mapping={0: ("in use", GREEN), 1: ("held", YELLOW), 2: ("paused", RED), 3: ("paused and held", RED)}))


def answers(made):
    made.with_row(row("Answers"))
    made.with_panel(chart("Requests, by account", "Requests to providers.", REQUEST_RATE,
                          Query(rate(each(REQUESTS, CHANNEL, ACCOUNT), "account"), "{{account}}"), stacked=True))
    made.with_panel(chart("Requests, by verdict", "What the answers meant: ok; suppress and perm_rcpt, this recipient never; perm_req, this"
                          " request never; config, our credentials; throttle, too fast; transient, later; ambiguous, nobody knows.",
                          REQUEST_RATE, Query(f"{rate(each(REQUESTS, CHANNEL, ACCOUNT), 'verdict')} > 0", "{{verdict}}"),
                          stacked=True, runbook="fanfarerequestsfailing", words=VERDICTS))
    made.with_panel(chart("Faults, by account", "Requests that failed, by account and what the answer meant.", REQUEST_RATE,
                          Query(f"{rate(each(REQUESTS, CHANNEL, ACCOUNT, is_('verdict', *VERDICTS[3:])), 'account', 'verdict')} > 0",
                                "{{account}} {{verdict}}"), runbook="fanfarerequestsfailing"))
    for title, meaning, shares in (
            ("Latency, half", "Half of the requests are answered within this.", 0.5),
            ("Latency, 99 of 100", "99 of 100 requests are answered within this. An account's timeout is a setting.", 0.99)):
        made.with_panel(chart(title, meaning, "s", Query(quantile(shares, each("fanfare_request_seconds_bucket", ACCOUNT), "account"),
                                                         "{{account}}"), steps=bad_above(1, 5) if shares > 0.9 else CALM))
    made.with_panel(chart("People in a request", "How full requests are, on average: the larger, the fewer.", "none",
                          Query(f"{rate(each('fanfare_request_recipients_total', CHANNEL, ACCOUNT), 'account')}"
                                f" / {rate(each(REQUESTS, CHANNEL, ACCOUNT), 'account')}", "{{account}}")))


def limits(made):
    made.with_row(row("Limits"))
    made.with_panel(chart("Rate used", "Tokens used a second of the account's rate, which all workers share. At 100% the rate is what"
                          " holds people back.", "percentunit",
                          Query(f"{rate(each('fanfare_account_tokens_total', ACCOUNT), 'account')} / {LIMIT}", "{{account}}"),
                          span=6, runbook="fanfarethrottled", steps=((None, GREEN), (0.95, YELLOW))))
    made.with_panel(chart("Wait for the rate", "How long 95 of 100 chunks waited for the account's rate before they were claimed.", "s",
                          Query(quantile(0.95, each("fanfare_account_rate_wait_seconds_bucket", ACCOUNT), "account"), "{{account}}"),
                          span=6, runbook="fanfareexpiring", steps=bad_above(10, 60)))
    made.with_panel(bar_list("Rate", "The rate of each account for all workers together, in the provider's unit. Accounts without a limit"
                             " are not shown.", REQUEST_RATE, Query(LIMIT, "{{account}}"),
                             span=6, runbook="a-provider-asks-us-to-slow-down"))
    made.with_panel(chart("Throttled", "Requests that were answered with: too fast.", REQUEST_RATE,
                          Query(rate(each(REQUESTS, CHANNEL, ACCOUNT, is_("verdict", "throttle")), "account"), "{{account}}"),
                          span=6, runbook="fanfarethrottled"))
    made.with_panel(chart("Access tokens end in", "How long the account's access token is good for. They are renewed by themselves before"
                          " they end.", "s",
                          Query(f"min by (account) ({each('fanfare_account_credential_expiry_timestamp_seconds', ACCOUNT)} > 0)"
                                " - time()", "{{account}}"), runbook="fanfarecredentialended"))
    made.with_panel(chart("Webhooks", "Webhooks by what became of them.", REQUEST_RATE,
                          Query(f"{rate(each('fanfare_webhooks_total', ACCOUNT), 'result')} > 0", "{{result}}"), stacked=True,
                          runbook="fanfarewebhooksrefused"))
    made.with_panel(grid("Receipts", "In the time that is shown: receipts whose reference is none of ours, and events that could not be"
                         " read beside others that could.", "short",
                         Query(total(f"increase({each('fanfare_receipts_foreign_total', ACCOUNT)}[$__range])", "account"), "not ours"),
                         Query(total(f"increase({each('fanfare_receipts_unread_total', ACCOUNT)}[$__range])", "account"), "unread"),
                         span=8, runbook="fanfarewebhooksrefused"))


def dashboard():
    made = frame.new("providers", "Providers", "How accounts stand, what providers answer, and how near the limits are.",
                     "instance", "channel", "account")
    for part in (standing, answers, limits):
        part(made)
    return made
