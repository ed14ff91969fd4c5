-- What a job is about, who changed a notification by hand, and how often a person was told.

-- The notification's subject ("" for none): who was told of it is looked up by this.
ALTER TABLE job ADD COLUMN subject text NOT NULL DEFAULT '';
CREATE INDEX job_subject ON job (system, kind, subject, created_at) WHERE subject <> '';

-- origin: 'query', or 'api' where somebody inserted it (source: who). Refreshes change their own.
-- cancelled_by, moved_by: who did it by hand; a refresh undoes neither.
ALTER TABLE notification
    ADD COLUMN IF NOT EXISTS origin       text NOT NULL DEFAULT 'query',
    ADD COLUMN IF NOT EXISTS source       text NOT NULL DEFAULT 'scheduler',
    ADD COLUMN IF NOT EXISTS cancelled_by text,
    ADD COLUMN IF NOT EXISTS moved_by text;
CREATE INDEX IF NOT EXISTS notification_subject ON notification (system, subject);

INSERT INTO reason VALUES (20, 'too_often'), (21, 'quiet_hours');

-- For kinds with a cap: when a job last reached a person, whatever the channel. What is older than
-- the kind's window goes when the person is told again.
CREATE TABLE counted_send (
    system    text NOT NULL,
    kind      text NOT NULL,
    recipient text COLLATE "C" NOT NULL,
    job_id    uuid NOT NULL,
    sent_at   timestamptz NOT NULL DEFAULT app_now(),
    PRIMARY KEY (system, kind, recipient, job_id)
);
