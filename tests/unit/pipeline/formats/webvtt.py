"""A strict reader of WebVTT, after the specification's syntax (W3C WebVTT, 4.1 to 4.3): what is not conforming raises.

It knows what exports may hold: NOTE blocks, cues without identifiers or settings, voice spans, escapes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_TIMING: Final = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})")
_VOICE: Final = re.compile(r"<v ([^<>\n]+)>")
_ESCAPE: Final = re.compile("&([^;&<>]*)(;?)")
_ESCAPES: Final = {"amp": "&", "lt": "<", "gt": ">"}


class NotWebVtt(ValueError):
    """The text does not conform."""


@dataclass(frozen=True, slots=True)
class VttCue:
    start_ms: int
    end_ms: int
    voice: str | None
    text: str


@dataclass(frozen=True, slots=True)
class VttFile:
    notes: tuple[str, ...]
    cues: tuple[VttCue, ...]


def parse(data: bytes) -> VttFile:
    text = data.decode("utf-8", errors="strict")
    if "\0" in text or "\r" in text:
        raise NotWebVtt("NUL or CR")
    lines = text.split("\n")
    if lines[0] != "WEBVTT" or lines[-1]:
        raise NotWebVtt("header or end")
    notes: list[str] = []
    cues: list[VttCue] = []
    for block in _blocks(lines[1:]):
        if block[0].startswith("NOTE") and block[0][4:5] in {"", " ", "\t"}:
            if any("-->" in line for line in block):
                raise NotWebVtt("arrow in a comment")
            notes.append("\n".join(block))
        else:
            cues.append(_cue(block))
    if [cue.start_ms for cue in cues] != sorted(cue.start_ms for cue in cues):
        raise NotWebVtt("cues out of order")
    return VttFile(tuple(notes), tuple(cues))


def _blocks(lines: list[str]) -> list[list[str]]:
    if lines[0]:
        raise NotWebVtt("no blank line after the header")
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line:
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _cue(block: list[str]) -> VttCue:
    timing = _TIMING.fullmatch(block[0])
    if timing is None or len(block) < 2:
        raise NotWebVtt(f"no cue: {block[0]!r}")
    figures = [int(figure) for figure in timing.groups()]
    start_ms, end_ms = _milliseconds(figures[:4]), _milliseconds(figures[4:])
    if end_ms <= start_ms:
        raise NotWebVtt("a cue ends before it begins")
    payload = "\n".join(block[1:])
    if "-->" in payload:
        raise NotWebVtt("arrow in a cue")
    voice = _VOICE.match(payload)
    text = payload[voice.end() :] if voice else payload
    return VttCue(start_ms, end_ms, _unescaped(voice[1]) if voice else None, _unescaped(text))


def _milliseconds(figures: list[int]) -> int:
    hours, minutes, seconds, rest_ms = figures
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest_ms


def _unescaped(text: str) -> str:
    if "<" in text or ">" in text:
        raise NotWebVtt(f"markup: {text!r}")

    def character(escape: re.Match[str]) -> str:
        if escape[1] not in _ESCAPES or not escape[2]:
            raise NotWebVtt(f"bare ampersand: {text!r}")
        return _ESCAPES[escape[1]]

    return _ESCAPE.sub(character, text)
