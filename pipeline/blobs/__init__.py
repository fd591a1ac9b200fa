"""The store: one port, a folder adapter, an S3 adapter and an in-memory fake. Keys are immutable; see `contracts.layout`."""
