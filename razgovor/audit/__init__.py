"""The judge: a separate look at what the services have done, by what lies in PostgreSQL, in the store and in the topics.

It writes nothing, takes no part in any group, and imports no service's logic: it knows the contracts alone. So it says the
same to an operator as to our tests. `run` joins the parts:

sources (`adapters`, `dumps`)  ->  `gathering`: all facts of one job after another  ->  `judges`: pure  ->  `findings`

The order of reading makes it right beside a system at work: first how far the groups have committed, then the topics,
then one snapshot of the database, then the store. What is committed, or said by a row, was there before; so whatever is
read later has it.
"""
