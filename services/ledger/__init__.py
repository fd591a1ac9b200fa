"""The ledger: the record of every job, its artefacts, its usage and its timings, in PostgreSQL.

Consumes: audio.uploaded, transcript.ready, job.status, and the dead letters of the three.
Produces: no job event, ever; only its own undecodable records go to a DLQ.
Writes: PostgreSQL, schema `ledger`; ingest reads the views `jobs_v1`, `artefacts_v1`, `usage_v1`, `usage_days_v1`,
`erasures_v1` and `runs_v1`, and takes notes of ends. In the store its fuse's marker; the `janitor` deletes orphans, once ingest's `fence_v1` has fenced them,
the `eraser` what was erased, and the `expirer` what its client agreed to keep no longer.
Never: puts aside what it can decode. It waits for PostgreSQL (Transient) or it stops (Fatal).

The data path: `batch` decodes a batch -> `handler` says what each event means, as `effects` -> `adapters.postgres`
merges them, at most 500 events a transaction. The order in which events arrive does not matter:

- The state of a run is the strongest claim made about it (`pipeline.contracts.states`), times are the earliest said,
  and every other fact has exactly one event that says it. The job is its highest run.
- An event id counts once for ever (`ledger.seen`). When two records carry one id (an event announced again, a zombie's
  second result), the first one applied counts and the later one changes nothing, whatever it says.
"""
