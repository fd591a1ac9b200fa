"""What schemathesis cannot make up: recordings. Loaded by `schemathesis.toml`, so that jobs come of what it sends."""

from __future__ import annotations

import schemathesis
from hypothesis import strategies as st

from tests.unit.ingest.rig import wav

schemathesis.openapi.media_type("application/octet-stream", st.one_of(st.just(wav(bytes(320))), st.binary(max_size=64)))
