"""The front door against a bare one, over many uploads, and behind a thousand slow sockets: `make bench-front-door`."""
