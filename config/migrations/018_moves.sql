-- Whoever changes an outcome counts: the ledger itself, in the transaction that changes it (docs/metrics.md). So no
-- crash loses a count, and programs of the version before count as well.

-- What only one program of all may do. `epoch` grows with each new holder.
CREATE TABLE lease (
    name   text PRIMARY KEY,
    holder text NOT NULL,
    epoch  bigint NOT NULL DEFAULT 1,
    until  timestamptz NOT NULL
);

-- People who went from one outcome to another. -1 is outside: who is planned comes from there, who is deleted goes there.
-- Rows are only added, so that nobody waits for anybody; one producer adds them up, again and again.
CREATE TABLE outcome_move (
    system       text NOT NULL,
    kind         text NOT NULL,
    channel      smallint NOT NULL,
    from_outcome smallint NOT NULL,
    to_outcome   smallint NOT NULL,
    people       bigint NOT NULL
);
CREATE TABLE outcome_total (
    LIKE outcome_move,
    PRIMARY KEY (system, kind, channel, from_outcome, to_outcome)
) WITH (fillfactor = 50);
CREATE VIEW outcome_moves AS
SELECT system, kind, channel, from_outcome, to_outcome, sum(people)::bigint AS people
FROM (SELECT * FROM outcome_total UNION ALL SELECT * FROM outcome_move) m
GROUP BY system, kind, channel, from_outcome, to_outcome;

-- Adds up what a change of a chunk moved. Tallies say it where everybody stood alike before; else people are looked at.
-- Each chunk passes here twice at least: what is usual goes by one short statement, never by a set of rows.
CREATE FUNCTION count_moves() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old_tally integer[];
    new_tally integer[];
    old_bytes bytea;
    new_bytes bytea;
    first     integer;                             -- The place of the outcome that all had ...
    last      integer;                             -- ... and of the one that all have.
    pairs     integer[];
    pair      integer;
    froms     smallint[];
    tos       smallint[];
    counts    bigint[];
BEGIN
    IF TG_OP = 'INSERT' AND NEW.tally IS NULL THEN
        INSERT INTO outcome_move SELECT j.system, j.kind, NEW.channel, -1, 0, NEW.size FROM job j WHERE j.id = NEW.job_id;
        RETURN NULL;
    END IF;
    old_tally := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE coalesce(OLD.tally, ARRAY[OLD.size]) END;
    new_tally := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE coalesce(NEW.tally, ARRAY[NEW.size]) END;
    IF TG_OP = 'UPDATE' AND OLD.size = NEW.size THEN
        first := array_position(old_tally, NEW.size);
        last := array_position(new_tally, NEW.size);
        IF first IS NOT NULL AND last IS NOT NULL THEN
            INSERT INTO outcome_move SELECT j.system, j.kind, NEW.channel, first - 1, last - 1, NEW.size
            FROM job j WHERE j.id = NEW.job_id AND first <> last;
            RETURN NULL;
        ELSIF first IS NOT NULL THEN
            INSERT INTO outcome_move SELECT j.system, j.kind, NEW.channel, first - 1, u.place - 1, u.n
            FROM job j CROSS JOIN unnest(new_tally) WITH ORDINALITY AS u(n, place)
            WHERE j.id = NEW.job_id AND u.n > 0 AND u.place <> first;
            RETURN NULL;
        ELSE
            old_bytes := OLD.outcomes || ''::bytea;  -- Unpacked once, not for each byte.
            new_bytes := coalesce(NEW.outcomes, decode(repeat('00', NEW.size), 'hex')) || ''::bytea;
            pairs := array_fill(0, ARRAY[256]);      -- From (four bits) and to (four bits).
            FOR b IN 0 .. (NEW.size - 1) / 32 LOOP   -- Most blocks are as they were.
                CONTINUE WHEN substr(old_bytes, b * 32 + 1, 32) = substr(new_bytes, b * 32 + 1, 32);
                FOR i IN b * 32 .. least(b * 32 + 31, NEW.size - 1) LOOP
                    IF get_byte(old_bytes, i) <> get_byte(new_bytes, i) THEN
                        pair := get_byte(old_bytes, i) * 16 + get_byte(new_bytes, i) + 1;
                        pairs[pair] := pairs[pair] + 1;
                    END IF;
                END LOOP;
            END LOOP;
            SELECT array_agg((place - 1) / 16), array_agg((place - 1) % 16), array_agg(n) INTO froms, tos, counts
            FROM unnest(pairs) WITH ORDINALITY AS u(n, place) WHERE n > 0;
        END IF;
    ELSE
        -- New, gone, or split: who leaves a chunk that is split comes back by one that is new.
        SELECT array_agg(CASE WHEN d < 0 THEN place - 1 ELSE -1 END),
               array_agg(CASE WHEN d < 0 THEN -1 ELSE place - 1 END), array_agg(abs(d))
        INTO froms, tos, counts
        FROM (SELECT place, coalesce(new_tally[place], 0) - coalesce(old_tally[place], 0) AS d
              FROM generate_series(1, greatest(cardinality(old_tally), cardinality(new_tally))) AS place) changed
        WHERE d <> 0;
    END IF;
    IF froms IS NULL THEN RETURN NULL; END IF;
    INSERT INTO outcome_move SELECT j.system, j.kind, coalesce(NEW.channel, OLD.channel), m.f, m.t, m.n
    FROM job j CROSS JOIN unnest(froms, tos, counts) AS m(f, t, n)
    WHERE j.id = coalesce(NEW.job_id, OLD.job_id);
    RETURN NULL;
END $$;

-- A job that is deleted takes its chunks with it, and nobody can be asked then what job it was.
CREATE FUNCTION count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outcome_move
    SELECT OLD.system, OLD.kind, c.channel, u.place - 1, -1, sum(u.n)
    FROM chunk c CROSS JOIN LATERAL unnest(coalesce(c.tally, ARRAY[c.size])) WITH ORDINALITY AS u(n, place)
    WHERE c.job_id = OLD.id AND u.n > 0 GROUP BY c.channel, u.place;
    RETURN OLD;
END $$;

CREATE TRIGGER count_moves_update AFTER UPDATE OF outcomes, size ON chunk FOR EACH ROW
    WHEN (OLD.outcomes IS DISTINCT FROM NEW.outcomes OR OLD.size <> NEW.size) EXECUTE FUNCTION count_moves();
CREATE TRIGGER count_moves_insert AFTER INSERT ON chunk FOR EACH ROW EXECUTE FUNCTION count_moves();
CREATE TRIGGER count_moves_delete AFTER DELETE ON chunk FOR EACH ROW EXECUTE FUNCTION count_moves();
CREATE TRIGGER count_deleted BEFORE DELETE ON job FOR EACH ROW EXECUTE FUNCTION count_deleted();

-- What is there already came from outside.
INSERT INTO outcome_total
SELECT j.system, j.kind, c.channel, -1, u.place - 1, sum(u.n)
FROM chunk c JOIN job j ON j.id = c.job_id
CROSS JOIN LATERAL unnest(coalesce(c.tally, ARRAY[c.size])) WITH ORDINALITY AS u(n, place)
WHERE u.n > 0 GROUP BY j.system, j.kind, c.channel, u.place;

-- Where the counts and the ledger differ: no row, whatever happened. It reads every chunk; for tests and for people.
CREATE VIEW outcome_difference AS
SELECT system, kind, channel, outcome, coalesce(counted, 0) AS counted, coalesce(held, 0) AS held
FROM (SELECT m.system, m.kind, m.channel, u.outcome, sum(u.n)::bigint AS counted
      FROM outcome_moves m
      CROSS JOIN LATERAL (VALUES (m.to_outcome, m.people), (m.from_outcome, -m.people)) AS u(outcome, n)
      WHERE u.outcome >= 0 GROUP BY 1, 2, 3, 4) moves
FULL JOIN (SELECT j.system, j.kind, c.channel, (u.place - 1)::smallint AS outcome, sum(u.n)::bigint AS held
      FROM chunk c JOIN job j ON j.id = c.job_id
      CROSS JOIN LATERAL unnest(coalesce(c.tally, ARRAY[c.size])) WITH ORDINALITY AS u(n, place)
      WHERE u.n > 0 GROUP BY 1, 2, 3, 4) ledger USING (system, kind, channel, outcome)
WHERE coalesce(counted, 0) <> coalesce(held, 0);
