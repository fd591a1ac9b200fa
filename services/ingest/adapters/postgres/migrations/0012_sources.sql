-- Recordings that lie elsewhere: where a client may name them, and what became of calls that were refused;
-- see docs/decisions/0033-recordings-that-lie-elsewhere.md.

ALTER TABLE ingest.clients ADD COLUMN sources text[] NOT NULL DEFAULT '{}';  -- s3://bucket/prefix/

-- Calls of upstream systems that were not accepted. Whoever is accepted looks here, so a job is never both.
CREATE TABLE ingest.refused_calls (
    job_id     text COLLATE "C" PRIMARY KEY,     -- follows from client and event
    client_id  text COLLATE "C" NOT NULL,        -- as the event says: there may be no such client
    run        integer NOT NULL CHECK (run >= 1),
    reason     text NOT NULL,
    details    jsonb NOT NULL,
    refused_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE ingest.refused_calls ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_client ON ingest.refused_calls USING (
    CASE coalesce(current_setting('razgovor.client_id', true), '*')
        WHEN '*' THEN true WHEN client_id THEN true ELSE false END
);
