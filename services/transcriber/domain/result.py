"""Everything known of a call becomes its canonical transcript. Called by `handler`, after the engine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.contracts.events import AudioUploaded, Timings
from pipeline.contracts.transcript import Channel, Provenance, Suppressed, Transcript, sha256_hex
from services.transcriber.domain import filters, roles, verdict
from services.transcriber.domain.conditions import Conditions
from services.transcriber.domain.credibility import credible
from services.transcriber.domain.prepared import PreparedCall
from services.transcriber.domain.quality import call_quality, channel_quality
from services.transcriber.domain.timeline import to_seconds
from services.transcriber.domain.turns import dialogue
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.domain.words import Utterance, given_up, utterances

Heard = Sequence[tuple[Window, WindowWords]]


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What the words come from, for their provenance.

    Attributes:
        engine: Name and version.
        model: Its name.
        model_sha256: Of its weights.
        parameters: All that may change words, and nothing that may not.
    """

    engine: str
    model: str
    model_sha256: str
    parameters: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def parameters_sha256(self) -> str:
        """Of the parameters as JSON with sorted names."""
        return sha256_hex(json.dumps(dict(self.parameters), sort_keys=True).encode())


def assemble(
    event: AudioUploaded,
    call: PreparedCall,
    heard: Sequence[WindowWords],
    engine: EngineFacts,
    queue_wait_ms: int,
    *,
    conditions: Conditions | None = None,
) -> Transcript:
    """The transcript of a call.

    Args:
        event: What asked for it.
        call: What the front end found.
        heard: What the engine heard, one for each of `call.windows`, in their order.
        engine: What heard it.
        queue_wait_ms: How long the call waited to be picked up.
        conditions: How it was heard; None: in the event's language, and the engine was told nothing.
    """
    conditions = conditions or Conditions(language=event.language)
    pairs = [(window, credible(window, words)) for window, words in zip(call.windows, heard, strict=True)]
    mode = roles.channel_mode(len(call.channels), identical=call.identical_channels)
    by_channel = roles.roles_of(mode, len(call.channels), event.channel_roles)
    said, kept_out = filters.sieve(utterances(pairs), conditions.glossary.terms if conditions.glossary else ())
    channels = tuple(_channels(call, said, pairs, by_channel))
    return Transcript(
        job_id=event.job_id,
        run=event.run,
        call_id=event.call_id,
        client=event.client_id,
        language=conditions.language,
        language_detection=conditions.detection,
        channel_mode=mode,
        duration_s=round(call.duration_s, 3),
        partial=call.truncated,
        warnings=(*verdict.warnings(call, mode, by_channel), *conditions.warnings),
        channels=channels,
        turns=dialogue(said, by_channel, one_speaker_a_channel=roles.divides_speakers(mode)),
        suppressed=_suppressed(call, kept_out, pairs),
        quality=call_quality(
            said,
            pairs,
            [channel.quality for channel in channels if channel.quality is not None],
            sum(channel.speech_s for channel in channels),
        ),
        timings=_timings(call, heard, queue_wait_ms),
        provenance=_provenance(event, engine, conditions),
    )


def _provenance(event: AudioUploaded, engine: EngineFacts, conditions: Conditions) -> Provenance:
    return Provenance(
        audio_sha256=event.audio.sha256,
        engine=engine.engine,
        model=engine.model,
        model_sha256=engine.model_sha256,
        parameters=dict(engine.parameters),
        parameters_sha256=engine.parameters_sha256,
        glossary=conditions.glossary.glossary_id if conditions.glossary else None,
        filters=filters.VERSION,
    )


def _channels(
    call: PreparedCall, said: Sequence[Utterance], pairs: Heard, by_channel: Mapping[int, str | None]
) -> Iterator[Channel]:
    """Speech seconds count where words came out: music that passed for a voice is no speech."""
    for index, role in by_channel.items():
        own = [utterance for utterance in said if utterance.channel == index]
        spans = {utterance.piece.speech for utterance in own}
        speech_s = to_seconds(sum(span.samples for span in spans))
        heard = [pair for pair in pairs if pair[0].channel == index]
        quality = channel_quality(own, heard, call.channels[index].signal, speech_s)
        yield Channel(index=index, role=role, speech_s=round(speech_s, 3), quality=quality)


def _suppressed(call: PreparedCall, kept_out: Iterable[filters.Kept], pairs: Heard) -> tuple[Suppressed, ...]:
    leaks = (
        Suppressed(
            channel=index,
            start_s=round(to_seconds(piece.speech.start), 3),
            end_s=round(to_seconds(piece.speech.end), 3),
            text="",
            reason=filters.CROSSTALK,
        )
        for index, channel in enumerate(call.channels)
        for piece in channel.leaks
    )
    invented = (
        Suppressed(
            channel=kept.utterance.channel,
            start_s=kept.utterance.start_s,
            end_s=kept.utterance.end_s,
            text=kept.utterance.text,
            reason=kept.reason,
        )
        for kept in kept_out
    )
    lost = (
        Suppressed(channel=channel, start_s=start_s, end_s=end_s, text=stretch.text, reason=stretch.reason)
        for channel, start_s, end_s, stretch in given_up(pairs)
    )
    return tuple(sorted([*leaks, *invented, *lost], key=lambda item: (item.start_s, item.channel, item.end_s)))


def _timings(call: PreparedCall, heard: Iterable[WindowWords], queue_wait_ms: int) -> Timings:
    return Timings(
        queue_wait_ms=queue_wait_ms,
        decode_ms=call.decode_ms,
        vad_ms=call.vad_ms,
        engine_ms=round(sum(words.engine_ms for words in heard)),
    )
