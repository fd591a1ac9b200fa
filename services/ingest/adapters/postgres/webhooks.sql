-- Webhooks; see `webhooks.deliveries`.

-- name: take_ends
SELECT job_id, run, state FROM ledger.take_ends_v1(%(limit)s)

-- name: add_deliveries
-- A statement of its own, so that its snapshot holds what the notes tell of. A run that was done again since is old news.
INSERT INTO ingest.webhook_deliveries (webhook_id, client_id, job_id, run, state, reason, expires_at)
SELECT ended.webhook_id, s.client_id, ended.job_id, ended.run, ended.state,
    CASE WHEN ended.state = j.state THEN j.reason END, now() + %(lasts)s
FROM unnest(%(webhook_ids)s::text[], %(job_ids)s::text[], %(runs)s::integer[], %(states)s::text[])
    AS ended (webhook_id, job_id, run, state)
JOIN ingest.submissions s ON s.job_id = ended.job_id COLLATE "C"
JOIN ingest.clients c ON c.client_id = s.client_id AND c.webhook_url IS NOT NULL
CROSS JOIN LATERAL (SELECT run, state, reason FROM ledger.jobs_v1 WHERE job_id = ended.job_id OFFSET 0) j
WHERE j.run = ended.run
ON CONFLICT (webhook_id) DO NOTHING

-- name: claim
UPDATE ingest.webhook_deliveries d
SET claimed = true, due_at = now() + %(lease)s, attempts = d.attempts + 1, attempted_at = now()
FROM (
    SELECT of_client.webhook_id, c.webhook_url, c.webhook_secrets
    FROM ingest.clients c
    CROSS JOIN LATERAL (
        SELECT w.webhook_id, w.due_at FROM ingest.webhook_deliveries w
        WHERE w.client_id = c.client_id AND w.status = 'pending' AND w.due_at <= now()
        ORDER BY w.due_at
        LIMIT %(each)s
        FOR UPDATE SKIP LOCKED
    ) of_client
    WHERE c.client_id <> ALL (%(busy)s::text[])
    ORDER BY of_client.due_at
    LIMIT %(limit)s
) due
WHERE d.webhook_id = due.webhook_id
RETURNING d.*, due.webhook_url, due.webhook_secrets,
    extract(epoch FROM d.expires_at - now())::double precision AS left_s

-- name: mark
UPDATE ingest.webhook_deliveries
SET claimed = false, status = %(status)s, due_at = now() + %(pause_s)s * interval '1 second',
    status_code = %(status_code)s, fault = %(fault)s, settled_at = CASE WHEN %(status)s <> 'pending' THEN now() END
WHERE webhook_id = %(webhook_id)s AND claimed AND attempts = %(claim)s

-- name: prune
DELETE FROM ingest.webhook_deliveries WHERE settled_at < now() - %(kept)s

-- name: fetch_page
SELECT w.* FROM ingest.webhook_deliveries w
LEFT JOIN ingest.webhook_deliveries last ON last.webhook_id = %(after)s
WHERE (%(client_id)s::text IS NULL OR w.client_id = %(client_id)s)
    AND (%(status)s::text IS NULL OR w.status = %(status)s)
    AND (%(after)s::text IS NULL OR (w.created_at, w.webhook_id) < (last.created_at, last.webhook_id))
ORDER BY w.created_at DESC, w.webhook_id DESC
LIMIT %(limit)s

-- name: fetch_one
SELECT * FROM ingest.webhook_deliveries
WHERE webhook_id = %(webhook_id)s AND (%(client_id)s::text IS NULL OR client_id = %(client_id)s)

-- name: replay
-- What is being tried this moment is left alone.
UPDATE ingest.webhook_deliveries
SET status = 'pending', due_at = now(), settled_at = NULL, attempts_before = attempts, expires_at = now() + %(lasts)s
WHERE webhook_id = %(webhook_id)s AND (%(client_id)s::text IS NULL OR client_id = %(client_id)s)
    AND NOT (status = 'pending' AND claimed AND due_at > now())

-- name: add_test
INSERT INTO ingest.webhook_deliveries (webhook_id, client_id, expires_at)
SELECT %(webhook_id)s, client_id, now() + %(lasts)s FROM ingest.clients
WHERE client_id = %(client_id)s AND webhook_url IS NOT NULL
RETURNING *

-- name: rotate
UPDATE ingest.clients SET webhook_secrets = (array_prepend(%(secret)s::text, webhook_secrets))[1:%(most)s], changed_at = now()
WHERE client_id = %(client_id)s

-- name: retire
UPDATE ingest.clients SET webhook_secrets = webhook_secrets[1:1], changed_at = now() WHERE client_id = %(client_id)s
