-- Owners' own texts in the places of the shipped ones.

-- One version of all that an owner has written for a kind. Rows are never changed: a job keeps the
-- version it was planned with.
CREATE TABLE own_templates (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system   text NOT NULL,
    kind     text NOT NULL,
    owner    text COLLATE "C" NOT NULL,         -- the source of the jobs that it is for
    version  integer NOT NULL,                  -- the highest counts
    parts    jsonb COMPRESSION lz4,             -- {"sms.de.text": "..."}; null: deleted, the shipped ones count
    saved_by text NOT NULL,                     -- the client
    saved_at timestamptz NOT NULL DEFAULT app_now(),
    UNIQUE (owner, system, kind, version)
);

-- null: the shipped ones.
ALTER TABLE job ADD COLUMN own_templates bigint REFERENCES own_templates;
CREATE INDEX job_own_templates ON job (own_templates) WHERE own_templates IS NOT NULL;
