-- What became of dead letters, and a short name for each: `razgovor dlq`.

ALTER TABLE ledger.dlq
    ADD COLUMN id          bigint GENERATED ALWAYS AS IDENTITY,
    ADD COLUMN replayed_at timestamptz,
    ADD COLUMN replayed_as text,         -- `run 2`, or where its bytes lie now: topic/partition/offset
    ADD COLUMN dropped_at  timestamptz;
CREATE UNIQUE INDEX dlq_by_id ON ledger.dlq (id);
CREATE INDEX dlq_open ON ledger.dlq (id) WHERE replayed_at IS NULL AND dropped_at IS NULL;
