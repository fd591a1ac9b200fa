-- What was kept as long as its client agreed, and is gone; see docs/decisions/0039-retention.md.

CREATE TABLE ledger.expiries (
    job_id     text NOT NULL,
    what       text NOT NULL CHECK (what IN ('audio', 'transcript')),
    expired_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- from then on nobody is given it
    objects    bigint,                                          -- deleted; null: that is still to be done
    PRIMARY KEY (job_id, what)
);
CREATE INDEX expiries_open ON ledger.expiries (expired_at) WHERE objects IS NULL;

CREATE OR REPLACE VIEW ledger.jobs_v1 AS
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
    r.transcribed_at,
    xa.expired_at AS audio_expired_at,
    xt.expired_at AS transcript_expired_at
FROM ledger.jobs j
JOIN ledger.runs r USING (job_id, run)
LEFT JOIN ledger.results t USING (job_id, run)
LEFT JOIN ledger.timings w USING (job_id, run)
LEFT JOIN ledger.expiries xa ON xa.job_id = j.job_id AND xa.what = 'audio'
LEFT JOIN ledger.expiries xt ON xt.job_id = j.job_id AND xt.what = 'transcript'
CROSS JOIN LATERAL (
    SELECT
        coalesce(r.completed_at, r.canceled_at, r.failed_at, r.erased_at) AS finished_at,
        CASE WHEN j.run = 1 THEN j.accepted_at ELSE r.queued_at END AS started_at
) f;
