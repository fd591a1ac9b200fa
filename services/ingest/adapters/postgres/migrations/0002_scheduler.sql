-- The relay announces by priority, then client by client in turn; see docs/decisions/0022-the-relay-is-a-scheduler.md.

-- The head of every client's queue in a priority is one look into this index, however long the backlog is.
CREATE INDEX outbox_queues ON ingest.outbox (priority, client_id, outbox_id)
    WHERE sent_at IS NULL AND closed_at IS NULL;
DROP INDEX ingest.outbox_waiting;

-- A priority that the relay does not know would wait for ever.
ALTER TABLE ingest.outbox ADD CHECK (priority IN ('interactive', 'normal', 'bulk'));

-- Since when the group is known to be past the announcement; null again with the next one.
ALTER TABLE ingest.outbox ADD COLUMN passed_at timestamptz;

-- Rows are written three times and then rest: keep room beside them, and sweep their old versions early.
ALTER TABLE ingest.outbox SET (
    fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02
);

-- Whose turn it was last, so that every replica and every restart goes on with the next client.
CREATE TABLE ingest.served (
    priority  text PRIMARY KEY,
    client_id text COLLATE "C" NOT NULL
);
