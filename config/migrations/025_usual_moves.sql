-- What changes most often in a chunk is counted by its tallies alone: of those who are pending some are sent. Nobody
-- who was sent a message is pending again, so tallies say it exactly; before, each person was looked at.
CREATE OR REPLACE FUNCTION count_moves() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old_tally integer[];
    new_tally integer[];
    old_bytes bytea;
    new_bytes bytea;
    first     integer;                             -- The place of the outcome that all had ...
    last      integer;                             -- ... and of the one that all have.
    sent      integer;                             -- How many more.
    pairs     integer[];
    pair      integer;
    froms     smallint[];
    tos       smallint[];
    counts    bigint[];
BEGIN
    old_tally := coalesce(OLD.tally, ARRAY[OLD.size]);
    new_tally := coalesce(NEW.tally, ARRAY[NEW.size]);
    IF OLD.size = NEW.size THEN
        first := array_position(old_tally, NEW.size);
        last := array_position(new_tally, NEW.size);
        sent := coalesce(new_tally[2], 0) - coalesce(old_tally[2], 0);
        IF first IS NOT NULL AND last IS NOT NULL THEN
            INSERT INTO outcome_move SELECT j.system, j.kind, NEW.channel, first - 1, last - 1, NEW.size
            FROM job j WHERE j.id = NEW.job_id AND first <> last;
            RETURN NULL;
        ELSIF sent > 0 AND old_tally[1] + coalesce(old_tally[2], 0) = NEW.size
                       AND new_tally[1] + new_tally[2] = NEW.size THEN
            INSERT INTO outcome_move SELECT j.system, j.kind, NEW.channel, 0, 1, sent FROM job j WHERE j.id = NEW.job_id;
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
        -- Split: who leaves a chunk that is split comes back by one that is new.
        SELECT array_agg(CASE WHEN d < 0 THEN place - 1 ELSE -1 END),
               array_agg(CASE WHEN d < 0 THEN -1 ELSE place - 1 END), array_agg(abs(d))
        INTO froms, tos, counts
        FROM (SELECT place, coalesce(new_tally[place], 0) - coalesce(old_tally[place], 0) AS d
              FROM generate_series(1, greatest(cardinality(old_tally), cardinality(new_tally))) AS place) changed
        WHERE d <> 0;
    END IF;
    IF froms IS NULL THEN RETURN NULL; END IF;
    INSERT INTO outcome_move SELECT j.system, j.kind, NEW.channel, m.f, m.t, m.n
    FROM job j CROSS JOIN unnest(froms, tos, counts) AS m(f, t, n)
    WHERE j.id = NEW.job_id;
    RETURN NULL;
END $$;
