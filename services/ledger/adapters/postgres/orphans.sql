-- Named queries of the janitor; `orphans` runs them. Ingest's part is what its migrations grant: a view and a function.

-- name: known_jobs
SELECT job_id FROM ledger.jobs WHERE job_id = ANY (%(job_ids)s)
UNION ALL
SELECT job_id FROM ingest.known_jobs_v1 WHERE job_id = ANY (%(job_ids)s)

-- name: fence
SELECT ingest.fence_v1(%(job_ids)s)

-- name: last_begun
-- The transaction that will be numbered next: all that have written anything have a smaller number.
SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xid

-- name: have_ended
-- Whether all with a smaller number have ended.
SELECT pg_snapshot_xmin(pg_current_snapshot()) >= %(xid)s::xid8 AS ended
