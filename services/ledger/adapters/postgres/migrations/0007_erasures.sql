-- Jobs that were erased: what the janitor has to delete, and the receipt of what it did.

CREATE TABLE ledger.erasures (
    job_id     text PRIMARY KEY,
    ordered_at timestamptz NOT NULL DEFAULT clock_timestamp(),  -- when the ledger heard of it
    due_at     timestamptz NOT NULL DEFAULT clock_timestamp(),  -- of the next look at what came late
    sweeps     integer NOT NULL DEFAULT 0,
    objects    bigint NOT NULL DEFAULT 0,                       -- deleted so far
    erased_at  timestamptz,                                     -- the first time that nothing was left
    closed_at  timestamptz                                      -- it is looked at no more
) WITH (fillfactor = 70);
CREATE INDEX erasures_due ON ledger.erasures (due_at) WHERE closed_at IS NULL;

-- What the release before recorded and could not act on.
INSERT INTO ledger.erasures (job_id)
SELECT DISTINCT job_id FROM ledger.runs WHERE state = 'erased';

CREATE VIEW ledger.erasures_v1 AS
SELECT job_id, ordered_at, erased_at, objects FROM ledger.erasures;
