-- Jobs whose run was called off: canceled, or erased; see docs/decisions/0032-calling-off.md.

ALTER TABLE ingest.submissions
    ADD COLUMN canceled_run integer,             -- the newest run that its client called off
    ADD COLUMN erased_at    timestamptz;         -- what names people is gone from here since then

-- What ingest has to put and to tell: the markers of a job's runs, then the event. Until the ledger's view shows it.
CREATE TABLE ingest.stops (
    job_id       text COLLATE "C" NOT NULL REFERENCES ingest.submissions,
    run          integer NOT NULL,
    state        text NOT NULL CHECK (state IN ('canceled', 'erased')),
    event        jsonb NOT NULL,                 -- the event's values; encoded when sent
    requested_at timestamptz NOT NULL DEFAULT now(),
    told_at      timestamptz,                    -- the last time
    tellings     integer NOT NULL DEFAULT 0,
    settled_at   timestamptz,                    -- the ledger's view shows it
    PRIMARY KEY (job_id, run, state)
);
CREATE INDEX stops_open ON ingest.stops (requested_at) WHERE settled_at IS NULL;
