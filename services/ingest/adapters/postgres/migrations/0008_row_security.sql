-- A transaction that serves a client sees and writes that client's rows alone, whatever its statements ask for; see
-- docs/decisions/0037-row-level-security.md.

-- `razgovor.client_id` says whose: a client's id; `*`: everybody's; empty: nobody's, which is what ingest's connections
-- say until a transaction says more. Where it was never said, all is seen: by the release before, by the ledger's janitor,
-- by whoever audits. Also the owner is bound (FORCE), because ingest is it. CASE, because the planner would count an OR of
-- equalities beside a query's own filter twice, and take a client for a twentieth of its size.

ALTER TABLE ingest.clients ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_client ON ingest.clients USING (
    CASE coalesce(current_setting('razgovor.client_id', true), '*')
        WHEN '*' THEN true WHEN client_id THEN true ELSE false END
);

ALTER TABLE ingest.api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_client ON ingest.api_keys USING (
    CASE coalesce(current_setting('razgovor.client_id', true), '*')
        WHEN '*' THEN true WHEN client_id THEN true ELSE false END
);

ALTER TABLE ingest.submissions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_client ON ingest.submissions USING (
    CASE coalesce(current_setting('razgovor.client_id', true), '*')
        WHEN '*' THEN true WHEN client_id THEN true ELSE false END
);

ALTER TABLE ingest.idempotency ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_client ON ingest.idempotency USING (
    CASE coalesce(current_setting('razgovor.client_id', true), '*')
        WHEN '*' THEN true WHEN client_id THEN true ELSE false END
);

ALTER TABLE ingest.outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_client ON ingest.outbox USING (
    CASE coalesce(current_setting('razgovor.client_id', true), '*')
        WHEN '*' THEN true WHEN client_id THEN true ELSE false END
);
