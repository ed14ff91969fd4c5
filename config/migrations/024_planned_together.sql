-- Chunks that are planned are counted together, too: a planner writes those of many small jobs by one statement.
CREATE FUNCTION count_inserted_chunks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outcome_move
    SELECT j.system, j.kind, c.channel, -1, u.place - 1, sum(u.n)
    FROM come c JOIN job j ON j.id = c.job_id
    CROSS JOIN LATERAL unnest(coalesce(c.tally, ARRAY[c.size])) WITH ORDINALITY AS u(n, place)
    WHERE u.n > 0 GROUP BY j.system, j.kind, c.channel, u.place;
    RETURN NULL;
END $$;
DROP TRIGGER count_moves_insert ON chunk;
CREATE TRIGGER count_moves_insert AFTER INSERT ON chunk REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION count_inserted_chunks();
