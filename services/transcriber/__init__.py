"""The transcriber: a recording goes in, one canonical transcript comes out.

Consumes: `audio.uploaded`, `audio.uploaded.retry`.
Produces: `transcript.ready`; `job.status` (`transcribing`, `failed`); `audio.uploaded.retry`.
Writes: `jobs/{job}/{run}/{transcript_sha256}/transcript.json`, through the `PutObject` effects of its outcomes;
`jobs/{job}/{run}/start-{n}` and what becomes of it, by `intake`.
Never: touches a database, changes or deletes an object, guesses a role, computes in the process that owns the consumer.

The path of a call: `intake` (takes it on) -> `handler` -> `ports.FrontEnd` (decode, speech, crosstalk, windows)
-> `ports.Engine` (words) -> `domain.result` (turns, filters, transcript).
"""
