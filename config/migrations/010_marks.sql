-- What has begun is written by the claim it belongs to: programs of the version before claim without saying so.

-- The epoch that `begun` speaks of. Another than the chunk's own, or null: a program holds it that writes no
-- marks, and anybody's request may have begun.
ALTER TABLE chunk ADD COLUMN marked_epoch integer;

-- Such a program may change the size of a chunk and leave behind what an earlier claim had begun.
DO $$
DECLARE old text;
BEGIN
    SELECT conname INTO STRICT old FROM pg_constraint
    WHERE conrelid = 'chunk'::regclass AND pg_get_constraintdef(oid) LIKE '%begun%';
    EXECUTE format('ALTER TABLE chunk DROP CONSTRAINT %I', old);
END $$;
ALTER TABLE chunk ADD CONSTRAINT chunk_begun CHECK
    (begun IS NULL OR marked_epoch IS DISTINCT FROM epoch OR octet_length(begun) = size);
