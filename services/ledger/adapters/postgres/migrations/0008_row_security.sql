-- Ingest reads the record by views, in transactions that serve a client: they show that client's rows alone, whatever a
-- query forgets. The setting is ingest's (its migration 0008_row_security says what it means); the ledger never says it,
-- and sees all.

ALTER TABLE ledger.jobs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_client ON ledger.jobs USING (
    CASE coalesce(current_setting('razgovor.client_id', true), '*')
        WHEN '*' THEN true WHEN client_id THEN true ELSE false END
);

ALTER TABLE ledger.usage ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_client ON ledger.usage USING (
    CASE coalesce(current_setting('razgovor.client_id', true), '*')
        WHEN '*' THEN true WHEN client_id THEN true ELSE false END
);

ALTER TABLE ledger.usage_days ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_client ON ledger.usage_days USING (
    CASE coalesce(current_setting('razgovor.client_id', true), '*')
        WHEN '*' THEN true WHEN client_id THEN true ELSE false END
);

-- A price without a client is everybody's.
ALTER TABLE ledger.prices ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_client ON ledger.prices USING (
    client_id IS NULL OR CASE coalesce(current_setting('razgovor.client_id', true), '*')
        WHEN '*' THEN true WHEN client_id THEN true ELSE false END
);
