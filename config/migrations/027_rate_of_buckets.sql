-- At which rate the time of a bucket was reserved: at a higher one what is reserved takes less of it. Empty: nobody knows.
ALTER TABLE bucket ADD COLUMN per_second double precision;
