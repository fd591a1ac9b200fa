"""ingest: the door. Takes recordings over REST, says what became of them, announces them.

Consumes: HTTP. Reads the ledger's views `ledger.jobs_v1` and `ledger.artefacts_v1`.
Produces: `audio.uploaded`, announced by the relay out of the outbox.
Writes:   the recording and call.json to the store; the schema `ingest` (clients, keys, submissions, idempotency, outbox).
Never:    opens audio in this process, puts a name or a number into an event, a key or a log, answers 202 before its
          transaction committed, touches the schema `ledger`.
"""
