"""What an operator does with dead letters: look at them, have them done again, drop them, put the fuse back in.

`replaying` decides and acts; `access` reaches what it needs; `tables` shows. `razgovor.commands.dlq` is the command line.
"""
