"""`razgovor eval`: what was said against what was heard, in errors a manager can read. Also stood on by `tune` and `bench`.

`references` reads what was said, `recogniser` hears it with the real front end and engine, `alignment` lays both word by
word, `measures` counts, `tables` and `report` show.
"""
