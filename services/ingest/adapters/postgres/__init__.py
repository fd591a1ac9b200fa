"""Ingest's door to PostgreSQL: schema `ingest`, and the ledger's views to read."""

from services.ingest.adapters.postgres.audit_log import PostgresAuditLog
from services.ingest.adapters.postgres.backlog import PostgresBacklog
from services.ingest.adapters.postgres.calls import PostgresCalls
from services.ingest.adapters.postgres.clients import PostgresClients
from services.ingest.adapters.postgres.connecting import Database
from services.ingest.adapters.postgres.jobs import PostgresJobs
from services.ingest.adapters.postgres.migrator import migrate
from services.ingest.adapters.postgres.outbox import PostgresOutbox
from services.ingest.adapters.postgres.rates import PostgresRates
from services.ingest.adapters.postgres.runs import PostgresRuns
from services.ingest.adapters.postgres.sessions import PostgresSessions
from services.ingest.adapters.postgres.stops import PostgresStops
from services.ingest.adapters.postgres.submissions import PostgresSubmissions
from services.ingest.adapters.postgres.usage import PostgresUsage
from services.ingest.adapters.postgres.watching import PostgresSeenFiles
from services.ingest.adapters.postgres.webhooks import PostgresDeliveries, PostgresWebhookBook

__all__ = [
    "Database",
    "PostgresAuditLog",
    "PostgresBacklog",
    "PostgresCalls",
    "PostgresClients",
    "PostgresDeliveries",
    "PostgresJobs",
    "PostgresOutbox",
    "PostgresRates",
    "PostgresRuns",
    "PostgresSeenFiles",
    "PostgresSessions",
    "PostgresStops",
    "PostgresSubmissions",
    "PostgresUsage",
    "PostgresWebhookBook",
    "migrate",
]
