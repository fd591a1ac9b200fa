-- What watchers have seen; see `watching.ports`.

-- name: fetch_seen
SELECT path_sha256, state, size_bytes, modified_ns, sidecar_size_bytes, sidecar_modified_ns, reason, audio_sha256, job_id,
    coalesce(retry_at <= now(), false) AS due
FROM ingest.watched_files
WHERE client_id = %(client_id)s AND watcher = %(watcher)s AND path_sha256 = ANY(%(paths)s::bytea[])

-- name: mark_file
INSERT INTO ingest.watched_files (
    client_id, watcher, path_sha256, path, size_bytes, modified_ns, sidecar_size_bytes, sidecar_modified_ns, state,
    audio_sha256, job_id, reason, detail, retry_at
) VALUES (
    %(client_id)s, %(watcher)s, %(path_sha256)s, %(path)s, %(size_bytes)s, %(modified_ns)s, %(sidecar_size_bytes)s,
    %(sidecar_modified_ns)s, %(state)s, %(audio_sha256)s, %(job_id)s, %(reason)s, %(detail)s,
    now() + make_interval(secs => %(retry_after_s)s)
)
ON CONFLICT (client_id, watcher, path_sha256) DO UPDATE SET
    path = excluded.path, size_bytes = excluded.size_bytes, modified_ns = excluded.modified_ns,
    sidecar_size_bytes = excluded.sidecar_size_bytes, sidecar_modified_ns = excluded.sidecar_modified_ns,
    state = excluded.state, audio_sha256 = excluded.audio_sha256, job_id = excluded.job_id, reason = excluded.reason,
    detail = excluded.detail, retry_at = excluded.retry_at, seen_at = now()

-- name: list_refused
SELECT watcher, client_id, path, size_bytes, reason, detail, seen_at, retry_at
FROM ingest.watched_files
WHERE state <> 'taken' AND (%(watcher)s::text IS NULL OR watcher = %(watcher)s)
ORDER BY seen_at DESC, path_sha256
LIMIT %(limit)s

-- name: forget_refused
DELETE FROM ingest.watched_files
WHERE watcher = %(watcher)s AND state <> 'taken' AND (%(reason)s::text IS NULL OR reason = %(reason)s)

-- name: forget_path
UPDATE ingest.watched_files SET path = NULL WHERE job_id = %(job_id)s

-- name: take_turn
-- Held by the session, because a look lasts: gone with it, whatever becomes of us.
SELECT pg_try_advisory_lock(hashtextextended('razgovor.ingest.watch ' || %(client_id)s || ' ' || %(watcher)s, 0)) AS taken

-- name: give_turn
SELECT pg_advisory_unlock(hashtextextended('razgovor.ingest.watch ' || %(client_id)s || ' ' || %(watcher)s, 0))

-- name: note_look
INSERT INTO ingest.watchers (client_id, watcher, looked_at, found, waiting, fault)
VALUES (%(client_id)s, %(watcher)s, now(), %(found)s, %(waiting)s, %(fault)s)
ON CONFLICT (client_id, watcher) DO UPDATE SET
    looked_at = now(), found = excluded.found, waiting = excluded.waiting, fault = excluded.fault

-- name: list_watchers
SELECT w.watcher, w.client_id, w.looked_at, w.found, w.waiting, w.fault,
    count(f.state) FILTER (WHERE f.state = 'taken') AS taken, count(f.state) FILTER (WHERE f.state <> 'taken') AS refused
FROM ingest.watchers w LEFT JOIN ingest.watched_files f USING (client_id, watcher)
GROUP BY w.client_id, w.watcher
ORDER BY w.watcher, w.client_id
