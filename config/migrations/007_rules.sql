-- What jobs say of the same subject, which of them end early, and what is written back when one is
-- done.

-- True for a subject and its moments: "<id>:1h" is about "<id>", as "<id>" itself is.
CREATE FUNCTION is_about(subject text, whole text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT subject = whole OR (subject ~>=~ (whole || ':') AND subject ~<~ (whole || ';')) $$;

-- The indexes serve equality and is_about().
DROP INDEX job_subject;
CREATE INDEX job_subject ON job (system, kind, subject text_pattern_ops) WHERE subject <> '';
DROP INDEX notification_subject;
CREATE INDEX notification_subject ON notification (system, subject text_pattern_ops);

-- Since when there is something to say: jobs may overtake each other on their way to a worker,
-- so what a due query found counts from then on.
CREATE FUNCTION known_since(j job) RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce((SELECT n.created_at FROM notification n WHERE n.job_id = j.id), j.created_at) $$;

-- For kinds that stop when their row is gone: what may still be under way.
CREATE INDEX notification_current
    ON notification (system, kind, (coalesce(expires_at, greatest(occurrence, due_at))))
    WHERE state IN ('publishing', 'published');

-- When the system is to hear that the job is done; null: it heard, or does not want to.
ALTER TABLE job ADD COLUMN write_back_at timestamptz;
CREATE INDEX job_write_back ON job (write_back_at) WHERE write_back_at IS NOT NULL AND state = 'done';
