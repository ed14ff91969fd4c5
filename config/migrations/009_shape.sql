-- The shape that later versions build on (docs/decisions/0006-ledger-shape.md). From here on migrations only add:
-- the programs of the version before run on the ledger of this one.

INSERT INTO outcome VALUES (14, 'replayed', true);
INSERT INTO reason VALUES
    (22, 'recipient_invalid'), (23, 'query_failed'), (24, 'given_up'), (25, 'not_configured');

-- The day a job belongs to, in UTC: what is kept by days goes by it, chunks and all.
ALTER TABLE job ADD COLUMN day date;
UPDATE job SET day = (created_at AT TIME ZONE 'UTC')::date;
ALTER TABLE job ALTER COLUMN day SET DEFAULT (app_now() AT TIME ZONE 'UTC')::date;

ALTER TABLE chunk
    ADD COLUMN day date,                       -- its job's; null: written by an older program
    ADD COLUMN causes bytea,                   -- one byte each, a reason behind the reason; null: none
    ADD COLUMN begun bytea,                    -- one byte each while claimed: 1 where a request may have begun
                                               -- since the claim; null: nobody's has
    ADD COLUMN takeovers smallint NOT NULL DEFAULT 0,  -- leases that ran out in a row
    ADD COLUMN failures smallint NOT NULL DEFAULT 0,   -- claims in a row that could not be prepared
    ADD CHECK (causes IS NULL OR octet_length(causes) = size),
    ADD CHECK (begun IS NULL OR octet_length(begun) = size);

-- A tally has a place for each outcome of the program that wrote it: places that are missing are 0.
CREATE OR REPLACE VIEW job_progress AS
SELECT j.id AS job_id, j.system, j.kind, ch.name AS channel, j.state AS job_state,
       count(*) AS chunks, count(*) FILTER (WHERE c.state = 'done') AS chunks_done,
       sum(c.size) AS planned,
       sum(CASE WHEN c.tally IS NULL THEN c.size ELSE c.tally[1] END) AS pending,
       coalesce(sum(c.tally[2]), 0) AS sent, coalesce(sum(c.tally[3]), 0) AS delivered,
       coalesce(sum(c.tally[4]), 0) AS opened, coalesce(sum(c.tally[5]), 0) AS clicked,
       coalesce(sum(c.tally[6]), 0) AS refused, coalesce(sum(c.tally[7]), 0) AS suppressed,
       coalesce(sum(c.tally[8]), 0) AS opted_out, coalesce(sum(c.tally[9]), 0) AS no_address,
       coalesce(sum(c.tally[10]), 0) AS expired, coalesce(sum(c.tally[11]), 0) AS cancelled,
       coalesce(sum(c.tally[12]), 0) AS retry, coalesce(sum(c.tally[13]), 0) AS failed,
       coalesce(sum(c.tally[14]), 0) AS unknown,
       j.created_at, j.planned_at, j.finished_at, max(c.updated_at) AS last_updated_at,
       coalesce(sum(c.tally[15]), 0) AS replayed
FROM job j
JOIN chunk c ON c.job_id = j.id
JOIN channel ch ON ch.code = c.channel
GROUP BY j.id, ch.code, ch.name;

CREATE OR REPLACE VIEW delivery AS
SELECT c.job_id, j.kind, ch.name AS channel, u.recipient, o.name AS outcome, r.name AS reason,
       CASE WHEN o.code NOT IN (1, 2, 3, 4) THEN NULL  -- one id stands for all that were sent
            WHEN cardinality(c.provider_ids) = 1 THEN c.provider_ids[1]
            ELSE c.provider_ids[u.position] END AS provider_id,
       CASE WHEN c.attempts IS NULL THEN 0 ELSE get_byte(c.attempts, (u.position - 1)::integer) END AS attempts,
       c.number AS chunk, c.account, c.updated_at,
       cause.name AS cause
FROM chunk c
JOIN job j ON j.id = c.job_id
JOIN channel ch ON ch.code = c.channel
CROSS JOIN LATERAL unnest(c.recipients) WITH ORDINALITY AS u(recipient, position)
JOIN outcome o ON o.code =
    CASE WHEN c.outcomes IS NULL THEN 0 ELSE get_byte(c.outcomes, (u.position - 1)::integer) END
JOIN reason r ON r.code =
    CASE WHEN c.reasons IS NULL THEN 0 ELSE get_byte(c.reasons, (u.position - 1)::integer) END
JOIN reason cause ON cause.code =
    CASE WHEN c.causes IS NULL THEN 0 ELSE get_byte(c.causes, (u.position - 1)::integer) END;
