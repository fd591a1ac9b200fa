-- Usage: append-only, two legs an entry, integer milliseconds and NUMERIC money. Corrections are further entries.

-- What a minute costs. Without a price usage is counted and the amount is 0. The client's own price beats the general one.
CREATE TABLE ledger.prices (
    kind       text NOT NULL,
    client_id  text,                         -- null: for everybody
    valid_from timestamptz NOT NULL,
    per_minute numeric NOT NULL CHECK (per_minute >= 0),
    currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    UNIQUE NULLS NOT DISTINCT (kind, client_id, valid_from)
);

-- An entry is (job_id, run, kind); its legs are `client` (what the client used) and `service` (the same, negative).
CREATE TABLE ledger.usage (
    job_id      text NOT NULL,
    run         integer NOT NULL,
    kind        text NOT NULL,
    leg         text NOT NULL CHECK (leg IN ('client', 'service')),
    client_id   text NOT NULL,
    period      date NOT NULL,             -- first day of accepted_at's month in UTC
    accepted_at timestamptz NOT NULL,
    duration_ms bigint NOT NULL,
    amount      numeric NOT NULL,
    currency    text NOT NULL, -- XXX: no price
    posted_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (job_id, run, kind, leg)
);
CREATE INDEX usage_by_client ON ledger.usage (client_id, period) INCLUDE (duration_ms) WHERE leg = 'client';

CREATE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger.usage is append-only: post a correcting entry' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.usage
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- Both legs of an entry are posted by one statement, and sum to zero.
CREATE FUNCTION ledger.require_balance() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM posted GROUP BY job_id, run, kind
        HAVING count(*) <> 2 OR sum(duration_ms) <> 0 OR sum(amount) <> 0 OR count(DISTINCT currency) <> 1
    ) THEN
        RAISE EXCEPTION 'an entry of ledger.usage does not balance' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER balanced AFTER INSERT ON ledger.usage REFERENCING NEW TABLE AS posted
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.require_balance();
