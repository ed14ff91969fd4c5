-- The row of a job changes three times within seconds: a planner claims it, it is planned, it is closed. With room in its page
-- the first of these needs no new entry in any index.
ALTER TABLE job SET (fillfactor = 50);
