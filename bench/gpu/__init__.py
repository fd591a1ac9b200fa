"""`make bench-gpu`: what this machine's GPU carries."""
