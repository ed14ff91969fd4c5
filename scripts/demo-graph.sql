-- A seeded power-law follower graph: the same numbers give the same people, every time.
--   people     how many there are
--   followers  how many follow the first creator; creator n has about followers / n
--   creators   how many have followers at all
-- Everyone has an id of 37 characters; 98 % an e-mail address, 90 % a phone number, 85 % a push
-- token, 3 % a second device.
SET synchronous_commit = off;

INSERT INTO users (id, username, email, phone, locale, time_zone)
SELECT 'u' || md5('fanfare ' || n) || lpad((n % 10000)::text, 4, '0'),
       CASE WHEN n = 1 THEN 'Mira' ELSE 'viewer' || n END,
       CASE WHEN n % 50 <> 7 THEN 'viewer' || n || '@example.com' END,
       CASE WHEN n % 10 <> 3 THEN '+1' || (5550000000 + n) END,
       (ARRAY['en', 'en', 'en', 'de', 'pt-BR', 'en-GB'])[1 + n % 6],
       (ARRAY['America/New_York', 'Europe/Berlin', 'America/Sao_Paulo', 'Asia/Kathmandu',
              'Pacific/Chatham', 'UTC', NULL])[1 + n % 7]
FROM generate_series(1, :people) n;

CREATE TEMPORARY TABLE place AS
SELECT id, row_number() OVER (ORDER BY md5(id || :'seed')) AS n FROM users;
CREATE INDEX ON place (n);
ANALYZE place;

-- Creator k is person k of the seeded order; the followers of each are a run of that order that
-- starts somewhere else for each creator.
INSERT INTO followers (follower_id, followed_id)
SELECT f.id, c.id
FROM place c
CROSS JOIN LATERAL (
    SELECT id FROM place
    WHERE n BETWEEN 1 + (c.n * 7919) % (:people - ceil(:followers::numeric / c.n)::int)
              AND (c.n * 7919) % (:people - ceil(:followers::numeric / c.n)::int)
                  + ceil(:followers::numeric / c.n)::int + 1
      AND id <> c.id
    LIMIT ceil(:followers::numeric / c.n)::int) f
WHERE c.n <= :creators
ORDER BY c.id, f.id;

INSERT INTO push_tokens (user_id, token)
SELECT id, 'token-' || md5(id || ' phone') FROM place WHERE n % 20 < 17;
INSERT INTO push_tokens (user_id, token)
SELECT id, 'token-' || md5(id || ' tablet') FROM place WHERE n % 33 = 0
ON CONFLICT DO NOTHING;

RESET synchronous_commit;
ANALYZE users, followers, push_tokens;
SELECT id AS creator FROM place WHERE n = 1 \gset
\echo :creator
