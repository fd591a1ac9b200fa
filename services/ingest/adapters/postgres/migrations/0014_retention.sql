-- What the ledger's expirer needs to know of clients; see docs/decisions/0039-retention.md.

CREATE VIEW ingest.retention_v1 AS
SELECT client_id, audio_retention_days AS audio_days, transcript_retention_days AS transcript_days
FROM ingest.clients
WHERE audio_retention_days IS NOT NULL OR transcript_retention_days IS NOT NULL;
