"""The live board: what goes through the topics now. A view to be thrown away: it bills nothing, limits nothing, decides nothing.

Consumes: audio.uploaded, transcript.ready, job.status, from their beginning, in a group of its own for every start.
Produces: nothing. Writes: nothing.
Never: speaks for the record. What it says is gone with it, and what it missed it never says; the ledger knows.

`counting` counts and is pure; `app` is the only door to faust; `__main__` shows what it counts as JSON lines.
"""
