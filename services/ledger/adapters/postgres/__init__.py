"""The only door to psycopg in the ledger.

`ledger` is the port; `record` writes one transaction; `migrator` brings the schema; `connecting` and `errors` hold what
psycopg wants and says; `checksum` proves that a replay changed nothing. SQL lies in `queries.sql` and `migrations/`.
"""

from services.ledger.adapters.postgres.checksum import checksum
from services.ledger.adapters.postgres.ledger import PostgresLedger

__all__ = ["PostgresLedger", "checksum"]
