"""The front end's work: decode, measure, separate, pack. Runs in the child that `front_end` owns; never in the parent."""

from __future__ import annotations

import hashlib
from time import perf_counter

from pipeline.audio import DecodedAudio, DecodeLimits
from pipeline.audio.decode import decode
from pipeline.errors import RetriableFault
from services.transcriber.adapters.comparing import Channel, carry_the_same
from services.transcriber.adapters.log_mel import written
from services.transcriber.adapters.measuring import measure
from services.transcriber.adapters.requests import Order
from services.transcriber.adapters.silero import Silero, weights
from services.transcriber.domain.preparation import ChannelFrames, ChannelSpeech, Rules, separate, windows_of
from services.transcriber.domain.prepared import PreparedCall, PreparedChannel
from services.transcriber.domain.signal import loudest, signal_of


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
        decoded = decode(order.audio, order.folder, self._limits, media_type=order.recording.media_type)
        decoded_s = perf_counter()
        measured = self._measured(decoded)
        identical = self._identical(decoded, measured)
        # Of channels with the same voices one is heard, and stands as the first.
        sources = [loudest(measured)] if identical else list(range(len(measured)))
        speech = separate([measured[source] for source in sources], self._rules)
        windows = tuple(
            window
            for index, (source, found) in enumerate(zip(sources, speech, strict=True))
            for window in windows_of(
                found.own,
                measured[source].levels_db,
                call=order.recording.call,
                channel=index,
                pcm=decoded.channels[source],
                rule=self._rules.packing,
            )
        )
        listened_s = perf_counter()
        if order.features.mel_bins:
            windows = tuple(written(windows, order.folder, order.features.mel_bins))
        return PreparedCall(
            duration_s=decoded.duration_s,
            declared_duration_s=decoded.declared_duration_s,
            truncated=decoded.truncated,
            identical_channels=identical,
            channels=tuple(
                _prepared(channel, speech[0 if identical else index]) for index, channel in enumerate(measured)
            ),
            windows=windows,
            decode_ms=round((decoded_s - begin_s) * 1000),
            vad_ms=round((listened_s - decoded_s) * 1000),
            features_ms=round((perf_counter() - listened_s) * 1000),
        )

    def _measured(self, decoded: DecodedAudio) -> list[ChannelFrames]:
        files = decoded.channels[:1] if decoded.identical_channels else decoded.channels
        measured = [measure(file, decoded.samples, self._silero.probabilities) for file in files]
        return measured * len(decoded.channels) if decoded.identical_channels else measured

    def _identical(self, decoded: DecodedAudio, measured: list[ChannelFrames]) -> bool:
        """Channels that are alike because nothing was recorded on either are no dual mono."""
        if decoded.identical_channels or len(measured) == 1:
            return decoded.identical_channels and not measured[0].silent
        first, *others = (Channel(*pair) for pair in zip(decoded.channels, measured, strict=True))
        return all(carry_the_same(first, other, self._rules.likeness) for other in others)


def _prepared(channel: ChannelFrames, found: ChannelSpeech) -> PreparedChannel:
    return PreparedChannel(silent=channel.silent, leaks=found.leaks, signal=signal_of(channel, found.own, found.leaks))


def _verify(order: Order) -> None:
    with order.audio.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != order.recording.sha256:
            raise RetriableFault("audio_mismatch")
