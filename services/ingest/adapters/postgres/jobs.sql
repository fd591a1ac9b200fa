-- Jobs as they are shown; `jobs` puts each end behind the one beginning.

-- name: shown_jobs
SELECT s.*, j.run AS ledger_run, j.state, j.reason, j.details, j.channel_mode, j.channels AS found_channels,
       j.duration_ms, j.speech_ms, j.words, j.turns, j.confidence, j.partial, j.warnings, j.model, j.model_sha256,
       j.engine, j.transcript_key, j.transcript_sha256, j.transcript_size_bytes, j.transcribing_at, j.finished_at,
       j.queue_wait_ms, j.decode_ms, j.vad_ms, j.engine_ms, j.total_ms, j.audio_expired_at, j.transcript_expired_at,
       shown.state AS shown_state, e.erased_at AS nothing_left_at, e.objects AS erased_objects,
       s.chain_id IS NOT NULL AND EXISTS (
           SELECT FROM ingest.submissions o
           WHERE o.client_id = s.client_id AND o.chain_id = s.chain_id AND o.job_id <> s.job_id
       ) AS other_parts
FROM ingest.submissions s
LEFT JOIN ledger.jobs_v1 j ON j.job_id = s.job_id COLLATE "default" AND j.run >= s.run
LEFT JOIN ledger.erasures_v1 e ON s.erased_at IS NOT NULL AND e.job_id = s.job_id COLLATE "default"
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN s.erased_at IS NOT NULL THEN 'erased'
        WHEN s.canceled_run = coalesce(j.run, s.run)
            AND coalesce(j.state, 'queued') NOT IN ('failed', 'canceled', 'completed', 'erased') THEN 'canceling'
        ELSE coalesce(j.state, 'queued')
    END AS state
) shown

-- name: with_ids
WHERE s.client_id = %(client_id)s AND s.job_id = ANY (%(job_ids)s)

-- name: page
WHERE s.client_id = %(client_id)s
  AND (%(accepted_at)s::timestamptz IS NULL OR (s.accepted_at, s.job_id) < (%(accepted_at)s, %(job_id)s))
  AND (%(state)s::text IS NULL OR shown.state = %(state)s)
  AND (%(since)s::timestamptz IS NULL OR s.accepted_at >= %(since)s)
  AND (%(before)s::timestamptz IS NULL OR s.accepted_at < %(before)s)
  AND (%(direction)s::text IS NULL OR s.direction = %(direction)s)
  AND (%(operator)s::text IS NULL OR s.operator = %(operator)s)
  AND (%(call_id)s::text IS NULL OR s.call_id = %(call_id)s)
  AND (%(chain_id)s::text IS NULL OR s.chain_id = %(chain_id)s)
  AND (%(text)s::text IS NULL OR EXISTS (
    SELECT FROM (
        VALUES (s.call_id), (s.file_name), (s.operator), (s.customer_number), (s.queue)
        UNION ALL
        SELECT value FROM jsonb_each_text(s.metadata)
    ) said (said)
    WHERE strpos(lower(said.said), lower(%(text)s)) > 0
  ))
ORDER BY s.accepted_at DESC, s.job_id DESC
LIMIT %(limit)s

-- name: by_chains
-- A call that is no part of another is a chain of its own. Bounded first, so that a longer period costs no more.
SELECT job_id FROM (
    SELECT job_id, chain, accepted_at, started_at, max(accepted_at) OVER (PARTITION BY chain) AS newest_at
    FROM (
        SELECT job_id, coalesce(chain_id, job_id) AS chain, accepted_at, started_at
        FROM ingest.submissions
        WHERE client_id = %(client_id)s AND accepted_at >= %(since)s AND accepted_at < %(before)s
        ORDER BY accepted_at DESC, job_id DESC
        LIMIT %(limit)s
    ) newest
) chained
ORDER BY newest_at DESC, chain DESC, coalesce(started_at, accepted_at), accepted_at, job_id

-- name: fetch_artefacts
SELECT a.format, a.key, a.sha256, a.size_bytes
FROM ledger.artefacts_v1 a JOIN ingest.submissions s ON s.job_id = a.job_id
WHERE s.client_id = %(client_id)s AND a.job_id = %(job_id)s AND a.run = %(run)s
