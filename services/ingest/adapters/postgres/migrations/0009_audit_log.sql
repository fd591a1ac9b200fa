-- Who did what, and when; see docs/decisions/0038-audit-log.md. No personal data: ids, names of settings, numbers.

CREATE TABLE ingest.audit_log (
    entry_id  bigint PRIMARY KEY,              -- 1, 2, 3 ... without a gap
    at        timestamptz NOT NULL,
    who       text NOT NULL,                   -- key:ID, or operator:UID (of the account on the machine)
    act       text NOT NULL,                   -- `services.ingest.audit_log` has them all
    client_id text COLLATE "C",                -- whose it was done to; null: nobody's
    subject   text NOT NULL,                   -- the id of what it was done to
    details   jsonb NOT NULL,
    sha256    bytea NOT NULL                   -- over the entry and the hash of the one before
);
CREATE INDEX audit_log_by_client ON ingest.audit_log (client_id, entry_id);

ALTER TABLE ingest.audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_client ON ingest.audit_log USING (
    CASE coalesce(current_setting('razgovor.client_id', true), '*')
        WHEN '*' THEN true WHEN client_id THEN true ELSE false END
);

-- Nobody changes it: not the owner, who has no such right, nor a superuser by mistake.
REVOKE UPDATE, DELETE, TRUNCATE ON ingest.audit_log FROM CURRENT_USER;
CREATE FUNCTION ingest.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ingest.audit_log is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ingest.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION ingest.refuse_change();

CREATE FUNCTION ingest.act_sha256(before bytea, entry ingest.audit_log) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog
RETURN sha256(before || convert_to(jsonb_build_array(
    (entry).entry_id, extract(epoch FROM (entry).at), (entry).who, (entry).act, (entry).client_id, (entry).subject,
    (entry).details
)::text, 'UTF8'));

-- To be called last in a transaction: whoever else has something to log waits for its end, as the chain has one end.
-- A function, so that the ledger's operators log here too, and whoever serves a client finds the entry before its own:
-- it looks at everybody's for that moment.
CREATE FUNCTION ingest.log_act_v1(who text, act text, client_id text, subject text, details jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
#variable_conflict use_column
DECLARE
    whose text := current_setting('razgovor.client_id', true);
    before ingest.audit_log;
    entry ingest.audit_log;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('razgovor.ingest.audit_log'));
    IF whose IS NOT NULL THEN
        PERFORM set_config('razgovor.client_id', '*', true);
    END IF;
    SELECT * INTO before FROM ingest.audit_log ORDER BY entry_id DESC LIMIT 1;
    entry := (coalesce(before.entry_id, 0) + 1, clock_timestamp(), $1, $2, $3, $4, $5, NULL);
    entry.sha256 := ingest.act_sha256(coalesce(before.sha256, ''::bytea), entry);
    INSERT INTO ingest.audit_log SELECT entry.*;
    IF whose IS NOT NULL THEN
        PERFORM set_config('razgovor.client_id', whose, true);
    END IF;
END $$;
REVOKE ALL ON FUNCTION ingest.log_act_v1(text, text, text, text, jsonb) FROM PUBLIC;
