-- What ingest reads. A view's columns only ever grow at their end; another shape is another view (jobs_v2).

-- A job is its highest run. Results are there once that run completed; reason and details while they stand.
-- finished_at is the end of the strongest outcome other than erasure, which may come long after.
-- total_ms counts the first run from acceptance and later ones from their own submission.
CREATE VIEW ledger.jobs_v1 AS
SELECT
    j.job_id,
    j.client_id,
    j.call_id,
    j.run,
    r.state,
    r.reason,
    coalesce(r.details, '{}'::jsonb) AS details,
    coalesce(t.language, r.requested_language) AS language,
    t.channel_mode,
    t.channels,
    t.duration_ms,
    t.speech_ms,
    t.words,
    CASE WHEN t.transcript_sha256 = r.announced_sha256 THEN r.turns END AS turns,
    t.confidence,
    t.partial,
    coalesce(t.warnings, '{}') AS warnings,
    t.model,
    t.model_sha256,
    t.engine,
    t.transcript_key,
    t.transcript_sha256,
    t.transcript_size_bytes,
    j.accepted_at,
    r.transcribing_at,
    f.finished_at,
    w.queue_wait_ms,
    w.decode_ms,
    w.vad_ms,
    w.engine_ms,
    CASE WHEN f.started_at IS NOT NULL AND f.finished_at IS NOT NULL
        THEN greatest(0, round(extract(epoch FROM f.finished_at) * 1000 - extract(epoch FROM f.started_at) * 1000)::bigint)
    END AS total_ms,
    r.priority,
    r.transcribed_at
FROM ledger.jobs j
JOIN ledger.runs r USING (job_id, run)
LEFT JOIN ledger.results t USING (job_id, run)
LEFT JOIN ledger.timings w USING (job_id, run)
CROSS JOIN LATERAL (
    SELECT
        coalesce(r.completed_at, r.canceled_at, r.failed_at, r.erased_at) AS finished_at,
        CASE WHEN j.run = 1 THEN j.accepted_at ELSE r.queued_at END AS started_at
) f;

CREATE VIEW ledger.artefacts_v1 AS
SELECT job_id, run, format, key, sha256, size_bytes FROM ledger.artefacts;

-- Billed in a period, by its first day. `calls` counts billed transcriptions: a billed reprocess is one more.
CREATE VIEW ledger.usage_v1 AS
SELECT client_id, period, count(*) AS calls, least(sum(duration_ms), 9223372036854775807)::bigint AS billed_ms
FROM ledger.usage
WHERE leg = 'client'
GROUP BY client_id, period;
