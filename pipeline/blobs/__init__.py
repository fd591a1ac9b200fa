"""The store: one port, a folder adapter and an in-memory fake. Keys are immutable; see `contracts.layout`."""
