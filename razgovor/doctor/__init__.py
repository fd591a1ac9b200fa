"""What `razgovor doctor` looks at. Every check is a small function that returns a `Finding`; `examination` runs them all."""
