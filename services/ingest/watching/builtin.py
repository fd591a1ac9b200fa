r"""Patterns that are there without being written: of PBXs that our users have. Pure.

`oktell`: `RecordedFiles\YYYYMMDD\HHMM\mix_{lineA}_{lineB}__YYYY_MM_DD__HH_MM_SS_mmm.mp3`. The lines stand in the order of
their characters, so the name says neither who called nor who is who; `journal` does.

`asterisk`: `in-Agent-Customer-Date-Time-Id.wav`, `out-Customer-Agent-Date-Time-Id.wav`: who was called stands first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.ingest.watching.patterns import Patterns, compiled
from services.ingest.watching.readings import INBOUND, OUTBOUND

OKTELL: Final = "oktell"
ASTERISK: Final = "asterisk"

BUILTIN: Final[Mapping[str, Patterns]] = {
    OKTELL: Patterns(OKTELL, (compiled("mix_{line_a}_{line_b}__{time:%Y_%m_%d__%H_%M_%S_%f}"),)),
    ASTERISK: Patterns(
        ASTERISK,
        (
            compiled("in-{operator}-{customer}-{time:%Y%m%d-%H%M%S}-{call_id}", direction=INBOUND),
            compiled("out-{customer}-{operator}-{time:%Y%m%d-%H%M%S}-{call_id}", direction=OUTBOUND),
        ),
    ),
}
