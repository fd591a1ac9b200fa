-- Views that are keyed by job alone join the jobs, whose policy holds them to the client that is served, as runs_v1 does.
-- Whoever says nothing (the release before, an auditor) sees all, as ever.

CREATE OR REPLACE VIEW ledger.artefacts_v1 AS
SELECT a.job_id, a.run, a.format, a.key, a.sha256, a.size_bytes, j.client_id
FROM ledger.artefacts a JOIN ledger.jobs j USING (job_id);

CREATE OR REPLACE VIEW ledger.erasures_v1 AS
SELECT e.job_id, e.ordered_at, e.erased_at, e.objects, j.client_id
FROM ledger.erasures e JOIN ledger.jobs j USING (job_id);
