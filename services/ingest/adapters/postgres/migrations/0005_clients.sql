-- What a client may use, how long what is its own is kept, whom to tell; keys that end by themselves.
-- Whoever runs the release before reads none of it: the defaults are what that one does.

ALTER TABLE ingest.clients
    ADD COLUMN languages                 text[] NOT NULL DEFAULT '{}',  -- those that `auto` chooses from; empty: all
    ADD COLUMN glossary_id               text,
    ADD COLUMN audio_retention_days      integer CHECK (audio_retention_days >= 1),       -- null, as everywhere below: no limit
    ADD COLUMN transcript_retention_days integer CHECK (transcript_retention_days >= 1),
    ADD COLUMN daily_minutes             integer CHECK (daily_minutes >= 1),              -- of audio, by days of UTC
    ADD COLUMN monthly_minutes           integer CHECK (monthly_minutes >= 1),
    ADD COLUMN concurrent_jobs           integer CHECK (concurrent_jobs >= 1),
    ADD COLUMN requests_per_minute       integer CHECK (requests_per_minute >= 1),
    ADD COLUMN priority_ceiling          text NOT NULL DEFAULT 'interactive'
        CHECK (priority_ceiling IN ('interactive', 'normal', 'bulk')),
    ADD COLUMN webhook_url               text,
    ADD COLUMN webhook_secrets           text[] NOT NULL DEFAULT '{}' CHECK (cardinality(webhook_secrets) <= 2), -- the newest first
    ADD COLUMN changed_at                timestamptz NOT NULL DEFAULT now();

ALTER TABLE ingest.api_keys ADD COLUMN expires_at timestamptz;
CREATE INDEX api_keys_by_client ON ingest.api_keys (client_id, created_at, key_id);
