-- A row of counted_send is a place under the kind's cap. It is taken before anything is sent, so that of
-- two jobs at the same moment one finds it taken, and given back when the person was not told.

-- By bits, the channels that hold the place: 1 e-mail, 2 SMS, 4 push; 8 stays for good, as what was
-- counted before this column was there does.
ALTER TABLE counted_send ADD COLUMN channels smallint NOT NULL DEFAULT 8;
