"""ingest: the door. Takes recordings over REST and calls of upstream systems, says what became of them, announces them.

Consumes: HTTP; `call.recorded`, where it is told to. Reads the ledger's views `jobs_v1`, `artefacts_v1`, `usage_v1`, `usage_days_v1`, `runs_v1`
          and `erasures_v1`, and takes its notes of ends.
Produces: `audio.uploaded`, announced by the relay out of the outbox; `job.status` canceled and erased, by the stopper, and
          failed, of calls that it refuses; webhooks.
Writes:   the recording, call.json and the markers of runs that are called off to the store; the schema `ingest` (clients,
          keys, rates, submissions, idempotency, outbox, stops, webhook deliveries).
Never:    opens audio in this process, puts a name or a number into an event, a key or a log, answers 202 before its
          transaction committed, touches the schema `ledger`.
"""
