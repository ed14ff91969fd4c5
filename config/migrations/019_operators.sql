-- What operators hold back, what they say of accounts, and what workers tell them; dead letters that were seen to.

-- Nothing new begins of what is paused. name: a job's id, system/kind, a channel's or an account's name.
CREATE TABLE pause (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    what    text NOT NULL CHECK (what IN ('job', 'kind', 'channel', 'account')),
    name    text NOT NULL,
    channel text,                              -- that an account serves; null for all else
    since   timestamptz NOT NULL DEFAULT app_now(),
    until   timestamptz,                       -- null: until somebody resumes it
    who     text NOT NULL,
    because text NOT NULL,
    UNIQUE (what, name)
);

CREATE FUNCTION is_in_force(p pause) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT p.until IS NULL OR p.until > app_now() $$;

-- Whoever asks for many chunks looks first whether there is any pause at all.
CREATE FUNCTION is_paused(job uuid, channel smallint, account text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT EXISTS (SELECT FROM pause p WHERE is_in_force(p) AND p.name = CASE p.what
              WHEN 'job' THEN $1::text
              WHEN 'kind' THEN (SELECT j.system || '/' || j.kind FROM job j WHERE j.id = $1)
              WHEN 'channel' THEN (SELECT c.name FROM channel c WHERE c.code = $2)
              ELSE $3 END) $$;

-- Rates set by hand, instead of those in the settings, until they are taken back.
CREATE TABLE account_rate (
    account    text PRIMARY KEY,
    per_second double precision NOT NULL CHECK (per_second > 0),
    who        text NOT NULL,
    at         timestamptz NOT NULL DEFAULT app_now()
);

-- What only a worker knows of an account; a row each, written when it changes. An account is never shut for longer than
-- the row says, so a worker that is gone says nothing for long.
CREATE TABLE account_health (
    account       text NOT NULL,
    worker        text NOT NULL,               -- a random name, anew with each start
    at            timestamptz NOT NULL DEFAULT app_now(),
    breaker       text NOT NULL,               -- closed, half_open, open
    shut_until    timestamptz,                 -- paused or broken until then
    last_error    text NOT NULL DEFAULT '',
    last_error_at timestamptz,
    per_second    double precision NOT NULL DEFAULT 0,  -- tokens of its rate, of late
    PRIMARY KEY (account, worker)
);

-- Dead letters that somebody requeued or dropped, by what they hold: offsets begin anew when a topic is lost.
CREATE TABLE dead_letter (
    digest  text PRIMARY KEY,                  -- SHA-256, hexadecimal
    fate    text NOT NULL CHECK (fate IN ('requeued', 'dropped')),
    at      timestamptz NOT NULL DEFAULT app_now(),
    who     text NOT NULL
);
