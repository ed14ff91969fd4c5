-- Attempts are counted for each person, not for the chunk: many passes over a chunk use up nobody's chances but
-- those of the people they failed at.
DROP VIEW delivery;
ALTER TABLE chunk DROP COLUMN attempt;
ALTER TABLE chunk
    ADD COLUMN attempts bytea,  -- one byte each: attempts that failed in passing; null: none
    ADD CHECK (attempts IS NULL OR octet_length(attempts) = size);

CREATE VIEW delivery AS
SELECT c.job_id, j.kind, ch.name AS channel, u.recipient, o.name AS outcome, r.name AS reason,
       CASE WHEN o.code NOT IN (1, 2, 3, 4) THEN NULL  -- one id stands for all that were sent
            WHEN cardinality(c.provider_ids) = 1 THEN c.provider_ids[1]
            ELSE c.provider_ids[u.position] END AS provider_id,
       CASE WHEN c.attempts IS NULL THEN 0 ELSE get_byte(c.attempts, (u.position - 1)::integer) END AS attempts,
       c.number AS chunk, c.account, c.updated_at
FROM chunk c
JOIN job j ON j.id = c.job_id
JOIN channel ch ON ch.code = c.channel
CROSS JOIN LATERAL unnest(c.recipients) WITH ORDINALITY AS u(recipient, position)
JOIN outcome o ON o.code =
    CASE WHEN c.outcomes IS NULL THEN 0 ELSE get_byte(c.outcomes, (u.position - 1)::integer) END
JOIN reason r ON r.code =
    CASE WHEN c.reasons IS NULL THEN 0 ELSE get_byte(c.reasons, (u.position - 1)::integer) END;
