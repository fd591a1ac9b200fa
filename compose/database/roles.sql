-- Roles and schemas for razgovor: the same as the embedded database's, with the passwords of the compose secrets.
\set database razgovor
\set ingest_password `cat /run/secrets/ingest_database_password`
\set ledger_password `cat /run/secrets/ledger_database_password`
\set auditor_password `cat /run/secrets/auditor_database_password`
\ir bootstrap.sql
