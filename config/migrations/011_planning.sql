-- Planning that comes to an end whatever stands in its way, keys that are compared, and what a clock that jumps
-- may do (docs/decisions/0007-the-ledgers-clock.md).

ALTER TABLE job
    ADD COLUMN plan_unheard smallint NOT NULL DEFAULT 0,   -- claims in a row whose planner was not heard of again
    ADD COLUMN plan_failures smallint NOT NULL DEFAULT 0,  -- failures in a row without a step forward
    ADD COLUMN plan_failed_at timestamptz,                 -- planning was given up: who is in no chunk is not told
    ADD COLUMN left_out bigint NOT NULL DEFAULT 0,         -- ids of the audience that are too long
    ADD COLUMN order_digest text,                          -- SHA-256 of what was asked for; null: not known
    ADD COLUMN taken_from text;                            -- the Kafka record it was taken from last

-- Nobody heard of a job that failed so, or may have: its key is free again.
CREATE FUNCTION told_nobody(j job) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NOT EXISTS (SELECT FROM chunk c WHERE c.job_id = j.id AND (c.tally IS NULL
              OR c.tally[2] + c.tally[3] + c.tally[4] + c.tally[5] > 0  -- sent, delivered, opened, clicked
              OR coalesce(c.tally[14], 0) + coalesce(c.tally[15], 0) > 0)) $$;  -- unknown, replayed

-- When the row was last written by its own clock: what stands in it is never further ahead of now than it was then.
ALTER TABLE bucket
    ADD COLUMN reserved_at timestamptz,
    ADD COLUMN blocked_at timestamptz;
