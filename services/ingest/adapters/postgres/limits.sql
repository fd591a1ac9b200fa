-- Quotas and rates; see `quotas` and `rates`.

-- name: lock_quota
-- Whoever submits for this client now waits for us; the figures are read by the next statement, so they hold what the
-- one before us did. Foreign keys do not wait.
SELECT daily_minutes, monthly_minutes, concurrent_jobs FROM ingest.clients WHERE client_id = %(client_id)s
FOR NO KEY UPDATE

-- name: measure_audio
-- One statement, so one snapshot: a job's usage is there before its reservation is closed, never the other way round.
WITH period AS (
    SELECT date_trunc('day', now(), 'UTC') AS day_began, date_trunc('month', now(), 'UTC') AS month_began
), billed AS (
    SELECT coalesce(sum(u.billed_ms) FILTER (WHERE u.day = (day_began AT TIME ZONE 'UTC')::date), 0) AS day_ms,
        coalesce(sum(u.billed_ms), 0) AS month_ms
    FROM period LEFT JOIN ledger.usage_days_v1 u
        ON u.client_id = %(client_id)s AND u.day >= (month_began AT TIME ZONE 'UTC')::date
), reserved AS (
    SELECT coalesce(sum(o.reserved_ms) FILTER (WHERE o.accepted_at >= day_began), 0) AS day_ms,
        coalesce(sum(o.reserved_ms), 0) AS month_ms
    FROM period LEFT JOIN ingest.outbox o
        ON o.client_id = %(client_id)s AND o.closed_at IS NULL AND o.accepted_at >= month_began
)
SELECT (billed.day_ms + reserved.day_ms)::bigint AS day_ms, (billed.month_ms + reserved.month_ms)::bigint AS month_ms,
    day_began + interval '1 day' AS day_ends_at,
    (month_began AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC' AS month_ends_at
FROM period, billed, reserved

-- name: take_request
-- Only if there is room; the second to ask finds what the first one left.
INSERT INTO ingest.rates AS r (client_id, used_until)
VALUES (%(client_id)s, now() + %(step_us)s * interval '1 microsecond')
ON CONFLICT (client_id) DO UPDATE
SET used_until = greatest(r.used_until, now()) + %(step_us)s * interval '1 microsecond'
WHERE greatest(r.used_until, now()) + %(step_us)s * interval '1 microsecond'
    <= now() + %(capacity_us)s * interval '1 microsecond'
RETURNING (extract(epoch FROM used_until - now()) * 1000000)::bigint AS ahead_us

-- name: look_at_rate
SELECT (extract(epoch FROM used_until - now()) * 1000000)::bigint AS ahead_us
FROM ingest.rates WHERE client_id = %(client_id)s
