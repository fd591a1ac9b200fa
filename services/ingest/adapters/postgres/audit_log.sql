-- The audit log; see `audit_log`.

-- name: log_act
SELECT ingest.log_act_v1(%(who)s, %(act)s, %(client_id)s, %(subject)s, %(details)s)

-- name: fetch_entries
SELECT entry_id, at, who, act, client_id, subject, details, sha256
FROM ingest.audit_log
WHERE (%(client_id)s::text IS NULL OR client_id = %(client_id)s)
    AND (%(act)s::text IS NULL OR act = %(act)s)
    AND (%(since)s::timestamptz IS NULL OR at >= %(since)s)
ORDER BY entry_id DESC
LIMIT %(limit)s

-- name: find_broken
SELECT min(entry_id) AS entry_id
FROM (
    SELECT entry_id, sha256, entry, row_number() OVER in_order AS nth, lag(sha256, 1, ''::bytea) OVER in_order AS before
    FROM ingest.audit_log AS entry
    WINDOW in_order AS (ORDER BY entry_id)
) link
WHERE entry_id <> nth OR sha256 <> ingest.act_sha256(before, entry)
