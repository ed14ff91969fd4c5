-- For a backend that wants its own change and the notification of it to happen together or not at
-- all: create this in the backend's database, say `outbox: fanfare_outbox` in the system.yaml, and
--
--     INSERT INTO fanfare_outbox (job) VALUES ('{"kind": ..., "audience": ..., "data": ...}')
--
-- in the transaction of the change, as outbox_insert.sql does. fanfare-producer publishes the row when that has committed, and
-- deletes it when a worker has taken its job. Its database user needs SELECT, UPDATE and DELETE here.
CREATE TABLE fanfare_outbox (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),   -- the job's idempotency key
    job        jsonb NOT NULL,                               -- docs/job.schema.json; system may be left out
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    rejected   text                                          -- why nobody is told; mend the row, then set null
);
CREATE INDEX fanfare_outbox_waiting ON fanfare_outbox (created_at, id) WHERE rejected IS NULL;

-- At once instead of within producer.poll_interval_ms. Optional.
CREATE FUNCTION fanfare_outbox_wake() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_notify(''fanfare_outbox'', ''''); RETURN NULL; END';
CREATE TRIGGER fanfare_outbox_wake AFTER INSERT OR UPDATE ON fanfare_outbox
    FOR EACH STATEMENT EXECUTE FUNCTION fanfare_outbox_wake();
