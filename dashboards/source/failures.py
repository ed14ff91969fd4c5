"""Who was not told and why, what was lost or doubted on the way, and the replays that serve them again."""

from . import frame
from .panels import GREEN, PEOPLE_RATE, PER_MINUTE, PER_S, YELLOW, Query, bad_above, bar_list, chart, grid, number, row
from .queries import CHANNEL, UNTOLD, each, increase, is_, net, one, outcomes, per_minute, rate, total

KINDS = ("system", "kind", "channel")


def now(made):
    made.with_row(row("Now"))
    for word, meaning, runbook in (
            ("failed", "People who were given up after all attempts.", "fanfareattemptsusedup"),
            ("refused", "People whom a provider refused.", "fanfarerefusedrising"),
            ("expired", "People who were not told in time.", "fanfareexpiring"),
            ("unknown", "People of whom nobody can know whether they were told.", "fanfaredoubtgrowing")):
        made.with_panel(number(word.capitalize(), meaning + " Of all jobs that the ledger holds; a replay takes its people away.",
                               "short", Query(total(one("fanfare_recipients", CHANNEL, is_("outcome", word))), word),
                               runbook=runbook, steps=((None, GREEN), (1, YELLOW))))
    made.with_panel(number("Replays open", "Replays that are not yet carried out.", "short",
                           Query(total(one("fanfare_replays_open")), "open"), runbook="mail-failed-for-an-hour-what-now"))
    made.with_panel(number("Pauses", "Pauses that are in force: of everything, a channel, an account, a kind or a job.", "short",
                           Query(total(one("fanfare_pauses")), "pauses"), runbook="fanfarepauseforgotten",
                           steps=bad_above(1)))


def untold(made):
    made.with_row(row("Not told"))
    made.with_panel(chart("A second", "People who came to an outcome that tells them nothing, or perhaps nothing.", PEOPLE_RATE,
                          Query(rate(outcomes(*UNTOLD), "outcome"), "{{outcome}}"), words=UNTOLD,
                          runbook="mail-failed-for-an-hour-what-now"))
    made.with_panel(chart("Failing share", "Of those who came to an outcome, the people who were refused, given up, late or doubted.",
                          "percentunit", Query(f"{rate(outcomes(*UNTOLD), 'channel')}"
                                               f" / {rate(outcomes('sent', *UNTOLD), 'channel')}", "{{channel}}"),
                          most=1, runbook="fanfarerefusedrising", steps=bad_above(0.02, 0.1), words=("email", "sms", "push")))
    made.with_panel(chart("Tried again", "People whose attempt failed in passing and who wait for the next one.", "short",
                          Query(total(one("fanfare_recipients", CHANNEL, is_("outcome", "retry")), "channel"), "{{channel}}"),
                          words=("email", "sms", "push")))
    made.with_panel(grid("By system, kind and channel", "People who came to each outcome in the time that is shown, less those who have"
                         " another one by now.", "short",
                         *(Query(net((word,), *KINDS), word) for word in (*UNTOLD, "suppressed", "opted_out", "no_address")),
                         order=KINDS, span=16))
    made.with_panel(bar_list("Held by the ledger", "People by outcome, of all jobs that the ledger holds.", "short",
                             Query(f"{total(one('fanfare_recipients', CHANNEL, is_('outcome', *UNTOLD, 'cancelled', 'replayed')), 'outcome')}",
                                   "{{outcome}}"), words=(*UNTOLD, "cancelled", "replayed")))


def doubt(made):
    made.with_row(row("Doubt, takeovers, refused records"))
    made.with_panel(chart("Doubted and settled", "People whose answer was lost, and those of them of whom a receipt, a late word or a replay"
                          " told more.", PEOPLE_RATE,
                          Query(rate(outcomes("unknown")), "came to doubt"),
                          Query(rate(outcomes("unknown", family="fanfare_outcomes_left_total")), "settled"),
                          runbook="fanfaredoubtgrowing"))
    made.with_panel(chart("Workers lost", "Chunks taken over from workers that died or stalled, and records refused because another worker"
                          " had taken the chunk over, a minute.", PER_MINUTE,
                          Query(per_minute(each("fanfare_chunks_taken_over_total")), "taken over"),
                          Query(per_minute(each("fanfare_fenced_records_total")), "records refused"), runbook="fanfareworkerslost"))
    made.with_panel(chart("Brought back", "Chunks that nobody had claimed in time and that the sweep fetched, and descriptors let go because"
                          " the queue was full, a minute.", PER_MINUTE,
                          Query(per_minute(each("fanfare_chunks_fetched_total")), "fetched"),
                          Query(per_minute(each("fanfare_descriptors_dropped_total")), "let go")))
    made.with_panel(bar_list("Dead letters", "Records that were refused in the time that is shown, by reason.", "short",
                             Query(f"{increase(each('fanfare_dead_letters_total'), 'reason')} > 0", "{{reason}}", instant=True),
                             runbook="fanfaredeadletters", steps=bad_above(1)))
    made.with_panel(chart("Receipts", "What receipts did to the ledger: raised an outcome, changed nothing, came before the record, matched"
                          " nobody, or were refused.", PEOPLE_RATE,
                          Query(rate(each("fanfare_receipts_total"), "what"), "{{what}}"), stacked=True,
                          runbook="fanfarewebhooksrefused"))
    made.with_panel(chart("Not in order", "What is wrong with the data of others, a second: people whose time zone is none, ids too long to"
                          " be planned, calls of the API with a wrong token.", PER_S,
                          Query(rate(each("fanfare_readers_without_time_zone_total")), "time zones"),
                          Query(rate(each("fanfare_recipients_left_out_total")), "ids too long"),
                          Query(rate(each("fanfare_api_wrong_tokens_total")), "wrong tokens")))


def replays(made):
    made.with_row(row("Replay"))
    made.with_panel(chart("Served again", "People whose outcome became replayed: a new job tells them.", PEOPLE_RATE,
                          Query(rate(outcomes("replayed"), "channel"), "{{channel}}"), stacked=True,
                          words=("email", "sms", "push"), runbook="mail-failed-for-an-hour-what-now"))
    made.with_panel(chart("Replays", "Replays that were ordered so far, and that are not yet carried out.", "short",
                          Query(total(one("fanfare_replays_total")), "ordered"), Query(total(one("fanfare_replays_open")), "open")))
    made.with_panel(grid("Replayed, in the time that is shown", "People by system, kind and channel who were served again.", "short",
                         Query(f"{increase(outcomes('replayed'), *KINDS)} > 0", "people"), order=KINDS, span=8))


def dashboard():
    made = frame.new("failures", "Failures and replay", "Who was not told and why, and who was served again.",
                     "instance", "system", "kind", "channel")
    for part in (now, untold, doubt, replays):
        part(made)
    return made
