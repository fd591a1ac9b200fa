"""`razgovor transcriber tune`: the settings that this machine is fastest with at no cost in words, and what it carries then.

`plan` says what is tried, `search` decides (pure), `measuring` runs the real front end and engine, `storing` weighs what
comes of them, `waiting` asks what waits, `carrying` reckons calls a month, `tables` shows.
"""
