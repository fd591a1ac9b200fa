-- Usage by days of UTC, kept as sums: a quota is looked at before every upload, and must not read a month of entries.

-- A row for each session that writes, so that ledgers side by side never wait for each other's sums.
CREATE TABLE ledger.usage_days (
    client_id text NOT NULL,
    day       date NOT NULL,             -- of accepted_at, in UTC
    writer    integer NOT NULL,
    calls     bigint NOT NULL,
    billed_ms numeric NOT NULL,
    PRIMARY KEY (client_id, day, writer)
) WITH (fillfactor = 50);

CREATE FUNCTION ledger.add_to_days() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO ledger.usage_days AS d (client_id, day, writer, calls, billed_ms)
    SELECT client_id, (accepted_at AT TIME ZONE 'UTC')::date, pg_backend_pid(),
        count(*) - 2 * count(*) FILTER (WHERE kind = 'transcription_waived'), sum(duration_ms)
    FROM posted
    WHERE leg = 'client'
    GROUP BY client_id, (accepted_at AT TIME ZONE 'UTC')::date
    ON CONFLICT (client_id, day, writer) DO UPDATE
    SET calls = d.calls + excluded.calls, billed_ms = d.billed_ms + excluded.billed_ms;
    RETURN NULL;
END $$;
-- Made before the sums are taken: it locks out whoever posts meanwhile.
CREATE TRIGGER summed AFTER INSERT ON ledger.usage REFERENCING NEW TABLE AS posted
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.add_to_days();

INSERT INTO ledger.usage_days (client_id, day, writer, calls, billed_ms)
SELECT client_id, (accepted_at AT TIME ZONE 'UTC')::date, 0,
    count(*) - 2 * count(*) FILTER (WHERE kind = 'transcription_waived'), sum(duration_ms)
FROM ledger.usage
WHERE leg = 'client'
GROUP BY client_id, (accepted_at AT TIME ZONE 'UTC')::date;

CREATE VIEW ledger.usage_days_v1 AS
SELECT client_id, day, sum(calls)::bigint AS calls, least(sum(billed_ms), 9223372036854775807)::bigint AS billed_ms
FROM ledger.usage_days
GROUP BY client_id, day;
