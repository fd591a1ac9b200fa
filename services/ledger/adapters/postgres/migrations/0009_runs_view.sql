-- What runs took and how they ended, for reports over a month.

CREATE VIEW ledger.runs_v1 AS
SELECT
    j.client_id,
    j.accepted_at,
    r.job_id,
    r.run,
    r.run = j.run AS newest,
    r.state,
    r.reason,
    t.job_id IS NOT NULL AS completed,
    t.duration_ms,
    w.decode_ms,
    w.vad_ms,
    w.engine_ms
FROM ledger.runs r
JOIN ledger.jobs j USING (job_id)
LEFT JOIN ledger.results t ON t.job_id = r.job_id AND t.run = r.run
LEFT JOIN ledger.timings w ON w.job_id = r.job_id AND w.run = r.run;
