-- Where a reprocess is not billed, every completed run has its entry all the same, and all but the job's lowest completed
-- run have a second one of the kind `transcription_waived` that takes it back. So whatever the order in which runs are
-- heard of, the entries are the same, and a call that failed first and completed later is billed once.

CREATE OR REPLACE VIEW ledger.usage_v1 AS
SELECT
    client_id,
    period,
    count(*) - 2 * count(*) FILTER (WHERE kind = 'transcription_waived') AS calls,
    least(sum(duration_ms), 9223372036854775807)::bigint AS billed_ms
FROM ledger.usage
WHERE leg = 'client'
GROUP BY client_id, period;
