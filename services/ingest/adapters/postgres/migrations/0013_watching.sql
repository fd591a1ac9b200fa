-- What watchers have seen, for ever; see docs/decisions/0034-watching.md.

CREATE TABLE ingest.watched_files (
    client_id           text COLLATE "C" NOT NULL REFERENCES ingest.clients,
    watcher             text COLLATE "C" NOT NULL,
    path_sha256         bytea NOT NULL,            -- of the path's bytes: it is known for ever, the path is not
    path                text,                      -- names people; NULL once the job was erased
    size_bytes          bigint NOT NULL,
    modified_ns         bigint NOT NULL,           -- the source's clock
    sidecar_size_bytes  bigint,
    sidecar_modified_ns bigint,
    state               text NOT NULL CHECK (state IN ('taken', 'refused', 'deferred')),
    audio_sha256        text,
    job_id              text COLLATE "C",
    reason              text,
    detail              text,
    retry_at            timestamptz,               -- of a deferred file
    seen_at             timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_id, watcher, path_sha256),
    CHECK ((state = 'taken') = (job_id IS NOT NULL)),
    CHECK ((state = 'taken') = (reason IS NULL))
);
CREATE INDEX watched_files_not_taken ON ingest.watched_files (seen_at DESC) WHERE state <> 'taken';
CREATE INDEX watched_files_by_job ON ingest.watched_files (job_id) WHERE job_id IS NOT NULL;

CREATE TABLE ingest.watchers (
    client_id    text COLLATE "C" NOT NULL REFERENCES ingest.clients,
    watcher      text COLLATE "C" NOT NULL,
    looked_at    timestamptz,
    found        integer NOT NULL DEFAULT 0,
    waiting      integer NOT NULL DEFAULT 0,
    fault        text,
    PRIMARY KEY (client_id, watcher)
);

ALTER TABLE ingest.watched_files ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_client ON ingest.watched_files USING (
    CASE coalesce(current_setting('razgovor.client_id', true), '*')
        WHEN '*' THEN true WHEN client_id THEN true ELSE false END
);

ALTER TABLE ingest.watchers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_client ON ingest.watchers USING (
    CASE coalesce(current_setting('razgovor.client_id', true), '*')
        WHEN '*' THEN true WHEN client_id THEN true ELSE false END
);
