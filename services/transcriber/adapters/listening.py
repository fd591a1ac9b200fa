"""The front end's work: decode, measure, separate, pack. Runs in the child that `front_end` owns; never in the parent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import zip_longest
from time import perf_counter

from pipeline.audio import DecodedAudio, DecodeLimits
from pipeline.audio.decode import decode
from pipeline.errors import RetriableFault
from services.transcriber.adapters.measuring import measure
from services.transcriber.adapters.requests import Order
from services.transcriber.adapters.silero import Silero, weights
from services.transcriber.domain.preparation import ChannelFrames, ChannelSpeech, Rules, separate, windows_of
from services.transcriber.domain.prepared import PreparedCall, PreparedChannel
from services.transcriber.domain.windows import Window


class Listener:
    """Prepares one call after the other; holds the loaded speech model."""

    def __init__(self, rules: Rules, limits: DecodeLimits) -> None:
        self._rules = rules
        self._limits = limits
        self._silero = Silero(weights())

    def __call__(self, order: Order) -> PreparedCall:
        """See `ports.FrontEnd.prepare`."""
        begin_s = perf_counter()
        _verify(order)
        decoded = decode(order.audio, order.folder, self._limits)
        decoded_s = perf_counter()
        measured = [measure(channel, decoded.samples, self._silero.probabilities) for channel in decoded.channels]
        # Channels that are alike because nothing was recorded on either are no dual mono.
        identical = decoded.identical_channels and len(measured) > 1 and not measured[0].silent
        speech = separate(measured[:1] if identical else measured, self._rules)
        windows = tuple(self._windows(order.recording.call, decoded, measured, speech))
        return PreparedCall(
            duration_s=decoded.duration_s,
            declared_duration_s=decoded.declared_duration_s,
            truncated=decoded.truncated,
            identical_channels=identical,
            channels=tuple(
                PreparedChannel(silent=channel.silent, leaks=own.leaks if own else ())
                for channel, own in zip_longest(measured, speech)
            ),
            windows=windows,
            decode_ms=round((decoded_s - begin_s) * 1000),
            vad_ms=round((perf_counter() - decoded_s) * 1000),
        )

    def _windows(
        self, call: str, decoded: DecodedAudio, measured: list[ChannelFrames], speech: list[ChannelSpeech]
    ) -> Iterator[Window]:
        for index, channel in enumerate(speech):
            yield from windows_of(
                channel.own,
                measured[index].levels_db,
                call=call,
                channel=index,
                pcm=decoded.channels[index],
                rule=self._rules.packing,
            )


def _verify(order: Order) -> None:
    with order.audio.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != order.recording.sha256:
            raise RetriableFault("audio_mismatch")
