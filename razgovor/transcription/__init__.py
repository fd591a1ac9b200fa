"""`razgovor transcribe`: one's own recordings through the one-machine stack, and what came of them.

`recordings` finds the files, `session` carries them through, `summary` remembers, `tables` shows; `demo` stands on it.
"""
