-- params_by, data_by: who said by hand what a notification says; a refresh undoes neither. Who said only that has not moved it.
-- asked: of one that a backend scheduled, a digest of what it asked for; the same order is known again whatever it is by now.
ALTER TABLE notification
    ADD COLUMN params_by text,
    ADD COLUMN data_by text,
    ADD COLUMN asked uuid;

-- For the drop of places under a cap that no window can reach; they are inserted as time goes on.
CREATE INDEX counted_send_old ON counted_send USING brin (sent_at);
