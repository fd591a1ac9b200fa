"""Adapters of `services.ingest.ports`: PostgreSQL, and the shipped in-memory fakes."""
