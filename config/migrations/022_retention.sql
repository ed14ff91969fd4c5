-- How long the ledger keeps what became of people (docs/decisions/0017-retention.md).

-- dropped_at: the job's chunks are no longer kept. Its row stays: ids and keys stand for one order for ever, and links
-- in old mails name it.
ALTER TABLE job ADD COLUMN dropped_at timestamptz;
CREATE INDEX job_kept ON job (day) WHERE dropped_at IS NULL;
CREATE INDEX api_request_old ON api_request (created_at);

-- What was dropped is room for what comes next: swept up before a twentieth is empty, not a fifth.
ALTER TABLE chunk SET (autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE chunk_filter SET (autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_vacuum_scale_factor = 0.05);

-- Of what is no longer kept nobody knows whom it told, unless it never had a chunk.
CREATE OR REPLACE FUNCTION told_nobody(j job) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT (j.dropped_at IS NULL OR j.plan_chunks = '{0,0,0}')
              AND NOT EXISTS (SELECT FROM chunk c WHERE c.job_id = j.id AND (c.tally IS NULL
              OR c.tally[2] + c.tally[3] + c.tally[4] + c.tally[5] > 0  -- sent, delivered, opened, clicked
              OR coalesce(c.tally[14], 0) + coalesce(c.tally[15], 0) > 0)) $$;  -- unknown, replayed
