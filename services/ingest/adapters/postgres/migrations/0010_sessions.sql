-- The page: who has signed in, and links that sign in once; see docs/decisions/0036-the-page-and-its-sessions.md.

CREATE TABLE ingest.sessions (
    token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    key_id       text COLLATE "C" NOT NULL REFERENCES ingest.api_keys ON DELETE CASCADE,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz NOT NULL
);
CREATE INDEX sessions_by_key ON ingest.sessions (key_id, created_at);
CREATE INDEX sessions_by_end ON ingest.sessions (expires_at);

CREATE TABLE ingest.sign_in_links (
    token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    key_id       text COLLATE "C" NOT NULL REFERENCES ingest.api_keys ON DELETE CASCADE,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX sign_in_links_by_end ON ingest.sign_in_links (expires_at);
