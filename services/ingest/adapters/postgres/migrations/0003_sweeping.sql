-- What the ledger's janitor needs to know before it deletes an orphan; see docs/decisions/0023-the-janitor-fences.md.

-- Every job that was ever accepted.
CREATE VIEW ingest.known_jobs_v1 AS SELECT job_id FROM ingest.submissions;

-- Job ids that may never be accepted any more: their objects are being deleted.
CREATE TABLE ingest.fenced (
    job_id    text COLLATE "C" PRIMARY KEY,
    fenced_at timestamptz NOT NULL DEFAULT now()
);

-- Fences those that were not accepted. An upload that is still under way with such an id will be refused.
CREATE FUNCTION ingest.fence_v1(job_ids text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
BEGIN ATOMIC
    INSERT INTO ingest.fenced (job_id)
    SELECT given.job_id FROM unnest(job_ids) AS given (job_id)
    WHERE NOT EXISTS (SELECT FROM ingest.submissions s WHERE s.job_id = given.job_id)
    ON CONFLICT (job_id) DO NOTHING;
END;
REVOKE ALL ON FUNCTION ingest.fence_v1(text[]) FROM PUBLIC;
