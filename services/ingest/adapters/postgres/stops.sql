-- Calling jobs off; see `stops`.

-- name: lock_job
SELECT * FROM ingest.submissions WHERE job_id = %(job_id)s AND client_id = %(client_id)s FOR UPDATE

-- name: cancel_run
UPDATE ingest.submissions SET canceled_run = %(run)s WHERE job_id = %(job_id)s

-- name: erase_submission
UPDATE ingest.submissions
SET erased_at = now(), file_name = NULL, started_at = NULL, direction = NULL, operator = NULL, customer_number = NULL,
    queue = NULL, metadata = '{}'
WHERE job_id = %(job_id)s

-- name: close_unannounced
UPDATE ingest.outbox SET closed_at = now() WHERE job_id = %(job_id)s AND closed_at IS NULL AND sent_at IS NULL

-- name: close_all
UPDATE ingest.outbox SET closed_at = now() WHERE job_id = %(job_id)s AND closed_at IS NULL

-- name: add_stop
INSERT INTO ingest.stops (job_id, run, state, event) VALUES (%(job_id)s, %(run)s, %(state)s, %(event)s)
ON CONFLICT (job_id, run, state) DO NOTHING

-- name: fetch_requested
SELECT requested_at FROM ingest.stops WHERE job_id = %(job_id)s AND run = %(run)s AND state = %(state)s

-- name: take_turn
SELECT pg_try_advisory_xact_lock(hashtext('razgovor.ingest.stops')) AS taken

-- name: settle
-- Once the ledger shows this end, or a stronger one, or a later run. COLLATE and OFFSET 0: see close_finished.
UPDATE ingest.stops s SET settled_at = now()
FROM (
    SELECT o.job_id, o.run, o.state
    FROM ingest.stops o
    CROSS JOIN LATERAL (SELECT run, state FROM ledger.jobs_v1 WHERE job_id = o.job_id COLLATE "default" OFFSET 0) j
    WHERE o.settled_at IS NULL AND (
        j.state = 'erased'
        OR (o.state = 'canceled' AND (j.run > o.run OR (j.run = o.run AND j.state IN ('canceled', 'completed'))))
    )
) shown
WHERE (s.job_id, s.run, s.state) = (shown.job_id, shown.run, shown.state)

-- name: fetch_due
-- Again where the ledger does not show it: the log that took it may be lost. Ever more seldom.
SELECT job_id, run, state, event FROM ingest.stops
WHERE settled_at IS NULL
    AND (told_at IS NULL OR told_at + least(%(longest_s)s, %(first_s)s * 2 ^ greatest(0, least(tellings, 20) - 1)) * interval '1 second' <= now())
ORDER BY requested_at
LIMIT %(limit)s

-- name: mark_told
UPDATE ingest.stops s SET told_at = now(), tellings = s.tellings + 1
FROM unnest(%(job_ids)s::text[], %(runs)s::integer[], %(states)s::text[]) AS t (job_id, run, state)
WHERE (s.job_id, s.run, s.state) = (t.job_id, t.run, t.state)
