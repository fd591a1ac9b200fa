-- Named queries of the eraser; `erasures` runs them.

-- name: claim_due
-- Whoever claims has a minute; then another may. Nobody waits for a row that another is claiming.
UPDATE ledger.erasures e SET due_at = clock_timestamp() + %(lease)s
FROM (
    SELECT job_id FROM ledger.erasures
    WHERE closed_at IS NULL AND due_at <= clock_timestamp()
    ORDER BY due_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
) due
WHERE e.job_id = due.job_id
RETURNING e.job_id, e.sweeps, e.ordered_at <= clock_timestamp() - %(watched)s

-- name: mark_swept
UPDATE ledger.erasures
SET sweeps = sweeps + 1, objects = objects + %(objects)s, erased_at = coalesce(erased_at, clock_timestamp()),
    due_at = clock_timestamp() + %(pause)s, closed_at = CASE WHEN %(last)s THEN clock_timestamp() END
WHERE job_id = %(job_id)s
