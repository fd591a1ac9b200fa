-- What the auditor reads. Rows of jobs are ordered as the store lists their objects, whatever the database's collation.

-- name: as_utc
SET LOCAL TimeZone = 'UTC'

-- name: without_limits
SELECT set_config('statement_timeout', '0', true), set_config('search_path', 'pg_catalog', true)

-- name: now
SELECT now() AS now

-- name: count_jobs
SELECT count(*) AS count FROM ingest.submissions

-- name: submissions
SELECT s.job_id, s.run, s.client_id, s.accepted_at, s.audio_key, s.audio_sha256, s.audio_size_bytes
FROM ingest.submissions s ORDER BY (s.job_id || '/') COLLATE "C"

-- name: refused
SELECT job_id, run FROM ingest.refused_calls ORDER BY (job_id || '/') COLLATE "C"

-- name: jobs
SELECT j.job_id, j.run, j.client_id, a.job_id IS NOT NULL AS audio_expired, t.job_id IS NOT NULL AS transcript_expired
FROM ledger.jobs j
LEFT JOIN ledger.expiries a ON a.job_id = j.job_id AND a.what = 'audio'
LEFT JOIN ledger.expiries t ON t.job_id = j.job_id AND t.what = 'transcript'
ORDER BY (j.job_id || '/') COLLATE "C"

-- name: runs
SELECT job_id, run, state, completed_at, erased_at FROM ledger.runs
ORDER BY (job_id || '/') COLLATE "C", run

-- name: results
SELECT job_id, run, duration_ms, transcript_key, transcript_sha256, transcript_size_bytes FROM ledger.results
ORDER BY (job_id || '/') COLLATE "C", run

-- name: artefacts
SELECT job_id, run, format, key, sha256, size_bytes FROM ledger.artefacts ORDER BY (job_id || '/') COLLATE "C", run

-- name: usage
SELECT job_id, run, kind, leg, client_id, period::text AS period, accepted_at, duration_ms, amount, currency
FROM ledger.usage ORDER BY (job_id || '/') COLLATE "C", run

-- name: seen
SELECT job_id, event_id, run, state FROM ledger.seen ORDER BY (job_id || '/') COLLATE "C"

-- name: letters
SELECT topic, partition, "offset", value_sha256, consumer_group AS "group", origin_topic AS home_topic,
    origin_partition AS home_partition, origin_offset AS home_offset
FROM ledger.dlq
