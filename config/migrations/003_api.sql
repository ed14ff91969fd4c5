-- What backends order through the HTTP API.

-- origin 'api': scheduled by a backend, no due query changes or cancels it.
-- source: who scheduled it; the jobs of due queries are the scheduler's.
-- cancelled_by, moved_by: who did it by hand; a due query that finds it again undoes neither.
ALTER TABLE notification
    ADD COLUMN origin       text NOT NULL DEFAULT 'query' CHECK (origin IN ('query', 'api')),
    ADD COLUMN source       text NOT NULL DEFAULT 'scheduler',
    ADD COLUMN IF NOT EXISTS cancelled_by text,
    ADD COLUMN IF NOT EXISTS moved_by     text;
CREATE UNIQUE INDEX notification_job ON notification (job_id);
CREATE INDEX notification_subject ON notification (system, subject);

-- One accepted creation: its key with another body is refused, with the same body is the same job.
CREATE TABLE api_request (
    owner        text NOT NULL,
    key          text NOT NULL,
    digest       text NOT NULL,                 -- SHA-256 of what was asked for, hexadecimal
    job_id       uuid NOT NULL,
    body         jsonb,                         -- the job as published; null: a notification's
    created_at   timestamptz NOT NULL DEFAULT app_now(),
    published_at timestamptz,                   -- null: the broker may not have it
    PRIMARY KEY (owner, key)
);
CREATE INDEX api_request_job ON api_request (job_id);

-- Pages of jobs: newest first, all or those of one source.
CREATE INDEX job_latest ON job (created_at, id);
CREATE INDEX job_of_source ON job ((body ->> 'source'), created_at, id);
