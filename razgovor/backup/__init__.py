"""Backup and restore of a one-machine stack, while it runs: the database first, then the store.

That order makes it whole: an object is put before a row names it and never changes, so what the dump names is in a store that is
copied after it. The other way round rows could name objects that the copy has not. What the store has beyond the dump is of calls
that the dump does not know yet: orphans, which nobody sees.
"""
