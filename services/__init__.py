"""The four services. They meet only as topics; import-linter holds them apart."""
