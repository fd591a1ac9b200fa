-- Notes of ends, for ingest to tell clients of. Written with the record itself, so whoever finds a note finds the end in
-- the views; taken once. Nobody's record: what a replay notes again, ingest knows by its id.

CREATE TABLE ledger.ends (
    end_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id text NOT NULL,
    run    integer NOT NULL,
    state  text NOT NULL
);

CREATE FUNCTION ledger.note_end() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO ledger.ends (job_id, run, state) VALUES (NEW.job_id, NEW.run, NEW.state);
    RETURN NULL;
END $$;
CREATE TRIGGER begun_at_its_end AFTER INSERT ON ledger.runs
    FOR EACH ROW WHEN (NEW.state IN ('failed', 'canceled', 'completed', 'erased'))
    EXECUTE FUNCTION ledger.note_end();
CREATE TRIGGER ended AFTER UPDATE OF state ON ledger.runs
    FOR EACH ROW WHEN (
        NEW.state IN ('failed', 'canceled', 'completed', 'erased') AND NEW.state IS DISTINCT FROM OLD.state)
    EXECUTE FUNCTION ledger.note_end();

-- Takes the oldest notes: they are gone if the caller's transaction commits, and nobody else gets them meanwhile.
CREATE FUNCTION ledger.take_ends_v1(most integer) RETURNS TABLE (job_id text, run integer, state text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    DELETE FROM ledger.ends e
    USING (SELECT o.end_id FROM ledger.ends o ORDER BY o.end_id LIMIT most FOR UPDATE SKIP LOCKED) oldest
    WHERE e.end_id = oldest.end_id
    RETURNING e.job_id, e.run, e.state;
END;
REVOKE ALL ON FUNCTION ledger.take_ends_v1(integer) FROM PUBLIC;
