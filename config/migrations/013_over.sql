-- Chunks that nobody may be able to claim: their channel has no account any more, or their kind is gone. The sweep
-- settles them when their job is over, and hands a worker what it has room for (docs/decisions/0009-the-sweep.md).

-- A cancelled job of which every chunk is settled is not looked at again. Elsewhere null.
ALTER TABLE job ADD COLUMN settled_at timestamptz;
UPDATE job SET settled_at = app_now() WHERE state = 'cancelled'
    AND NOT EXISTS (SELECT FROM chunk WHERE job_id = job.id AND state <> 'done');
CREATE INDEX job_unsettled ON job (finished_at) WHERE state = 'cancelled' AND settled_at IS NULL;

CREATE INDEX chunk_waiting ON chunk (channel, lane, publish_at) WHERE state = 'planned';
CREATE INDEX counted_send_job ON counted_send (job_id);
