-- What was used in a month; see `usage`. The month is [month, next month) of UTC, by the acceptance.

-- name: fetch_billed
SELECT client_id, calls, billed_ms FROM ledger.usage_v1
WHERE period = %(month)s AND (%(client_id)s::text IS NULL OR client_id = %(client_id)s)

-- name: fetch_work
SELECT client_id, least(sum(duration_ms), 9223372036854775807)::bigint AS audio_ms,
    least(sum(engine_ms), 9223372036854775807)::bigint AS engine_ms
FROM ledger.runs_v1
WHERE completed AND accepted_at >= %(since)s AND accepted_at < %(before)s
    AND (%(client_id)s::text IS NULL OR client_id = %(client_id)s)
GROUP BY client_id

-- name: fetch_failures
SELECT client_id, reason, count(*) AS jobs
FROM ledger.runs_v1
WHERE newest AND state = 'failed' AND reason IS NOT NULL AND accepted_at >= %(since)s AND accepted_at < %(before)s
    AND (%(client_id)s::text IS NULL OR client_id = %(client_id)s)
GROUP BY client_id, reason
ORDER BY client_id, jobs DESC, reason
