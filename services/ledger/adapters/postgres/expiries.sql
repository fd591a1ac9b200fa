-- Named queries of the expirer; `expiries` runs them. Ingest's part is what its migrations grant: a view.

-- name: fetch_rules
SELECT client_id, 'audio' AS what, audio_days AS days FROM ingest.retention_v1 WHERE audio_days IS NOT NULL
UNION ALL
SELECT client_id, 'transcript', transcript_days FROM ingest.retention_v1 WHERE transcript_days IS NOT NULL
ORDER BY client_id, what

-- name: find_due
-- By the acceptance, because there is an index; what ended long after it is told by finished_at.
SELECT j.job_id, j.accepted_at FROM ledger.jobs_v1 j
WHERE j.client_id = %(client_id)s AND j.accepted_at < now() - %(kept)s
    AND (%(job_id)s::text IS NULL OR (j.accepted_at, j.job_id) > (%(accepted_at)s, %(job_id)s))
    AND j.state IN ('failed', 'canceled', 'completed') AND j.finished_at < now() - %(kept)s
    AND CASE %(what)s WHEN 'audio' THEN j.audio_expired_at ELSE j.transcript_expired_at END IS NULL
ORDER BY j.accepted_at, j.job_id
LIMIT %(limit)s

-- name: begin
INSERT INTO ledger.expiries (job_id, what) SELECT unnest(%(job_ids)s::text[]), %(what)s
ON CONFLICT (job_id, what) DO NOTHING

-- name: fetch_open
SELECT job_id, what FROM ledger.expiries WHERE objects IS NULL ORDER BY expired_at LIMIT %(limit)s

-- name: finish
UPDATE ledger.expiries SET objects = %(objects)s WHERE job_id = %(job_id)s AND what = %(what)s
