"""Data only: topics, Avro schemas, examples, reason texts. Readers live in `pipeline.contracts`.

A released file (`<event>/v<n>.avsc`) never changes; a change is a new version beside it.
"""
