"""The only door to psycopg in the ledger.

`ledger` is the port; `record` writes one transaction; `migrator` brings the schema; `connecting` and `errors` hold what
psycopg wants and says; `checksum` proves that a replay changed nothing; `letters` shows dead letters to an operator; `orphans` tells the janitor
which jobs there are, `erasures` the eraser which are to go, `expiries` the expirer what is kept how long, in `turns`. SQL lies in `queries.sql` and `migrations/`.
"""

from services.ledger.adapters.postgres.checksum import checksum
from services.ledger.adapters.postgres.erasures import PostgresErasures
from services.ledger.adapters.postgres.expiries import PostgresRetention
from services.ledger.adapters.postgres.ledger import PostgresLedger
from services.ledger.adapters.postgres.letters import PostgresDeadLetterBox
from services.ledger.adapters.postgres.orphans import PostgresKnownJobs

__all__ = [
    "PostgresDeadLetterBox",
    "PostgresErasures",
    "PostgresKnownJobs",
    "PostgresLedger",
    "PostgresRetention",
    "checksum",
]
