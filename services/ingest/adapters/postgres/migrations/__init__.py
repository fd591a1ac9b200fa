"""Numbered steps of the schema `ingest`. Data only; a released step never changes."""
