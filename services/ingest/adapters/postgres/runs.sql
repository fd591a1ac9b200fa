-- Starting runs; see `runs`.

-- name: lock_submission
SELECT * FROM ingest.submissions
WHERE job_id = %(job_id)s AND (%(client_id)s::text IS NULL OR client_id = %(client_id)s)
FOR UPDATE

-- name: fetch_state
SELECT run, state, audio_expired_at FROM ledger.jobs_v1 WHERE job_id = %(job_id)s

-- name: begin_run
UPDATE ingest.submissions SET run = %(run)s WHERE job_id = %(job_id)s

-- name: close_earlier_runs
UPDATE ingest.outbox SET closed_at = now() WHERE job_id = %(job_id)s AND run < %(run)s AND closed_at IS NULL

-- name: find_failed
SELECT s.job_id, j.run, j.reason, j.finished_at
FROM ingest.submissions s JOIN ledger.jobs_v1 j ON j.job_id = s.job_id AND j.run >= s.run
WHERE j.state = %(failed)s
    AND (%(reason)s::text IS NULL OR j.reason = %(reason)s)
    AND (%(since)s::timestamptz IS NULL OR j.finished_at >= %(since)s)
ORDER BY s.accepted_at, s.job_id
LIMIT %(limit)s
