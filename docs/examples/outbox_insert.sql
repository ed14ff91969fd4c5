-- The change and the notification of it, together or not at all: what a backend does with the table of
-- outbox.sql. Here with psql: psql -v show=s-42 -f outbox_insert.sql
BEGIN;
UPDATE scheduled_shows SET title = 'Friday Night, with guests' WHERE id = :'show';
INSERT INTO fanfare_outbox (job)
SELECT jsonb_build_object(
           'kind', 'show.reminder',
           'subject', s.id,
           'audience', jsonb_build_object('name', 'followers', 'params', jsonb_build_object('user_id', s.user_id)),
           'ttl_s', 900,
           'data', jsonb_build_object('show_id', s.id, 'username', u.username, 'title', s.title,
                                      'starts_at', to_char(s.scheduled_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))
  FROM scheduled_shows s
  JOIN users u ON u.id = s.user_id
 WHERE s.id = :'show';
COMMIT;
