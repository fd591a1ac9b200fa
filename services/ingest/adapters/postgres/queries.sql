-- name: find_key
SELECT k.key_id, k.secret_sha256, k.scopes, k.revoked_at IS NOT NULL AS revoked,
       c.client_id, c.name, c.channel_map, c.language, c.locale, c.formats
FROM ingest.api_keys k JOIN ingest.clients c USING (client_id)
WHERE k.key_id = %(key_id)s

-- name: add_client
INSERT INTO ingest.clients (client_id, name, channel_map, language, locale, formats)
VALUES (%(client_id)s, %(name)s, %(channel_map)s, %(language)s, %(locale)s, %(formats)s)
ON CONFLICT (client_id) DO NOTHING

-- name: add_key
INSERT INTO ingest.api_keys (key_id, client_id, secret_sha256, scopes)
VALUES (%(key_id)s, %(client_id)s, %(secret_sha256)s, %(scopes)s)

-- name: revoke_key
UPDATE ingest.api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE key_id = %(key_id)s

-- name: claim_idempotency_key
-- Waits for a concurrent transaction with the same key; no row: that one, or an earlier one, has it.
INSERT INTO ingest.idempotency (client_id, key, request_sha256, job_id)
VALUES (%(client_id)s, %(key)s, %(request_sha256)s, %(job_id)s)
ON CONFLICT (client_id, key) DO NOTHING
RETURNING job_id

-- name: find_idempotency_key
SELECT i.request_sha256, s.job_id, s.accepted_at
FROM ingest.idempotency i JOIN ingest.submissions s USING (client_id, job_id)
WHERE i.client_id = %(client_id)s AND i.key = %(key)s

-- name: add_submission
INSERT INTO ingest.submissions (
    job_id, run, client_id, call_id, accepted_at, priority, audio_key, audio_sha256, audio_size_bytes, media_type,
    declared_duration_ms, sample_rate_hz, channels, channel_roles, language, locale, formats,
    file_name, started_at, direction, operator, customer_number, queue, metadata
) VALUES (
    %(job_id)s, %(run)s, %(client_id)s, %(call_id)s, now(), %(priority)s, %(audio_key)s, %(audio_sha256)s,
    %(audio_size_bytes)s, %(media_type)s, %(declared_duration_ms)s, %(sample_rate_hz)s, %(channels)s,
    %(channel_roles)s, %(language)s, %(locale)s, %(formats)s, %(file_name)s, %(started_at)s, %(direction)s,
    %(operator)s, %(customer_number)s, %(queue)s, %(metadata)s
)
RETURNING accepted_at

-- name: add_announcement
INSERT INTO ingest.outbox (job_id, run, client_id, priority, topic, event)
VALUES (%(job_id)s, %(run)s, %(client_id)s, %(priority)s, %(topic)s, %(event)s)

-- name: fetch_job
SELECT s.*, j.run AS ledger_run, j.state, j.reason, j.details, j.channel_mode, j.channels AS found_channels,
       j.duration_ms, j.speech_ms, j.words, j.turns, j.confidence, j.partial, j.warnings, j.model, j.model_sha256,
       j.engine, j.transcript_key, j.transcript_sha256, j.transcript_size_bytes, j.transcribing_at, j.finished_at,
       j.queue_wait_ms, j.decode_ms, j.vad_ms, j.engine_ms, j.total_ms
FROM ingest.submissions s
LEFT JOIN ledger.jobs_v1 j ON j.job_id = s.job_id AND j.run >= s.run
WHERE s.client_id = %(client_id)s AND s.job_id = %(job_id)s

-- name: fetch_artefacts
SELECT a.format, a.key, a.sha256, a.size_bytes
FROM ledger.artefacts_v1 a JOIN ingest.submissions s ON s.job_id = a.job_id
WHERE s.client_id = %(client_id)s AND a.job_id = %(job_id)s AND a.run = %(run)s

-- name: page_of_jobs
SELECT s.*, j.run AS ledger_run, j.state, j.reason, j.details, j.channel_mode, j.channels AS found_channels,
       j.duration_ms, j.speech_ms, j.words, j.turns, j.confidence, j.partial, j.warnings, j.model, j.model_sha256,
       j.engine, j.transcript_key, j.transcript_sha256, j.transcript_size_bytes, j.transcribing_at, j.finished_at,
       j.queue_wait_ms, j.decode_ms, j.vad_ms, j.engine_ms, j.total_ms
FROM ingest.submissions s
LEFT JOIN ledger.jobs_v1 j ON j.job_id = s.job_id AND j.run >= s.run
WHERE s.client_id = %(client_id)s
  AND (%(accepted_at)s::timestamptz IS NULL OR (s.accepted_at, s.job_id) < (%(accepted_at)s, %(job_id)s))
  AND (%(state)s::text IS NULL OR coalesce(j.state, 'queued') = %(state)s)
ORDER BY s.accepted_at DESC, s.job_id DESC
LIMIT %(limit)s

-- name: take_turn
SELECT pg_try_advisory_xact_lock(hashtext('razgovor.ingest.relay'))

-- name: close_finished
UPDATE ingest.outbox o SET closed_at = now()
FROM ledger.jobs_v1 j
WHERE o.sent_at IS NOT NULL AND o.closed_at IS NULL AND j.job_id = o.job_id
  AND (j.run > o.run OR (j.run = o.run AND j.state = ANY (%(terminal)s)))

-- name: count_announced
SELECT count(*) FROM ingest.outbox WHERE sent_at IS NOT NULL AND closed_at IS NULL

-- name: fetch_sent
SELECT outbox_id, cluster_id, topic, "partition", "offset",
       extract(epoch FROM now() - sent_at)::double precision AS age_s
FROM ingest.outbox WHERE sent_at IS NOT NULL AND closed_at IS NULL
ORDER BY outbox_id

-- name: fetch_waiting
SELECT outbox_id, event FROM ingest.outbox
WHERE sent_at IS NULL AND closed_at IS NULL
ORDER BY outbox_id LIMIT %(limit)s

-- name: fetch_announcements
SELECT outbox_id, event FROM ingest.outbox
WHERE outbox_id = ANY (%(outbox_ids)s)
ORDER BY outbox_id

-- name: mark_sent
UPDATE ingest.outbox o
SET sent_at = now(), announcements = o.announcements + 1, cluster_id = %(cluster_id)s,
    "partition" = d."partition", "offset" = d."offset"
FROM unnest(%(outbox_ids)s::bigint[], %(partitions)s::integer[], %(offsets)s::bigint[])
     AS d (outbox_id, "partition", "offset")
WHERE o.outbox_id = d.outbox_id

-- name: verify
SELECT 1

-- name: lock_migrations
SELECT pg_advisory_lock(hashtext('razgovor.ingest.migrations'))

-- name: prepare_migrations
CREATE TABLE IF NOT EXISTS ingest.migrations (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)

-- name: applied_migrations
SELECT number, sha256 FROM ingest.migrations

-- name: record_migration
INSERT INTO ingest.migrations (number, name, sha256) VALUES (%(number)s, %(name)s, %(sha256)s)
