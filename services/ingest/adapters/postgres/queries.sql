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
    declared_duration_ms, sample_rate_hz, channels, channel_roles, language, languages, glossary_id,
    locale, formats, file_name, started_at, direction, operator, customer_number, queue, metadata
) VALUES (
    %(job_id)s, %(run)s, %(client_id)s, %(call_id)s, now(), %(priority)s, %(audio_key)s, %(audio_sha256)s,
    %(audio_size_bytes)s, %(media_type)s, %(declared_duration_ms)s, %(sample_rate_hz)s, %(channels)s,
    %(channel_roles)s, %(language)s, %(languages)s, %(glossary_id)s, %(locale)s, %(formats)s, %(file_name)s, %(started_at)s, %(direction)s,
    %(operator)s, %(customer_number)s, %(queue)s, %(metadata)s
)
RETURNING accepted_at

-- name: add_announcement
-- After the submission is written, so that the janitor waits for us if we do not see its fence.
INSERT INTO ingest.outbox (job_id, run, client_id, priority, topic, event, accepted_at, reserved_ms)
SELECT %(job_id)s, %(run)s, %(client_id)s, %(priority)s, %(topic)s, %(event)s, %(accepted_at)s, %(reserved_ms)s
WHERE NOT EXISTS (SELECT FROM ingest.fenced WHERE job_id = %(job_id)s)

-- name: take_turn
SELECT pg_try_advisory_xact_lock(hashtext('razgovor.ingest.relay'))

-- name: close_finished
-- COLLATE: the record's ids have the database's own collation, ours have "C"; without it no index of the record serves.
-- OFFSET 0: the view is asked job by job, through its keys, however large the record is.
UPDATE ingest.outbox o SET closed_at = now()
FROM (
    SELECT announced.outbox_id
    FROM ingest.outbox announced
    CROSS JOIN LATERAL (SELECT run, state FROM ledger.jobs_v1 WHERE job_id = announced.job_id COLLATE "default" OFFSET 0) j
    WHERE announced.sent_at IS NOT NULL AND announced.closed_at IS NULL
      AND (j.run > announced.run OR (j.run = announced.run AND j.state = ANY (%(terminal)s)))
) ended
WHERE o.outbox_id = ended.outbox_id

-- name: fetch_logs
SELECT cluster_id, topic, "partition", count(*) AS jobs, max("offset") AS last_offset
FROM ingest.outbox WHERE sent_at IS NOT NULL AND closed_at IS NULL
GROUP BY cluster_id, topic, "partition"

-- name: fetch_sent
SELECT outbox_id, cluster_id, topic, "partition", "offset", announcements,
       extract(epoch FROM now() - passed_at)::double precision AS passed_s
FROM ingest.outbox WHERE sent_at IS NOT NULL AND closed_at IS NULL
ORDER BY outbox_id

-- name: fetch_rooms
SELECT c.client_id, greatest(0, c.concurrent_jobs - count(o.outbox_id))::integer AS room
FROM ingest.clients c
LEFT JOIN ingest.outbox o ON o.client_id = c.client_id AND o.sent_at IS NOT NULL AND o.closed_at IS NULL
WHERE c.concurrent_jobs IS NOT NULL
GROUP BY c.client_id

-- name: fetch_waiting
-- One look into the index finds the next client that has something waiting; then each in turn gives its oldest. The
-- clients behind the one served last come first; one without room has no turn. What is read grows with the clients and
-- the limit, not with the backlog.
WITH RECURSIVE queue (client_id) AS (
    SELECT min(client_id) FROM ingest.outbox
    WHERE sent_at IS NULL AND closed_at IS NULL AND priority = %(priority)s
    UNION ALL
    SELECT (
        SELECT min(o.client_id) FROM ingest.outbox o
        WHERE o.sent_at IS NULL AND o.closed_at IS NULL AND o.priority = %(priority)s AND o.client_id > queue.client_id
    )
    FROM queue WHERE queue.client_id IS NOT NULL
), bound (client_id, room) AS (
    SELECT * FROM unnest(%(client_ids)s::text[], %(rooms)s::integer[])
), turn AS (
    SELECT client_id, room, row_number() OVER (
        ORDER BY client_id <= coalesce((SELECT client_id FROM ingest.served WHERE priority = %(priority)s), ''), client_id
    ) AS place, least(count(*) OVER (), %(limit)s) AS served
    FROM queue LEFT JOIN bound USING (client_id)
    WHERE client_id IS NOT NULL AND (room IS NULL OR room > 0)
)
SELECT head.outbox_id, head.event
FROM turn
CROSS JOIN LATERAL (
    SELECT o.outbox_id, o.event, row_number() OVER (ORDER BY o.outbox_id) AS nth
    FROM ingest.outbox o
    WHERE o.sent_at IS NULL AND o.closed_at IS NULL AND o.priority = %(priority)s AND o.client_id = turn.client_id
    ORDER BY o.outbox_id
    LIMIT least((%(limit)s + turn.served - 1) / turn.served, turn.room)
) head
WHERE turn.place <= turn.served
ORDER BY head.nth, turn.place
LIMIT %(limit)s

-- name: fetch_announcements
SELECT outbox_id, event FROM ingest.outbox
WHERE outbox_id = ANY (%(outbox_ids)s)
ORDER BY outbox_id

-- name: mark_sent
UPDATE ingest.outbox o
SET sent_at = now(), passed_at = NULL, announcements = o.announcements + 1, cluster_id = %(cluster_id)s,
    "partition" = d."partition", "offset" = d."offset"
FROM unnest(%(outbox_ids)s::bigint[], %(partitions)s::integer[], %(offsets)s::bigint[])
     AS d (outbox_id, "partition", "offset")
WHERE o.outbox_id = d.outbox_id

-- name: mark_served
INSERT INTO ingest.served (priority, client_id) VALUES (%(priority)s, %(client_id)s)
ON CONFLICT (priority) DO UPDATE SET client_id = excluded.client_id

-- name: mark_passed
UPDATE ingest.outbox SET passed_at = now() WHERE outbox_id = ANY (%(outbox_ids)s)

-- name: mark_unread
UPDATE ingest.outbox SET passed_at = NULL WHERE outbox_id = ANY (%(outbox_ids)s)

-- name: mark_lost
UPDATE ingest.outbox o SET cluster_id = ''
FROM unnest(%(topics)s::text[], %(partitions)s::integer[]) AS lost (topic, "partition")
WHERE o.sent_at IS NOT NULL AND o.closed_at IS NULL AND o.topic = lost.topic AND o."partition" = lost."partition"

-- name: measure_backlog
-- Two parts, so that each finds its rows by a partial index, however many jobs have ended.
SELECT priority, state, count(*) AS jobs, coalesce(sum(duration_ms), 0)::double precision / 1000 AS audio_s,
       extract(epoch FROM now() - min(created_at))::double precision AS oldest_s
FROM (
    SELECT priority, 'waiting' AS state, created_at, (event #>> '{audio,declared_duration_ms}')::bigint AS duration_ms
    FROM ingest.outbox WHERE sent_at IS NULL AND closed_at IS NULL
    UNION ALL
    SELECT priority, 'announced', created_at, (event #>> '{audio,declared_duration_ms}')::bigint
    FROM ingest.outbox WHERE sent_at IS NOT NULL AND closed_at IS NULL
) unfinished
GROUP BY priority, state

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

-- name: grant_sweeping
-- Repeated at every start: the role may have come after the view.
DO $$ BEGIN
    IF to_regrole('razgovor_ledger') IS NULL OR to_regclass('ingest.retention_v1') IS NULL THEN
        RETURN;
    END IF;
    IF NOT (
        has_schema_privilege('razgovor_ledger', 'ingest', 'USAGE')
        AND has_table_privilege('razgovor_ledger', 'ingest.known_jobs_v1', 'SELECT')
        AND has_table_privilege('razgovor_ledger', 'ingest.retention_v1', 'SELECT')
        AND has_function_privilege('razgovor_ledger', 'ingest.fence_v1(text[])', 'EXECUTE')
        AND has_function_privilege('razgovor_ledger', 'ingest.log_act_v1(text, text, text, text, jsonb)', 'EXECUTE')
    ) THEN
        GRANT USAGE ON SCHEMA ingest TO razgovor_ledger;
        GRANT SELECT ON ingest.known_jobs_v1, ingest.retention_v1 TO razgovor_ledger;
        GRANT EXECUTE ON FUNCTION ingest.fence_v1(text[]), ingest.log_act_v1(text, text, text, text, jsonb)
            TO razgovor_ledger;
    END IF;
END $$

-- name: grant_auditing
-- What proves that nothing is lost, and nothing that names people. Repeated at every start: the role may have come later.
DO $$ BEGIN
    IF to_regrole('razgovor_auditor') IS NULL
        OR has_column_privilege('razgovor_auditor', 'ingest.refused_calls', 'run', 'SELECT') THEN
        RETURN;
    END IF;
    GRANT USAGE ON SCHEMA ingest TO razgovor_auditor;
    GRANT SELECT (job_id, run, client_id, accepted_at, priority, audio_key, audio_sha256, audio_size_bytes)
        ON ingest.submissions TO razgovor_auditor;
    GRANT SELECT (job_id, run, sent_at, announcements, cluster_id, topic, "partition", "offset", closed_at)
        ON ingest.outbox TO razgovor_auditor;
    GRANT SELECT (job_id, run) ON ingest.refused_calls TO razgovor_auditor;
END $$

-- name: applied_migrations
SELECT number, sha256 FROM ingest.migrations

-- name: record_migration
INSERT INTO ingest.migrations (number, name, sha256) VALUES (%(number)s, %(name)s, %(sha256)s)
