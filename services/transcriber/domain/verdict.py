"""What a reader should know of a recording's channels, told before a word is heard. Called by `domain.result`.

The mode (mono, stereo, dual mono, multichannel) stands by itself, see `roles`; everything else is a warning with figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pipeline.contracts.transcript import Warning_
from services.transcriber.domain import roles
from services.transcriber.domain.prepared import PreparedCall, PreparedChannel
from services.transcriber.domain.timeline import to_seconds

SILENT_CHANNEL: Final = "silent_channel"
TOO_QUIET: Final = "too_quiet"
CLIPPED: Final = "clipped"
CROSSTALK: Final = "crosstalk"
SWAPPED_CHANNELS: Final = "swapped_channels"
TRUNCATED_AUDIO: Final = "truncated_audio"

#: A channel without speech that is never louder was not recorded.
SILENCE_DB: Final = -60.0
#: Speech below is heard with gaps, or not at all: speech detection starts to miss it some 10 dB further down.
QUIET_DB: Final = -50.0
#: Of speech that is 12 dB too loud a third to a half touches the end of the scale; 6 dB too loud, a twelfth.
CLIPPED_SHARE: Final = 0.15
#: Less than this may be the soft end of somebody's word.
CROSSTALK_S: Final = 1.0


def warnings(call: PreparedCall, mode: str, by_channel: Mapping[int, str | None]) -> Iterator[Warning_]:
    """All that is to be said, always in the same order.

    Args:
        call: What the front end found.
        mode: Of `roles.channel_mode`.
        by_channel: Role by channel, as resolved.
    """
    if not roles.divides_speakers(mode):
        yield Warning_(code=mode)
    if [by_channel[index] for index in sorted(by_channel)] == [roles.CUSTOMER, roles.OPERATOR]:
        yield Warning_(code=SWAPPED_CHANNELS)
    for index, channel in enumerate(call.channels):
        yield from _of_channel(index, channel)
    if call.truncated:
        declared = {} if call.declared_duration_s is None else {"declared_s": round(call.declared_duration_s, 3)}
        yield Warning_(code=TRUNCATED_AUDIO, details={**declared, "decoded_s": round(call.duration_s, 3)})


def _of_channel(index: int, channel: PreparedChannel) -> Iterator[Warning_]:
    of = {"channel": float(index)}
    signal = channel.signal
    if channel.silent or (signal.level_db is None and (signal.loudest_db or 0.0) < SILENCE_DB):
        yield Warning_(code=SILENT_CHANNEL, details=of)
    if signal.level_db is not None and signal.level_db < QUIET_DB:
        yield Warning_(code=TOO_QUIET, details={**of, "level_db": round(signal.level_db, 1)})
    if signal.clipped_share >= CLIPPED_SHARE:
        yield Warning_(code=CLIPPED, details={**of, "share": round(signal.clipped_share, 3)})
    leaked_s = sum(to_seconds(piece.speech.samples) for piece in channel.leaks)
    if leaked_s >= CROSSTALK_S:
        yield Warning_(code=CROSSTALK, details={**of, "leaked_s": round(leaked_s, 3)})
