"""What the judge reads by, one module a vendor. Each only reads."""
