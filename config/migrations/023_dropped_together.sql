-- Chunks that are deleted are counted together, not each by itself: a day that is dropped has a thousand of them and more.
CREATE FUNCTION count_deleted_chunks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outcome_move
    SELECT j.system, j.kind, g.channel, u.place - 1, -1, sum(u.n)
    FROM gone g JOIN job j ON j.id = g.job_id
    CROSS JOIN LATERAL unnest(coalesce(g.tally, ARRAY[g.size])) WITH ORDINALITY AS u(n, place)
    WHERE u.n > 0 GROUP BY j.system, j.kind, g.channel, u.place;
    RETURN NULL;
END $$;
DROP TRIGGER count_moves_delete ON chunk;
CREATE TRIGGER count_moves_delete AFTER DELETE ON chunk REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION count_deleted_chunks();
