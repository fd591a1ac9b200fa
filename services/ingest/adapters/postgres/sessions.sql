-- Sessions of the page and the links into it; see `sessions`. What is over is swept by whoever opens the next.

-- name: find_session
SELECT k.key_id, k.secret_sha256, k.scopes, false AS revoked, s.expires_at AS session_expires_at, c.*
FROM ingest.sessions s
JOIN ingest.api_keys k USING (key_id)
JOIN ingest.clients c USING (client_id)
WHERE s.token_sha256 = %(token_sha256)s AND s.expires_at > now()
  AND k.revoked_at IS NULL AND coalesce(k.expires_at > now(), true)

-- name: sweep_sessions
DELETE FROM ingest.sessions WHERE expires_at <= now()

-- name: crowd_out_sessions
DELETE FROM ingest.sessions WHERE token_sha256 IN (
    SELECT token_sha256 FROM ingest.sessions WHERE key_id = %(key_id)s
    ORDER BY created_at DESC, token_sha256 OFFSET %(others)s
)

-- name: open_session
INSERT INTO ingest.sessions (token_sha256, key_id, expires_at)
VALUES (%(token_sha256)s, %(key_id)s, now() + %(lasts)s)

-- name: fetch_owner
SELECT client_id FROM ingest.api_keys WHERE key_id = %(key_id)s

-- name: close_session
DELETE FROM ingest.sessions WHERE token_sha256 = %(token_sha256)s

-- name: sweep_links
DELETE FROM ingest.sign_in_links WHERE expires_at <= now()

-- name: add_link
INSERT INTO ingest.sign_in_links (token_sha256, key_id, expires_at)
SELECT %(token_sha256)s, key_id, now() + %(lasts)s FROM ingest.api_keys
WHERE key_id = %(key_id)s AND revoked_at IS NULL AND coalesce(expires_at > now(), true)

-- name: use_link
DELETE FROM ingest.sign_in_links l USING ingest.api_keys k
WHERE l.token_sha256 = %(token_sha256)s AND k.key_id = l.key_id
RETURNING l.key_id,
    l.expires_at > now() AND k.revoked_at IS NULL AND coalesce(k.expires_at > now(), true) AS works
