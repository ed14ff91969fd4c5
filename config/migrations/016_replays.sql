-- People who are to be served once more: an operator's order, and a new job for each old one (docs/decisions/0010-replays.md).

CREATE TABLE replay (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text NOT NULL UNIQUE,          -- the same order twice is one
    at          timestamptz NOT NULL DEFAULT app_now(),
    who         text NOT NULL,
    because     text NOT NULL,
    filter      jsonb NOT NULL,
    ttl_s       bigint,                        -- how long what has expired lives anew; null: it is left out
    finished_at timestamptz                    -- null: broken off, and to be ordered again under the same key
);

-- replay_of: the job whose people were taken over. origin: the first of that chain, whose people hold the places under
-- caps and own the addresses.
ALTER TABLE job
    ADD COLUMN replay    bigint REFERENCES replay,
    ADD COLUMN replay_of uuid,
    ADD COLUMN origin    uuid;
CREATE INDEX job_replay_of ON job (replay_of) WHERE replay_of IS NOT NULL;
CREATE INDEX job_origin ON job (origin) WHERE origin IS NOT NULL;
CREATE INDEX job_replay ON job (replay) WHERE replay IS NOT NULL;

-- What there is to say is as old as it was at first.
CREATE OR REPLACE FUNCTION known_since(j job) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce((SELECT n.created_at FROM notification n WHERE n.job_id = coalesce(j.origin, j.id)),
                          (SELECT first.created_at FROM job first WHERE first.id = j.origin), j.created_at) $$;
