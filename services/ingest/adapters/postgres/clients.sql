-- Clients and their keys; see `clients`.

-- name: find_key
SELECT k.key_id, k.secret_sha256, k.scopes,
       k.revoked_at IS NOT NULL OR coalesce(k.expires_at <= now(), false) AS revoked, c.*
FROM ingest.api_keys k JOIN ingest.clients c USING (client_id)
WHERE k.key_id = %(key_id)s

-- name: add_client
INSERT INTO ingest.clients (
    client_id, name, channel_map, language, languages, locale, formats, glossary_id, audio_retention_days,
    transcript_retention_days, daily_minutes, monthly_minutes, concurrent_jobs, requests_per_minute, priority_ceiling,
    webhook_url, sources
) VALUES (
    %(client_id)s, %(name)s, %(channel_map)s, %(language)s, %(languages)s, %(locale)s, %(formats)s, %(glossary_id)s,
    %(audio_retention_days)s, %(transcript_retention_days)s, %(daily_minutes)s, %(monthly_minutes)s,
    %(concurrent_jobs)s, %(requests_per_minute)s, %(priority_ceiling)s, %(webhook_url)s, %(sources)s
)
ON CONFLICT (client_id) DO NOTHING

-- name: change_client
UPDATE ingest.clients SET
    name = %(name)s, channel_map = %(channel_map)s, language = %(language)s, languages = %(languages)s,
    locale = %(locale)s, formats = %(formats)s, glossary_id = %(glossary_id)s,
    audio_retention_days = %(audio_retention_days)s, transcript_retention_days = %(transcript_retention_days)s,
    daily_minutes = %(daily_minutes)s, monthly_minutes = %(monthly_minutes)s, concurrent_jobs = %(concurrent_jobs)s,
    requests_per_minute = %(requests_per_minute)s, priority_ceiling = %(priority_ceiling)s,
    webhook_url = %(webhook_url)s, sources = %(sources)s, changed_at = now()
WHERE client_id = %(client_id)s

-- name: fetch_client
SELECT * FROM ingest.clients WHERE client_id = %(client_id)s

-- name: lock_client
SELECT * FROM ingest.clients WHERE client_id = %(client_id)s FOR NO KEY UPDATE

-- name: fetch_clients
SELECT * FROM ingest.clients ORDER BY client_id

-- name: add_key
INSERT INTO ingest.api_keys (key_id, client_id, secret_sha256, scopes, expires_at)
VALUES (%(key_id)s, %(client_id)s, %(secret_sha256)s, %(scopes)s, now() + %(lasts)s)

-- name: end_key
-- Only one that still works, and never later than it would have ended anyway.
UPDATE ingest.api_keys SET expires_at = least(expires_at, now() + %(overlap)s)
WHERE key_id = %(key_id)s AND revoked_at IS NULL AND coalesce(expires_at > now(), true)
RETURNING client_id, scopes

-- name: revoke_key
UPDATE ingest.api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE key_id = %(key_id)s
RETURNING client_id

-- name: fetch_keys
SELECT key_id, client_id, scopes, created_at, expires_at, revoked_at
FROM ingest.api_keys
WHERE %(client_id)s::text IS NULL OR client_id = %(client_id)s
ORDER BY client_id, created_at, key_id
