-- Which programs may work on this ledger. A migration that programs of before could not live with raises the number
-- above theirs (core/ledger/compat.hpp); they end with exit code 78 then, and say why.

CREATE TABLE ledger_compat (
    oldest_program integer NOT NULL CHECK (oldest_program >= 1)
);
CREATE UNIQUE INDEX ledger_compat_is_one_row ON ledger_compat ((true));
INSERT INTO ledger_compat VALUES (1);
