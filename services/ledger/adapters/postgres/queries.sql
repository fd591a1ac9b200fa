-- Named queries of the ledger; `record` runs those of a transaction, `letters` those of an operator, `migrator` those of a
-- migration.

-- name: record_events
-- Ids that were not known before; two transactions with one id wait here for each other.
INSERT INTO ledger.seen (event_id, job_id, run, state, counted, topic, partition, "offset", recorded_at)
SELECT * FROM unnest(
    %(event_id)s::text[], %(job_id)s::text[], %(run)s::integer[], %(state)s::text[], %(counted)s::boolean[],
    %(topic)s::text[], %(partition)s::integer[], %(offset)s::bigint[], %(recorded_at)s::timestamptz[])
ON CONFLICT (event_id) DO NOTHING
RETURNING event_id

-- name: merge_run
-- Every part is a maximum, a minimum or a fact that one event says, so the order of merging does not matter,
-- nor does the locale of the database.
WITH job AS (
    INSERT INTO ledger.jobs AS j (job_id, run, client_id, call_id, accepted_at)
    VALUES (%(job_id)s, %(run)s, %(client_id)s, %(call_id)s, %(accepted_at)s)
    ON CONFLICT (job_id) DO UPDATE SET
        run = greatest(j.run, excluded.run),
        client_id = least(j.client_id COLLATE "C", excluded.client_id),
        call_id = least(j.call_id COLLATE "C", excluded.call_id),
        accepted_at = least(j.accepted_at, excluded.accepted_at)
    WHERE j.run < excluded.run
        OR (j.client_id, j.call_id, j.accepted_at) IS DISTINCT FROM
           (excluded.client_id, excluded.call_id, excluded.accepted_at)
), claim (state, at) AS (
    VALUES (%(state)s::text, %(claimed_at)s::timestamptz)
)
INSERT INTO ledger.runs AS r (
    job_id, run, state, rank, reason, details, priority, requested_language, announced_sha256, turns,
    queued_at, transcribing_at, transcribed_at, failed_at, canceled_at, completed_at, erased_at)
SELECT
    %(job_id)s, %(run)s, state, %(rank)s, %(reason)s, %(details)s, %(priority)s, %(requested_language)s,
    %(announced_sha256)s, %(turns)s,
    CASE state WHEN 'queued' THEN at END,
    CASE state WHEN 'transcribing' THEN at END,
    CASE state WHEN 'transcribed' THEN at END,
    CASE state WHEN 'failed' THEN at END,
    CASE state WHEN 'canceled' THEN at END,
    CASE state WHEN 'completed' THEN at END,
    CASE state WHEN 'erased' THEN at END
FROM claim
ON CONFLICT (job_id, run) DO UPDATE SET
    state = CASE WHEN excluded.rank > r.rank THEN excluded.state ELSE r.state END,
    rank = greatest(r.rank, excluded.rank),
    reason = CASE
        WHEN excluded.rank > r.rank THEN excluded.reason
        WHEN excluded.rank < r.rank THEN r.reason
        ELSE least(r.reason COLLATE "C", excluded.reason) END,
    details = CASE
        WHEN excluded.rank > r.rank THEN excluded.details
        WHEN excluded.rank < r.rank THEN r.details
        ELSE least(r.details, excluded.details) END,
    priority = coalesce(r.priority, excluded.priority),
    requested_language = coalesce(r.requested_language, excluded.requested_language),
    announced_sha256 = coalesce(r.announced_sha256, excluded.announced_sha256),
    turns = coalesce(r.turns, excluded.turns),
    queued_at = least(r.queued_at, excluded.queued_at),
    transcribing_at = least(r.transcribing_at, excluded.transcribing_at),
    transcribed_at = least(r.transcribed_at, excluded.transcribed_at),
    failed_at = least(r.failed_at, excluded.failed_at),
    canceled_at = least(r.canceled_at, excluded.canceled_at),
    completed_at = least(r.completed_at, excluded.completed_at),
    erased_at = least(r.erased_at, excluded.erased_at)

-- name: keep_result
WITH result AS (
    INSERT INTO ledger.results (
        job_id, run, language, channel_mode, channels, duration_ms, speech_ms, words, confidence, partial, warnings,
        engine, model, model_sha256, transcript_key, transcript_sha256, transcript_size_bytes)
    VALUES (
        %(job_id)s, %(run)s, %(language)s, %(channel_mode)s, %(channels)s, %(duration_ms)s, %(speech_ms)s, %(words)s,
        %(confidence)s, %(partial)s, %(warnings)s, %(engine)s, %(model)s, %(model_sha256)s, %(transcript_key)s,
        %(transcript_sha256)s, %(transcript_size_bytes)s)
    ON CONFLICT (job_id, run) DO NOTHING
    RETURNING job_id, run
), timed AS (
    INSERT INTO ledger.timings (job_id, run, queue_wait_ms, decode_ms, vad_ms, engine_ms)
    SELECT job_id, run, %(queue_wait_ms)s, %(decode_ms)s, %(vad_ms)s, %(engine_ms)s FROM result
)
INSERT INTO ledger.artefacts (job_id, run, format, key, sha256, size_bytes)
SELECT result.job_id, result.run, made.*
FROM result, unnest(%(formats)s::text[], %(keys)s::text[], %(sha256s)s::text[], %(sizes_bytes)s::bigint[]) AS made
ON CONFLICT (job_id, run, format) DO NOTHING

-- name: post_usage
WITH entry (job_id, run, kind, client_id, period, accepted_at, duration_ms) AS (
    VALUES (
        %(job_id)s, %(run)s::integer, %(kind)s, %(client_id)s, %(period)s::date, %(accepted_at)s::timestamptz,
        %(duration_ms)s::bigint)
), priced AS (
    SELECT entry.*,
        coalesce(round(entry.duration_ms * price.per_minute / 60000, 6), 0) AS amount,
        coalesce(price.currency, 'XXX') AS currency
    FROM entry LEFT JOIN LATERAL (
        SELECT per_minute, currency FROM ledger.prices
        WHERE prices.kind = entry.kind AND valid_from <= entry.accepted_at
            AND (prices.client_id = entry.client_id OR prices.client_id IS NULL)
        ORDER BY prices.client_id NULLS LAST, valid_from DESC
        LIMIT 1
    ) price ON true
)
INSERT INTO ledger.usage (
    job_id, run, kind, leg, client_id, period, accepted_at, duration_ms, amount, currency)
SELECT job_id, run, kind, leg, client_id, period, accepted_at, sign * duration_ms, sign * amount, currency
FROM priced, (VALUES ('client', 1), ('service', -1)) AS legs (leg, sign)
ON CONFLICT (job_id, run, kind, leg) DO NOTHING

-- name: waive_reprocess
-- The job's row in ledger.jobs is locked since merge_run, so no other run of it is posted beside us unseen.
INSERT INTO ledger.usage (
    job_id, run, kind, leg, client_id, period, accepted_at, duration_ms, amount, currency)
SELECT posted.job_id, posted.run, %(waived_kind)s, posted.leg, posted.client_id, posted.period, posted.accepted_at,
    -posted.duration_ms, -posted.amount, posted.currency
FROM ledger.usage posted
WHERE posted.job_id = %(job_id)s AND posted.kind = %(kind)s AND EXISTS (
    SELECT FROM ledger.usage earlier
    WHERE earlier.job_id = posted.job_id AND earlier.kind = posted.kind AND earlier.run < posted.run)
ON CONFLICT (job_id, run, kind, leg) DO NOTHING

-- name: order_erasure
INSERT INTO ledger.erasures (job_id) VALUES (%(job_id)s) ON CONFLICT (job_id) DO NOTHING

-- name: keep_dlq_record
INSERT INTO ledger.dlq (
    topic, partition, "offset", value_sha256, recorded_at, key, value, header_names, header_values, reason,
    consumer_group, event_id, origin_topic, origin_partition, origin_offset)
VALUES (
    %(topic)s, %(partition)s, %(offset)s, %(value_sha256)s, %(recorded_at)s, %(key)s, %(value)s, %(header_names)s,
    %(header_values)s, %(reason)s, %(group)s, %(event_id)s, %(origin_topic)s, %(origin_partition)s, %(origin_offset)s)
ON CONFLICT DO NOTHING

-- name: find_letters
-- Without a limit (null) all, and counted so. What the same group put aside again is no further letter.
SELECT id AS letter_id, topic, partition, "offset", recorded_at, key, value, header_names, header_values, reason,
    consumer_group AS "group", event_id, origin_topic, origin_partition, origin_offset, replayed_at, replayed_as,
    dropped_at
FROM ledger.dlq AS letter
WHERE (%(letter_ids)s::bigint[] IS NULL OR id = ANY (%(letter_ids)s))
    AND (%(reason)s::text IS NULL OR reason = %(reason)s)
    AND (%(topic)s::text IS NULL OR topic = %(topic)s OR origin_topic = %(topic)s)
    AND (%(group)s::text IS NULL OR consumer_group = %(group)s)
    AND (%(key)s::bytea IS NULL OR key = %(key)s)
    AND (%(since)s::timestamptz IS NULL OR recorded_at >= %(since)s)
    AND (%(also_done)s OR (replayed_at IS NULL AND dropped_at IS NULL))
    AND NOT EXISTS (
        SELECT FROM ledger.dlq AS earlier
        WHERE earlier.origin_topic = letter.origin_topic AND earlier.origin_partition = letter.origin_partition
            AND earlier.origin_offset = letter.origin_offset AND earlier.consumer_group = letter.consumer_group
            AND earlier.value_sha256 = letter.value_sha256 AND earlier.id < letter.id)
ORDER BY id
LIMIT %(limit)s

-- name: mark_replayed
UPDATE ledger.dlq SET replayed_at = now(), replayed_as = %(replayed_as)s WHERE id = %(letter_id)s

-- name: mark_dropped
UPDATE ledger.dlq SET dropped_at = now()
WHERE id = ANY (%(letter_ids)s::bigint[]) AND replayed_at IS NULL AND dropped_at IS NULL
RETURNING id

-- name: log_act
-- Ingest's audit log, which ingest's migrations make and grant.
SELECT ingest.log_act_v1(%(who)s, %(act)s, NULL, %(subject)s, %(details)s)

-- name: lock_migrations
SELECT pg_advisory_lock(hashtext('razgovor ledger migrations'))

-- name: unlock_migrations
SELECT pg_advisory_unlock(hashtext('razgovor ledger migrations'))

-- name: prepare_migrations
-- CREATE SCHEMA IF NOT EXISTS asks for the right to create one even where it exists; a role without it looks first.
DO $$ BEGIN
    IF to_regnamespace('ledger') IS NULL THEN
        CREATE SCHEMA ledger;
    END IF;
    IF to_regclass('ledger.migrations') IS NULL THEN
        CREATE TABLE ledger.migrations (
            number     integer PRIMARY KEY,
            name       text NOT NULL,
            sha256     text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        );
    END IF;
END $$

-- name: applied_migrations
SELECT number, sha256 FROM ledger.migrations

-- name: record_migration
INSERT INTO ledger.migrations (number, name, sha256) VALUES (%(number)s, %(name)s, %(sha256)s)

-- name: grant_reading
-- Repeated at every start: the role may have come after the views.
DO $$ BEGIN
    IF to_regrole('razgovor_ingest') IS NOT NULL AND NOT (
        has_schema_privilege('razgovor_ingest', 'ledger', 'USAGE')
        AND has_table_privilege('razgovor_ingest', 'ledger.jobs_v1', 'SELECT')
        AND has_table_privilege('razgovor_ingest', 'ledger.artefacts_v1', 'SELECT')
        AND has_table_privilege('razgovor_ingest', 'ledger.usage_v1', 'SELECT')
        AND has_table_privilege('razgovor_ingest', 'ledger.usage_days_v1', 'SELECT')
        AND has_table_privilege('razgovor_ingest', 'ledger.erasures_v1', 'SELECT')
        AND has_table_privilege('razgovor_ingest', 'ledger.runs_v1', 'SELECT')
        AND has_function_privilege('razgovor_ingest', 'ledger.take_ends_v1(integer)', 'EXECUTE')
    ) THEN
        GRANT USAGE ON SCHEMA ledger TO razgovor_ingest;
        GRANT SELECT ON ledger.jobs_v1, ledger.artefacts_v1, ledger.usage_v1, ledger.usage_days_v1,
            ledger.erasures_v1, ledger.runs_v1 TO razgovor_ingest;
        GRANT EXECUTE ON FUNCTION ledger.take_ends_v1(integer) TO razgovor_ingest;
    END IF;
END $$

-- name: grant_auditing
-- Everything but the bytes of dead letters: nobody knows what those hold. Repeated at every start, as above.
DO $$ BEGIN
    IF to_regrole('razgovor_auditor') IS NULL
        OR has_table_privilege('razgovor_auditor', 'ledger.expiries', 'SELECT') THEN
        RETURN;
    END IF;
    GRANT USAGE ON SCHEMA ledger TO razgovor_auditor;
    GRANT SELECT ON ledger.seen, ledger.jobs, ledger.runs, ledger.results, ledger.artefacts, ledger.timings,
        ledger.prices, ledger.usage, ledger.usage_v1, ledger.expiries TO razgovor_auditor;
    GRANT SELECT (topic, partition, "offset", value_sha256, recorded_at, key, header_names, reason, consumer_group,
        event_id, origin_topic, origin_partition, origin_offset) ON ledger.dlq TO razgovor_auditor;
END $$
