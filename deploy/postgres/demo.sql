-- The tables of the system `shows`, in a schema of their own, with a few people and a show that is due at once: so that
-- there is something to see. Run once by the PostgreSQL image, before Fanfare's own tables are made.
-- For your own backend: leave this out and give config/systems/shows a database.
CREATE SCHEMA demo;
SET search_path = demo;
\i /demo/shows.sql

INSERT INTO users (id, username, email, phone, locale, time_zone) VALUES
    ('mira', 'Mira', 'mira@example.com', '+15550000001', 'en', 'America/New_York'),
    ('jonas', 'Jonas', 'jonas@example.com', '+15550000002', 'de', 'Europe/Berlin'),
    ('ana', 'Ana', 'ana@example.com', '+15550000003', 'es', 'Europe/Madrid'),
    ('li', 'Li', 'li@example.com', '+15550000004', 'en', 'Asia/Shanghai');
INSERT INTO followers (follower_id, followed_id) VALUES ('jonas', 'mira'), ('ana', 'mira'), ('li', 'mira');
INSERT INTO push_tokens (user_id, token) VALUES ('jonas', 'token-of-jonas-0000000001'), ('ana', 'token-of-ana-0000000000001');
INSERT INTO scheduled_shows (id, user_id, title, scheduled_at)
    VALUES ('first-show', 'mira', 'The first show', (now() AT TIME ZONE 'UTC') + interval '14 minutes');

-- Fanfare finds both without being told: its own tables in public, the backend's here.
DO $$ BEGIN
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET search_path = public, demo', current_user, current_database());
END $$;
