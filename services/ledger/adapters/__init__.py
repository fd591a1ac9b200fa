"""The ledger's doors to the world, one vendor each."""
