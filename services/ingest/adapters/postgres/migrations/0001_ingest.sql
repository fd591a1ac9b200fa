-- Clients and their keys, what they submitted, what is to be announced. A released file never changes.

CREATE TABLE ingest.clients (
    client_id   text COLLATE "C" PRIMARY KEY,
    name        text NOT NULL,
    channel_map jsonb NOT NULL,  -- {"inbound": ["operator", "customer"], "outbound": [...], "any": [...]}
    language    text NOT NULL,
    locale      text NOT NULL,
    formats     text[] NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ingest.api_keys (
    key_id        text COLLATE "C" PRIMARY KEY,
    client_id     text COLLATE "C" NOT NULL REFERENCES ingest.clients,
    secret_sha256 bytea NOT NULL,
    scopes        text[] NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    revoked_at    timestamptz
);

CREATE TABLE ingest.submissions (
    job_id               text COLLATE "C" PRIMARY KEY,
    run                  integer NOT NULL CHECK (run >= 1),  -- the newest; only ingest starts a run
    client_id            text COLLATE "C" NOT NULL REFERENCES ingest.clients,
    call_id              text NOT NULL,
    accepted_at          timestamptz NOT NULL,
    priority             text NOT NULL,
    audio_key            text NOT NULL,
    audio_sha256         text NOT NULL,
    audio_size_bytes     bigint NOT NULL,
    media_type           text NOT NULL,
    declared_duration_ms bigint,
    sample_rate_hz       bigint,
    channels             integer,
    channel_roles        text[] NOT NULL,
    language             text NOT NULL,
    locale               text NOT NULL,
    formats              text[] NOT NULL,
    -- What names people: here and in call.json, nowhere else.
    file_name            text,
    started_at           timestamptz,
    direction            text,
    operator             text,
    customer_number      text,
    queue                text,
    metadata             jsonb NOT NULL
);
CREATE INDEX submissions_by_client ON ingest.submissions (client_id, accepted_at DESC, job_id DESC);

CREATE TABLE ingest.idempotency (
    client_id      text COLLATE "C" NOT NULL REFERENCES ingest.clients,
    key            text COLLATE "C" NOT NULL,
    request_sha256 bytea NOT NULL,
    job_id         text COLLATE "C" NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_id, key)
);

CREATE TABLE ingest.outbox (
    outbox_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,  -- the order of acceptance
    job_id        text COLLATE "C" NOT NULL REFERENCES ingest.submissions,
    run           integer NOT NULL,
    client_id     text COLLATE "C" NOT NULL,
    priority      text NOT NULL,
    event         jsonb NOT NULL,  -- the event's values; encoded when sent
    created_at    timestamptz NOT NULL DEFAULT now(),
    sent_at       timestamptz,     -- the last announcement
    announcements integer NOT NULL DEFAULT 0,
    cluster_id    text,            -- where the broker put it
    topic         text NOT NULL,
    "partition"   integer,
    "offset"      bigint,
    closed_at     timestamptz,     -- the ledger says terminal: never announced again
    UNIQUE (job_id, run),
    CHECK ((sent_at IS NULL) = (cluster_id IS NULL AND "partition" IS NULL AND "offset" IS NULL))
);
CREATE INDEX outbox_waiting ON ingest.outbox (outbox_id) WHERE sent_at IS NULL AND closed_at IS NULL;
CREATE INDEX outbox_announced ON ingest.outbox (outbox_id) WHERE sent_at IS NOT NULL AND closed_at IS NULL;
