"""Sound: what a file is (`sniff`), what its header says (`probe`), what is in it (`decode`).

The only door to soundfile, PyAV and soxr. Called by ingest (sniff, probe) and by the transcriber's front end (decode).
Probing and decoding run native code on strangers' bytes, so both run in a limited child process of
`pipeline.isolation`: hand it `prober` or `partial(decoder, limits)`. Nothing imported here loads a decoder.
"""

from pipeline.audio.contract import DecodedAudio, DecodeLimits, DecodeRequest, Outline, OutlineRequest, Probe
from pipeline.audio.headerless import Headerless
from pipeline.audio.sniff import SNIFF_BYTES, UNKNOWN, Sniffed, sniff, sniff_declared
from pipeline.audio.work import decoder, outliner, prober

__all__ = [
    "SNIFF_BYTES",
    "UNKNOWN",
    "DecodeLimits",
    "DecodeRequest",
    "DecodedAudio",
    "Headerless",
    "Outline",
    "OutlineRequest",
    "Probe",
    "Sniffed",
    "decoder",
    "outliner",
    "prober",
    "sniff",
    "sniff_declared",
]
