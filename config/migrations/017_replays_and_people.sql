-- A replay that was ordered through the API is carried out by any producer; one that a person ordered at a terminal
-- goes on when they say so (docs/decisions/0010-replays.md).
ALTER TABLE replay
    ADD COLUMN unattended boolean NOT NULL DEFAULT false,
    ADD COLUMN held       bigint NOT NULL DEFAULT 0;  -- People left out because a worker had their chunk.
CREATE INDEX replay_open ON replay (id) WHERE finished_at IS NULL;

-- Who is in a chunk, as a Bloom filter (core/ledger/person_filter.hpp): most chunks need not be unpacked to know that
-- somebody is not in them. Beside the chunk, whose row is written again and again. Chunks without one are unpacked.
CREATE TABLE chunk_filter (
    job_id  uuid NOT NULL REFERENCES job ON DELETE CASCADE,
    channel smallint NOT NULL,
    number  integer NOT NULL,
    filter  bytea NOT NULL,
    PRIMARY KEY (job_id, channel, number)
);
ALTER TABLE chunk_filter ALTER COLUMN filter SET STORAGE EXTERNAL;  -- Nothing that could be compressed.

CREATE FUNCTION may_hold(filter bytea, first bigint, step bigint) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT get_bit(filter, (first) % (octet_length(filter) * 8)) = 1
             AND get_bit(filter, (first + step) % (octet_length(filter) * 8)) = 1
             AND get_bit(filter, (first + 2 * step) % (octet_length(filter) * 8)) = 1
             AND get_bit(filter, (first + 3 * step) % (octet_length(filter) * 8)) = 1
             AND get_bit(filter, (first + 4 * step) % (octet_length(filter) * 8)) = 1
             AND get_bit(filter, (first + 5 * step) % (octet_length(filter) * 8)) = 1
             AND get_bit(filter, (first + 6 * step) % (octet_length(filter) * 8)) = 1 $$;
