"""Calls that upstream systems recorded: `call.recorded` in, jobs out. See docs/decisions/0033-recordings-that-lie-elsewhere.md.

`decision` says what an event means, `taking` copies the recording and accepts it, `refusing` keeps what was refused and says
so, `intake` runs them over the topic in ingest's process.
"""
