-- Calls of upstream systems; see `calls`.

-- name: take_turn
-- Whoever accepts or refuses this call waits for us; the next statement sees what the one before us did.
SELECT pg_advisory_xact_lock(hashtextextended('razgovor.ingest.call/' || %(job_id)s, 0))

-- name: find_submission
SELECT accepted_at FROM ingest.submissions WHERE job_id = %(job_id)s

-- name: find_refusal
SELECT run, reason, details FROM ingest.refused_calls WHERE job_id = %(job_id)s

-- name: keep_refusal
INSERT INTO ingest.refused_calls (job_id, client_id, run, reason, details)
VALUES (%(job_id)s, %(client_id)s, %(run)s, %(reason)s, %(details)s)
ON CONFLICT (job_id) DO UPDATE
SET run = excluded.run, reason = excluded.reason, details = excluded.details, refused_at = now()
