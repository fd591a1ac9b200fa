-- What a client has reserved, and how fast it asks; see docs/decisions/0031-reservations-are-outbox-rows.md.

-- A row of the outbox that is not closed is a reservation: so much audio of the day and month of its acceptance.
-- The release before reserves nothing.
ALTER TABLE ingest.outbox
    ADD COLUMN accepted_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN reserved_ms bigint NOT NULL DEFAULT 0 CHECK (reserved_ms >= 0);
CREATE INDEX outbox_reserved ON ingest.outbox (client_id, accepted_at) INCLUDE (reserved_ms) WHERE closed_at IS NULL;

-- When a client will have used up nothing any more. Unlogged: a count of a minute is not worth a write to the disk; it
-- begins anew after a crash of the server, and on a replica that takes over.
CREATE UNLOGGED TABLE ingest.rates (
    client_id  text COLLATE "C" PRIMARY KEY,
    used_until timestamptz NOT NULL
) WITH (fillfactor = 50);
