"""What the suites over the database's ports run over."""

from __future__ import annotations

import pytest

#: The shipped fake, the embedded PostgreSQL, and the real one of `make peers`: `database_urls` goes by the mark.
DATABASES = ("memory", "embedded", pytest.param("peer", marks=pytest.mark.peers))
