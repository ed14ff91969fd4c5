-- Grafana's login: it reads Fanfare's views and nothing else. Run after `fanfare db migrate`; safe to repeat.
-- READER_PASSWORD_FILE names the file of its password.
\set password `cat "$READER_PASSWORD_FILE"`
SELECT 'CREATE ROLE fanfare_reader' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'fanfare_reader') \gexec
ALTER ROLE fanfare_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    CONNECTION LIMIT 10 PASSWORD :'password';
ALTER ROLE fanfare_reader SET default_transaction_read_only = on;
ALTER ROLE fanfare_reader SET statement_timeout = '30s';
SELECT format('GRANT CONNECT ON DATABASE %I TO fanfare_reader', current_database()) \gexec
GRANT USAGE ON SCHEMA public TO fanfare_reader;
GRANT SELECT ON delivery, job_progress TO fanfare_reader;
