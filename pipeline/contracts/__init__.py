"""What the services say to each other: events, topics, keys, states, reasons, documents.

Data lies in `schemas/`; this package reads and guards it. It does no I/O beyond its own package data.
"""
