-- An address has one form, whoever wrote it (core/audience/address.hpp), and an unsubscribe holds for it too.

-- The form in which this version compares the address: for e-mail all of it folded. Null: an older program wrote the
-- row, which `fanfare db migrate` or a worker reads next. Another than the address: the row stands beside that of
-- this form, for older programs. '': it can be no address.
ALTER TABLE suppression ADD COLUMN compared text COLLATE "C";
CREATE INDEX suppression_unread ON suppression (channel, address) WHERE compared IS NULL;
CREATE INDEX suppression_former ON suppression (channel, compared) WHERE compared <> address;

-- Bounces of all spellings are of one mailbox. The rows of before stay, for older programs.
INSERT INTO soft_bounce AS s (channel, address, in_a_row, last_at)
SELECT 0, lower(address), sum(in_a_row), max(last_at) FROM soft_bounce
WHERE channel = 0 AND address <> lower(address) GROUP BY lower(address)
ON CONFLICT (channel, address) DO UPDATE
SET in_a_row = s.in_a_row + excluded.in_a_row, last_at = greatest(s.last_at, excluded.last_at);

-- When the address of who unsubscribed is to be looked up next; null: it was. Older programs leave that to the others.
ALTER TABLE opt_out ADD COLUMN address_due_at timestamptz DEFAULT app_now();
CREATE INDEX opt_out_due ON opt_out (address_due_at) WHERE address_due_at IS NOT NULL;

-- Who unsubscribed, by address: nobody else who has it is told either. The ledger keeps a hash, not the address.
CREATE TABLE opt_out_address (
    system    text NOT NULL,
    channel   smallint NOT NULL,
    list      text NOT NULL,
    address   bytea NOT NULL,                   -- SHA-256 of the ledger's key and the compared form
    recipient text COLLATE "C" NOT NULL,        -- whose unsubscribe it came with
    PRIMARY KEY (system, channel, list, address, recipient)
);
CREATE INDEX opt_out_address_recipient ON opt_out_address (system, recipient);

-- Hashes of two ledgers cannot be compared.
CREATE TABLE address_key (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    key    bytea NOT NULL
);
INSERT INTO address_key (key) VALUES (uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
