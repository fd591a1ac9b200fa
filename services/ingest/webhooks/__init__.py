"""Tells clients of ends of their jobs, by Standard Webhooks: a thin body, signed, again until it is taken or a day is over.

The ledger leaves a note of each end with the record itself; `deliverer` collects these, so whoever is told and asks at once
is answered. See docs/decisions/0035-webhooks.md.
"""
