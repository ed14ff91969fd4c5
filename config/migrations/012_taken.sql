-- What the broker has acknowledged and no worker has taken is published again (docs/reliability.md).

-- taken_at: a worker took the job, or refused it, or it was given up. Noted once and for all, so that a job whose row is
-- long deleted does not look lost. republished: how often it was published again.
ALTER TABLE notification
    ADD COLUMN published_at timestamptz,           -- first; null: not yet, or by an older program
    ADD COLUMN taken_at     timestamptz,
    ADD COLUMN republished  smallint NOT NULL DEFAULT 0;
ALTER TABLE api_request                            -- here published_at is the last time
    ADD COLUMN taken_at     timestamptz,
    ADD COLUMN republished  smallint NOT NULL DEFAULT 0;

-- What is older than an hour now was taken, whether its job is still there or not.
UPDATE notification SET taken_at = updated_at WHERE state = 'published'
    AND (updated_at < app_now() - interval '1 hour' OR EXISTS (SELECT FROM job WHERE id = job_id));
UPDATE api_request SET taken_at = published_at WHERE body IS NOT NULL
    AND (created_at < app_now() - interval '1 hour' OR EXISTS (SELECT FROM job WHERE id = job_id));
UPDATE api_request SET taken_at = created_at WHERE body IS NOT NULL AND taken_at IS NULL AND published_at IS NULL
    AND created_at < app_now() - interval '1 hour';

CREATE INDEX notification_untaken ON notification (updated_at) WHERE state = 'published' AND taken_at IS NULL;
CREATE INDEX api_request_untaken ON api_request (created_at) WHERE taken_at IS NULL AND body IS NOT NULL;

-- Jobs that a worker has read and that have no row in job under their id: they are not published again.
CREATE TABLE absent_job (
    job_id   uuid PRIMARY KEY,
    code     text NOT NULL DEFAULT '',             -- why it is among the dead letters; '': it is not
    message  text NOT NULL DEFAULT '',
    taken_as uuid,                                 -- the job that stands for it
    noted_at timestamptz NOT NULL DEFAULT app_now()
);
CREATE INDEX absent_job_old ON absent_job (noted_at);

-- Rows of systems' outboxes that are published and not taken yet. The outboxes themselves stay as they are.
CREATE TABLE outbox_row (
    system       text NOT NULL,
    id           text NOT NULL,                    -- of the row
    job_id       uuid NOT NULL,
    first_at     timestamptz NOT NULL DEFAULT app_now(),
    published_at timestamptz NOT NULL DEFAULT app_now(),  -- last
    republished  smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (system, id)
);
