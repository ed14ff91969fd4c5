-- The ledger: what was ordered, how it was cut, and the fate of every recipient.
-- Columnar on purpose: one row per chunk, not per recipient (docs/decisions/0001-columnar-ledger.md).

-- One clock decides everywhere. Tests replace this function to move time.
CREATE FUNCTION app_now() RETURNS timestamptz
    LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT clock_timestamp()';

CREATE TYPE job_state AS ENUM ('planning', 'sending', 'done', 'cancelled', 'failed');
CREATE TYPE chunk_state AS ENUM ('planned', 'claimed', 'done');
CREATE TYPE notification_state AS ENUM ('scheduled', 'publishing', 'published', 'expired', 'cancelled');

-- The closed vocabularies: the numbers that chunks hold, in words.
CREATE TABLE channel (code smallint PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO channel VALUES (0, 'email'), (1, 'sms'), (2, 'push');

CREATE TABLE outcome (code smallint PRIMARY KEY, name text NOT NULL UNIQUE, final boolean NOT NULL);
INSERT INTO outcome VALUES
    (0, 'pending', false), (1, 'sent', true), (2, 'delivered', true), (3, 'opened', true),
    (4, 'clicked', true), (5, 'refused', true), (6, 'suppressed', true), (7, 'opted_out', true),
    (8, 'no_address', true), (9, 'expired', true), (10, 'cancelled', true), (11, 'retry', false),
    (12, 'failed', true), (13, 'unknown', true);

CREATE TABLE reason (code smallint PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO reason VALUES
    (0, 'none'), (1, 'address_invalid'), (2, 'recipient_refused'), (3, 'request_refused'),
    (4, 'account_unusable'), (5, 'throttled'), (6, 'provider_unavailable'), (7, 'answer_lost'),
    (8, 'answer_unreadable'), (9, 'worker_lost'), (10, 'on_suppression_list'),
    (11, 'duplicate_address'), (12, 'consent_withdrawn'), (13, 'address_missing'),
    (14, 'past_expiry'), (15, 'job_cancelled'), (16, 'attempts_exhausted'), (17, 'not_sent'),
    (18, 'recipient_gone'), (19, 'content_too_large');

-- What is due, and when: rows found by the due queries of the systems.
CREATE TABLE notification (
    system      text NOT NULL,
    kind        text NOT NULL,
    subject     text NOT NULL,
    occurrence  timestamptz NOT NULL,          -- the moment it is about; a moved show is a new one
    due_at      timestamptz NOT NULL,
    expires_at  timestamptz,
    params      jsonb NOT NULL DEFAULT '{}',
    data        jsonb NOT NULL DEFAULT '{}',
    state       notification_state NOT NULL DEFAULT 'scheduled',
    epoch       integer NOT NULL DEFAULT 0,
    lease_until timestamptz,
    job_id      uuid NOT NULL,                 -- derived: the same occurrence is the same job
    created_at  timestamptz NOT NULL DEFAULT app_now(),
    updated_at  timestamptz NOT NULL DEFAULT app_now(),
    PRIMARY KEY (system, kind, subject, occurrence)
);
CREATE INDEX notification_due ON notification (due_at) WHERE state IN ('scheduled', 'publishing');

-- One order to notify an audience.
CREATE TABLE job (
    id              uuid PRIMARY KEY,
    idempotency_key text NOT NULL UNIQUE,
    system          text NOT NULL,
    kind            text NOT NULL,
    body            jsonb NOT NULL,            -- the job as published, defaults filled in
    lane            smallint NOT NULL,
    state           job_state NOT NULL DEFAULT 'planning',
    expires_at      timestamptz,
    plan_epoch      integer NOT NULL DEFAULT 0,
    plan_lease      timestamptz,               -- null: nobody plans it
    plan_attempts   integer NOT NULL DEFAULT 0,
    plan_cursor     text NOT NULL DEFAULT '',  -- last recipient that is in a chunk
    plan_chunks     integer[] NOT NULL DEFAULT '{0,0,0}',  -- chunks written, by channel
    planned         bigint[] NOT NULL DEFAULT '{0,0,0}',   -- recipients planned, by channel
    failure         text,                      -- why it failed, for a person
    created_at      timestamptz NOT NULL DEFAULT app_now(),
    planned_at      timestamptz,
    finished_at     timestamptz
);
CREATE INDEX job_open ON job (created_at) WHERE state IN ('planning', 'sending');

-- A frozen slice of one job's audience for one channel: the unit of claim, send and record.
CREATE TABLE chunk (
    job_id       uuid NOT NULL REFERENCES job ON DELETE CASCADE,
    channel      smallint NOT NULL,
    number       integer NOT NULL,
    state        chunk_state NOT NULL DEFAULT 'planned',
    on_doubt     smallint NOT NULL,            -- 0 hold, 1 resend, 2 reconcile
    lane         smallint NOT NULL,
    epoch        integer NOT NULL DEFAULT 0,
    attempt      integer NOT NULL DEFAULT 0,
    lease_until  timestamptz,
    claim_token  bigint,
    next_at      timestamptz NOT NULL DEFAULT app_now(),  -- not to be claimed before
    publish_at   timestamptz NOT NULL,         -- still planned by then: the sweeper publishes it again
    updated_at   timestamptz NOT NULL DEFAULT app_now(),
    size         integer NOT NULL,             -- recipients in it
    recipients   text[] COMPRESSION lz4 NOT NULL,  -- sorted bytewise, distinct
    outcomes     bytea,                        -- one byte each; null: all pending
    reasons      bytea,                        -- one byte each; null: none
    provider_ids text[] COMPRESSION lz4,       -- one each, or one for all that were sent
    tally        integer[],                    -- how many of each outcome, by code; null: all pending
    account      text,                         -- the provider account that served it last
    PRIMARY KEY (job_id, channel, number),
    CHECK (outcomes IS NULL OR octet_length(outcomes) = size),
    CHECK (reasons IS NULL OR octet_length(reasons) = size)
) WITH (fillfactor = 80);
CREATE INDEX chunk_planned ON chunk (publish_at) WHERE state = 'planned';
CREATE INDEX chunk_claimed ON chunk (lease_until) WHERE state = 'claimed';
CREATE INDEX chunk_open ON chunk (job_id) WHERE state <> 'done';

-- Addresses that get nothing more on a channel.
CREATE TABLE suppression (
    channel    smallint NOT NULL,
    address    text COLLATE "C" NOT NULL,
    reason     text NOT NULL,
    source     text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT app_now(),
    PRIMARY KEY (channel, address)
);

-- For jobs that dedupe by address: who of the audience owns an address.
CREATE TABLE address_owner (
    job_id    uuid NOT NULL REFERENCES job ON DELETE CASCADE,
    channel   smallint NOT NULL,
    address   bytea NOT NULL,                  -- hash of the canonical form
    recipient text NOT NULL,
    PRIMARY KEY (job_id, channel, address)
);

-- Rate tokens of a provider account, leased in slices by all replicas.
CREATE TABLE bucket (
    account       text PRIMARY KEY,
    next_free     timestamptz NOT NULL,        -- when the next token is due
    blocked_until timestamptz                  -- a provider asked everyone to wait
);

-- The fate of every recipient, one row each, for people and Grafana.
CREATE VIEW delivery AS
SELECT c.job_id, j.kind, ch.name AS channel, u.recipient, o.name AS outcome, r.name AS reason,
       CASE WHEN o.code NOT IN (1, 2, 3, 4) THEN NULL  -- one id stands for all that were sent
            WHEN cardinality(c.provider_ids) = 1 THEN c.provider_ids[1]
            ELSE c.provider_ids[u.position] END AS provider_id,
       c.attempt AS attempts, c.number AS chunk, c.account, c.updated_at
FROM chunk c
JOIN job j ON j.id = c.job_id
JOIN channel ch ON ch.code = c.channel
CROSS JOIN LATERAL unnest(c.recipients) WITH ORDINALITY AS u(recipient, position)
JOIN outcome o ON o.code =
    CASE WHEN c.outcomes IS NULL THEN 0 ELSE get_byte(c.outcomes, (u.position - 1)::integer) END
JOIN reason r ON r.code =
    CASE WHEN c.reasons IS NULL THEN 0 ELSE get_byte(c.reasons, (u.position - 1)::integer) END;

-- Where every job stands, by channel: planned = the sum of all outcomes, always.
CREATE VIEW job_progress AS
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
       j.created_at, j.planned_at, j.finished_at, max(c.updated_at) AS last_updated_at
FROM job j
JOIN chunk c ON c.job_id = j.id
JOIN channel ch ON ch.code = c.channel
GROUP BY j.id, ch.code, ch.name;
