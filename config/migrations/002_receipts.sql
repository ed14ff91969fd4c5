-- What is heard after sending: unsubscribes, soft bounces, receipts that came too early.

-- The list that a job's mail belongs to ("": none, nobody can unsubscribe from it).
ALTER TABLE job ADD COLUMN list text NOT NULL DEFAULT '';

-- Who unsubscribed from what. By person, not by address: it holds when the address changes.
CREATE TABLE opt_out (
    system     text NOT NULL,
    channel    smallint NOT NULL,
    list       text NOT NULL,
    recipient  text COLLATE "C" NOT NULL,
    job_id     uuid,                            -- of the message whose link was used
    created_at timestamptz NOT NULL DEFAULT app_now(),
    PRIMARY KEY (system, channel, list, recipient)
);

-- Soft bounces of an address since it last took a message.
CREATE TABLE soft_bounce (
    channel      smallint NOT NULL,
    address      text COLLATE "C" NOT NULL,
    in_a_row     integer NOT NULL,
    last_at      timestamptz NOT NULL,          -- the provider's time of the last one counted
    PRIMARY KEY (channel, address)
);

-- Receipts of a chunk that a worker holds right now: kept until it has recorded.
CREATE TABLE early_receipt (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id   uuid NOT NULL,
    channel  smallint NOT NULL,
    number   integer NOT NULL,
    position integer NOT NULL,
    event    smallint NOT NULL
);
