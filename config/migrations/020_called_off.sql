-- What a job was about has gone, or was cancelled, after its people had been told: nobody of it is told again by a replay.
ALTER TABLE job ADD COLUMN called_off_at timestamptz;
