-- The record: every event once, jobs and their runs, what came out of them. `migrator` made the schema.
-- Ids have the database's own collation: a column with another one could not be joined to ingest's tables.
-- No CHECK stands on what events say: the ledger must not stop for ever on something it can decode.

CREATE TABLE ledger.seen (
    event_id    text PRIMARY KEY,
    job_id      text NOT NULL,
    run         integer NOT NULL,
    state       text,                      -- what the event claims, raw; null: a kind of event that was not known
    counted     boolean NOT NULL,          -- false: the claim was not known, so it changed nothing else
    topic       text NOT NULL,
    partition   integer NOT NULL,          -- where the record lay that was applied, so that loss can be counted
    "offset"    bigint NOT NULL,
    recorded_at timestamptz NOT NULL,      -- the record's own timestamp
    applied_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Which run a job is in. One row is one call of one client.
CREATE TABLE ledger.jobs (
    job_id      text PRIMARY KEY,
    run         integer NOT NULL,          -- the highest run heard of
    client_id   text NOT NULL,
    call_id     text NOT NULL,
    accepted_at timestamptz NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX jobs_by_client ON ledger.jobs (client_id, accepted_at, job_id);

-- What was claimed of a run. State, reason and details are those of the strongest claim; a time is the earliest said.
CREATE TABLE ledger.runs (
    job_id             text NOT NULL,
    run                integer NOT NULL,
    state              text NOT NULL,
    rank               integer NOT NULL,
    reason             text,
    details            jsonb,
    priority           text,             -- of audio.uploaded, as is requested_language
    requested_language text,
    announced_sha256   text,             -- of the transcript that transcript.ready announced, as is turns
    turns              integer,
    queued_at          timestamptz,
    transcribing_at    timestamptz,
    transcribed_at     timestamptz,
    failed_at          timestamptz,
    canceled_at        timestamptz,
    completed_at       timestamptz,
    erased_at          timestamptz,
    PRIMARY KEY (job_id, run)
) WITH (fillfactor = 70);

-- The result of a run, from its one completed event. Never updated.
CREATE TABLE ledger.results (
    job_id                text NOT NULL,
    run                   integer NOT NULL,
    language              text NOT NULL,
    channel_mode          text NOT NULL,
    channels              integer NOT NULL,
    duration_ms           bigint NOT NULL,
    speech_ms             bigint NOT NULL,
    words                 integer NOT NULL,
    confidence            double precision,
    partial               boolean NOT NULL,
    warnings              text[] NOT NULL,
    engine                text NOT NULL,
    model                 text NOT NULL,
    model_sha256          text NOT NULL,
    transcript_key        text NOT NULL,
    transcript_sha256     text NOT NULL,
    transcript_size_bytes bigint NOT NULL,
    PRIMARY KEY (job_id, run)
);

CREATE TABLE ledger.artefacts (
    job_id     text NOT NULL,
    run        integer NOT NULL,
    format     text NOT NULL,
    key        text NOT NULL,
    sha256     text NOT NULL,
    size_bytes bigint NOT NULL,
    PRIMARY KEY (job_id, run, format)
);

-- What the time of a run went to, by the worker's clock.
CREATE TABLE ledger.timings (
    job_id        text NOT NULL,
    run           integer NOT NULL,
    queue_wait_ms bigint NOT NULL,
    decode_ms     bigint NOT NULL,
    vad_ms        bigint NOT NULL,
    engine_ms     bigint NOT NULL,
    PRIMARY KEY (job_id, run)
);

-- Records of the DLQ topics, byte for byte. The hash is part of the key: a broker that was wiped gives offsets anew.
CREATE TABLE ledger.dlq (
    topic            text NOT NULL,
    partition        integer NOT NULL,
    "offset"         bigint NOT NULL,
    value_sha256     text NOT NULL,
    recorded_at      timestamptz NOT NULL,
    key              bytea,
    value            bytea,
    header_names     text[] NOT NULL,
    header_values    bytea[] NOT NULL,     -- in the order of header_names
    reason           text,
    consumer_group   text,
    event_id         text,
    origin_topic     text,
    origin_partition integer,
    origin_offset    bigint,
    PRIMARY KEY (topic, partition, "offset", value_sha256)
);
