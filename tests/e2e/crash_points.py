"""Where programs may die: before and after each step, by the call that carries it out. A step is a statement that PostgreSQL
gets, the commit of the transaction in which it is, a record for a topic or from one, an offset, a request to a provider or
its answer; what stands beside it is a piece of the statement's text, or of the topic's name."""

# What a worker does with any job.
JOB = {
    "job.take": ("sql", "INSERT INTO job (id, idempotency_key, system, kind, body, lane"),
    "job.offset": ("offsets", "."),
    "plan.claim": ("sql", "plan_unheard = plan_unheard + 1"),
    "plan.advance": ("sql", "UPDATE job SET plan_cursor = $3"),
    "plan.chunks": ("sql", "COPY chunk"),
    "plan.filters": ("sql", "COPY chunk_filter"),
    "plan.commit": ("commit", "UPDATE job SET plan_cursor = $3"),
    "plan.publish": ("publish", ".chunks."),
    "plan.acknowledged": ("acknowledged", ".chunks."),
    "plan.finish": ("sql", "planned_at = app_now(), left_out = $4"),
    "send.claim": ("sql", "claim_token = $5, "),
    "send.contacts": ("sql", "username AS name"),
    "send.mark": ("sql", "begun = CASE WHEN w.begun"),
    "send.request": ("request", "http"),
    "send.record": ("sql", "takeovers = CASE WHEN w.keep"),
    "job.close": ("sql", "WITH closed AS (UPDATE job"),
    "sweep.take_over": ("sql", "WITH stalled AS"),
    "sweep.fetch": ("sql", "overdue AS MATERIALIZED"),
}
CAPPED = {
    "plan.cancel_earlier": ("sql", "known_since(j)"),
    "cap.take": ("sql", "WITH mine AS (SELECT recipient FROM counted_send"),
    "cap.commit": ("commit", "WITH mine AS (SELECT recipient FROM counted_send"),
    "record.commit": ("commit", "takeovers = CASE WHEN w.keep"),
}
FALLBACK = {
    "fallback.insert": ("sql", "FROM job WHERE id = $1::uuid ON CONFLICT DO NOTHING"),
    "fallback.count": ("sql", "planned[$2] = planned[$2] + $3"),
    "fallback.commit": ("commit", "planned[$2] = planned[$2] + $3"),
}
# Of a chunk in which some sleep.
SPLIT = {
    "split.shrink": ("sql", "UPDATE chunk SET recipients = $5::text[], size = $6"),
    "split.number": ("sql", "coalesce(max(last.number) + 1, $2)"),
    "split.insert": ("sql", "INSERT INTO chunk (job_id, day, channel, number, on_doubt, lane, next_at"),
    "split.commit": ("commit", "UPDATE chunk SET recipients = $5::text[], size = $6"),
}
# Of a job that is called off by a client of the API, and what a worker then does with it.
CANCEL = {
    "cancel.write": ("sql", "WHERE id IN (SELECT id FROM theirs) AND state IN ('planning', 'sending')"),
}
ENDED = {
    "ended.claim": ("sql", "SELECT id FROM job WHERE state = 'cancelled' AND settled_at IS NULL UNION ALL"),
    "ended.record": ("sql", "takeovers = CASE WHEN w.keep"),
    "ended.close": ("sql", "WITH closed AS (UPDATE job"),
}
PAUSE = {
    "pause.write": ("sql", "INSERT INTO pause (what, name"),
    "pause.read": ("sql", "UNION ALL SELECT what, name, 0 FROM pause p"),
    "pause.lift": ("sql", "DELETE FROM pause p WHERE what = $1"),
}
DEAD = {
    "dead.mark": ("sql", "begun = CASE WHEN w.begun"),
    "dead.suppress": ("sql", "WITH stored AS (INSERT INTO suppression"),
    "dead.commit": ("commit", "WITH stored AS (INSERT INTO suppression"),
    "dead.record": ("sql", "takeovers = CASE WHEN w.keep"),
}
REFUSED = {
    "refusal.note": ("sql", "INSERT INTO absent_job AS a"),
    "refusal.publish": ("publish", ".dead"),
    "refusal.acknowledged": ("acknowledged", ".dead"),
}
# What a producer does, by source.
SCHEDULED = {
    "refresh.query": ("sql", "DECLARE due "),
    "refresh.insert": ("sql", "news AS (INSERT INTO notification"),
    "refresh.commit": ("commit", "news AS (INSERT INTO notification"),
    "schedule.claim": ("sql", "UPDATE notification n SET epoch = n.epoch + 1"),
    "schedule.publish": ("publish", ".jobs"),
    "schedule.acknowledged": ("acknowledged", ".jobs"),
    "schedule.mark": ("sql", "SET state = 'published'"),
}
OUTBOX = {
    "outbox.read": ("sql", "FROM fanfare_outbox WHERE rejected IS NULL"),
    "outbox.publish": ("publish", ".jobs"),
    "outbox.acknowledged": ("acknowledged", ".jobs"),
    "outbox.note": ("sql", "INSERT INTO outbox_row AS o"),
    "outbox.commit": ("commit", "FROM fanfare_outbox WHERE rejected IS NULL"),
    "outbox.delete": ("sql", "DELETE FROM fanfare_outbox"),
    "outbox.delete_commit": ("commit", "DELETE FROM fanfare_outbox"),
    "outbox.forget": ("sql", "WITH gone AS (DELETE FROM outbox_row"),
}
ORDER = {
    "order.remember": ("sql", "INSERT INTO api_request"),
    "order.publish": ("publish", ".jobs"),
    "order.acknowledged": ("acknowledged", ".jobs"),
    "order.mark": ("sql", "UPDATE api_request SET published_at = app_now() WHERE"),
}
RECEIPTS = {
    "webhook.publish": ("publish", ".receipts"),
    "webhook.acknowledged": ("acknowledged", ".receipts"),
    "receipt.lock": ("sql", "ORDER BY w.position FOR UPDATE OF c"),
    "receipt.write": ("sql", "w(job_id, channel, number, outcomes, reasons, tally, causes)"),
    "receipt.commit": ("commit", "w(job_id, channel, number, outcomes, reasons, tally, causes)"),
    "receipt.suppress": ("sql", "WITH stored AS (INSERT INTO suppression"),
}
REPLAY = {
    "replay.order": ("sql", "INSERT INTO replay ("),
    "replay.job": ("sql", "'sending', CASE WHEN lives THEN expires_at"),
    "replay.move": ("sql", "UPDATE chunk c SET outcomes = decode(substr(w.outcomes"),
    "replay.commit": ("commit", "UPDATE chunk c SET outcomes = decode(substr(w.outcomes"),
    "replay.end": ("sql", "UPDATE replay SET finished_at"),
}
RETENTION = {
    "old.find": ("sql", "ORDER BY j.day LIMIT $2 FOR UPDATE OF j SKIP LOCKED"),
    "old.look_again": ("sql", "pg_try_advisory_xact_lock(hashtextextended('replay/' || j.id, 0))"),
    "old.filters": ("sql", "DELETE FROM chunk_filter WHERE job_id"),
    "old.owners": ("sql", "DELETE FROM address_owner WHERE job_id"),
    "old.early": ("sql", "DELETE FROM early_receipt WHERE job_id"),
    "old.chunks": ("sql", "DELETE FROM chunk WHERE job_id"),
    "old.note": ("sql", "UPDATE job SET dropped_at"),
    "old.commit": ("commit", "UPDATE job SET dropped_at"),
    "old.orders": ("sql", "DELETE FROM api_request WHERE ctid"),
    "old.bounces": ("sql", "DELETE FROM soft_bounce WHERE ctid"),
}
STEPS = (JOB, CAPPED, FALLBACK, SPLIT, CANCEL, ENDED, PAUSE, DEAD, REFUSED, SCHEDULED, OUTBOX, ORDER, RECEIPTS, REPLAY, RETENTION)

# Of which there is one moment only.
ALONE = {
    "after job.read": ("after", "read", ".jobs"),
    "after chunk.read": ("after", "read", ".chunks."),
    "after receipt.read": ("after", "read", ".receipts"),
    "before send.answer": ("before", "answer", "http"),
}


def around(steps):
    """The points before and after each of `steps`."""
    return [f"{moment} {step}" for step in steps for moment in ("before", "after")]


POINTS = {f"{moment} {step}": (moment, *how) for steps in STEPS for step, how in steps.items()
          for moment in ("before", "after")} | ALONE
