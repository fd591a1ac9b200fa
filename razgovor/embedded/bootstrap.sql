-- One database, two schemas, a role each. Run by psql as superuser, connected to the database `postgres`, at every start:
-- each statement may find its effect already there. Variables: database, ingest_password, ledger_password,
-- auditor_password.
SELECT 'CREATE ROLE razgovor_ingest' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'razgovor_ingest') \gexec
SELECT 'CREATE ROLE razgovor_ledger' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'razgovor_ledger') \gexec
SELECT 'CREATE ROLE razgovor_auditor' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'razgovor_auditor') \gexec
ALTER ROLE razgovor_ingest LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'ingest_password';
ALTER ROLE razgovor_ledger LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'ledger_password';
-- Who audits reads, and never what names people: the services' migrations grant what.
ALTER ROLE razgovor_auditor LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'auditor_password';
ALTER ROLE razgovor_auditor SET default_transaction_read_only = on;

SELECT format('CREATE DATABASE %I ENCODING ''UTF8''', :'database')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO razgovor_ingest, razgovor_ledger, razgovor_auditor;

\connect :"database"
REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA IF NOT EXISTS ingest AUTHORIZATION razgovor_ingest;
CREATE SCHEMA IF NOT EXISTS ledger AUTHORIZATION razgovor_ledger;
-- Ingest reads the ledger's views; the ledger's migrations grant which.
GRANT USAGE ON SCHEMA ledger TO razgovor_ingest;
GRANT USAGE ON SCHEMA ingest, ledger TO razgovor_auditor;
