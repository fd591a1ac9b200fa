"""What `razgovor` can do, one module per command; the root in `razgovor.__main__` joins them."""
