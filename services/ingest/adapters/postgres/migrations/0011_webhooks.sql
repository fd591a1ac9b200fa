-- Webhooks: what is to be told to clients of ends of their jobs; see docs/decisions/0035-webhooks.md.

CREATE TABLE ingest.webhook_deliveries (
    webhook_id      text COLLATE "C" PRIMARY KEY, -- what the receiver knows it by: the id of the event that said so
    client_id       text COLLATE "C" NOT NULL REFERENCES ingest.clients,
    job_id          text COLLATE "C",             -- null, as the next three: a test
    run             integer,
    state           text,
    reason          text,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at      timestamptz NOT NULL,         -- tried until then
    status          text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'refused', 'expired')),
    due_at          timestamptz NOT NULL DEFAULT now(),  -- while it is claimed: when the claim runs out
    claimed         boolean NOT NULL DEFAULT false,
    attempts        integer NOT NULL DEFAULT 0,
    attempts_before integer NOT NULL DEFAULT 0,   -- those before it was replayed; they count for no pause
    attempted_at    timestamptz,
    status_code     integer,
    fault           text,
    settled_at      timestamptz
) WITH (fillfactor = 80);
CREATE INDEX webhook_deliveries_due ON ingest.webhook_deliveries (client_id, due_at) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_by_client ON ingest.webhook_deliveries (client_id, created_at DESC, webhook_id DESC);
CREATE INDEX webhook_deliveries_settled ON ingest.webhook_deliveries (settled_at) WHERE settled_at IS NOT NULL;

ALTER TABLE ingest.webhook_deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_client ON ingest.webhook_deliveries USING (
    CASE coalesce(current_setting('razgovor.client_id', true), '*')
        WHEN '*' THEN true WHEN client_id THEN true ELSE false END
);
