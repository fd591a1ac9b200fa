"""The transcriber: a recording goes in, one canonical transcript comes out.

Consumes: `audio.uploaded`.
Produces: `transcript.ready`; `job.status` (`transcribing`, `failed`).
Writes: `jobs/{job}/{run}/{transcript_sha256}/transcript.json`, through the `PutObject` effects of its outcomes.
Never: touches a database, changes or deletes an object, guesses a role, computes in the process that owns the consumer.

The path of a call: `handler` -> `ports.FrontEnd` (decode, speech, crosstalk, windows) -> `ports.Engine` (words)
-> `domain.result` (turns, filters, transcript).
"""
