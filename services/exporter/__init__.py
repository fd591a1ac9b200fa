"""The exporter: one canonical transcript goes in, files for people come out.

Consumes: `transcript.ready`.
Produces: `job.status` (`completed` with all artefacts, `failed`).
Writes: `jobs/{job}/{run}/{transcript_sha256}/call.{txt,vtt,srt,json,xlsx}`, through the `PutObject` effects of its outcomes.
Never: touches a database, changes or deletes an object, swallows an event that it has seen before, guesses a speaker.

The path of a transcript: `handler` (reads, checks its hash) -> `formats.FORMATS` (pure functions, the same transcript
gives the same bytes) -> effects and one `completed`. `formats.xlsx_calls` serves `razgovor transcribe`: one workbook over
many calls.
"""
