"""What the files of a model are, kind by kind: which hold weights, which must lie beside them. Read by the whole package.

Names are patterns of glob, because some publishers put their files into folders of their own choosing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Literal

from services.transcriber.models.hashes import Fingerprint

EngineName = Literal["whisper", "onnx-asr"]
Precision = Literal["float32", "float16", "int8"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One kind of model in a folder.

    Attributes:
        name: As catalogue and engine call it.
        engine: Which engine loads it.
        weights: Files that hold what was learned; their hash stands in every transcript's provenance.
        required: Files that must lie beside them.
        either: One of these, too.
        optional: Read where they are there.
        quantization: What the names of quantized weights say; None for the others.
    """

    name: str
    engine: EngineName
    weights: tuple[str, ...]
    required: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    quantization: str | None = None

    @property
    def engine_package(self) -> str:
        """The distribution that brings the engine."""
        return "faster-whisper" if self.engine == "whisper" else self.engine

    @property
    def patterns(self) -> tuple[str, ...]:
        """Everything that the engine reads."""
        return (*self.weights, *self.required, *self.optional, *self.either)

    @property
    def description(self) -> str:
        """For people who fill a folder by hand."""
        either = (f"one of {' or '.join(self.either)}",) if self.either else ()
        return ", ".join((*self.weights, *self.required, *either))

    def files_in(self, folder: Path) -> tuple[str, ...]:
        """The files of the folder that the engine reads, by their path in it, in the patterns' order."""
        found = (path for pattern in self.patterns for path in sorted(folder.glob(pattern)) if path.is_file())
        return tuple(dict.fromkeys(path.relative_to(folder).as_posix() for path in found))

    def begun_in(self, folder: Path) -> bool:
        """Whether somebody put weights here; says nothing about the rest."""
        return any(path.is_file() for path in folder.glob(self.weights[0]))

    def lacks(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """What must be there and is not among the names."""
        lacking = [pattern for pattern in (*self.weights, *self.required) if not _any_match(names, pattern)]
        if self.either and not any(_any_match(names, pattern) for pattern in self.either):
            lacking.append(self.either[0])
        return tuple(lacking)

    def weights_sha256(self, found: Mapping[str, Fingerprint]) -> str:
        """The hash of the weights: of several files, that of their list as `sha256sum` prints it, sorted by name."""
        weights = sorted(name for name in found if any(fnmatchcase(name, pattern) for pattern in self.weights))
        if len(weights) == 1:
            return found[weights[0]].sha256
        listed = "".join(f"{found[name].sha256}  {name}\n" for name in weights)
        return hashlib.sha256(listed.encode()).hexdigest()


def _any_match(names: tuple[str, ...], pattern: str) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)


WHISPER: Final = Format(
    name="whisper",
    engine="whisper",
    weights=("model.bin",),
    # tokenizer.json too: without it faster-whisper would fetch one from the hub.
    required=("config.json", "tokenizer.json"),
    either=("vocabulary.json", "vocabulary.txt"),
    optional=("preprocessor_config.json",),
)

#: By onnx-asr's name of the kind: weights, where {} stands for the quantization, and what lies beside them. Of kinds that
#: could be taken for one another the more exacting one comes first. config.json is not always required by the library,
#: but without it a GigaAM v3 would silently be given the features of v2.
_ONNX_KINDS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "gigaam-v2-ctc": (("v2_ctc{}.onnx",), ("v2_vocab.txt", "config.json")),
    "gigaam-v2-rnnt": (
        ("v2_rnnt_encoder{}.onnx", "v2_rnnt_decoder{}.onnx", "v2_rnnt_joint{}.onnx"),
        ("v2_vocab.txt", "config.json"),
    ),
    "gigaam-v3-ctc": (("v3_ctc{}.onnx",), ("v3_vocab.txt", "config.json")),
    "gigaam-v3-rnnt": (
        ("v3_rnnt_encoder{}.onnx", "v3_rnnt_decoder{}.onnx", "v3_rnnt_joint{}.onnx"),
        ("v3_vocab.txt", "config.json"),
    ),
    "gigaam-v3-e2e-ctc": (("v3_e2e_ctc{}.onnx",), ("v3_e2e_ctc_vocab.txt", "config.json")),
    "gigaam-v3-e2e-rnnt": (
        ("v3_e2e_rnnt_encoder{}.onnx", "v3_e2e_rnnt_decoder{}.onnx", "v3_e2e_rnnt_joint{}.onnx"),
        ("v3_e2e_rnnt_vocab.txt", "config.json"),
    ),
    "nemo-conformer-ctc": (("model{}.onnx",), ("vocab.txt", "config.json")),
    "nemo-conformer-rnnt": (("encoder-model{}.onnx", "decoder_joint-model{}.onnx"), ("vocab.txt", "config.json")),
    "t-one-ctc": (("model{}.onnx",), ("config.json",)),
    "vosk": (("*/encoder{}.onnx", "*/decoder{}.onnx", "*/joiner{}.onnx"), ("*/tokens.txt",)),
}
ONNX_KINDS: Final = tuple(_ONNX_KINDS)
FORMAT_NAMES: Final = (WHISPER.name, *ONNX_KINDS)


def format_of(name: str, precision: Precision) -> Format:
    """The format by name; only int8 shows in the names of files.

    Raises:
        KeyError: There is none of this name.
    """
    if name == WHISPER.name:
        return WHISPER
    weights, required = _ONNX_KINDS[name]
    quantization = "int8" if precision == "int8" else None
    suffix = f".{quantization}" if quantization else ""
    return Format(
        name=name,
        engine="onnx-asr",
        weights=tuple(pattern.format(suffix) for pattern in weights),
        required=required,
        optional=("config.json",) if "config.json" not in required else (),
        quantization=quantization,
    )


def detect(folder: Path) -> Format | None:
    """What lies in a folder that no catalogue knows: the first format all of whose files are there, or was begun."""
    whole = (each for each in _candidates() if not each.lacks(each.files_in(folder)))
    begun = (each for each in _candidates() if each.begun_in(folder))
    return next(whole, None) or next(begun, None)


def _candidates() -> Iterator[Format]:
    """Whisper's, then all of onnx-asr's in full precision, then quantized."""
    yield WHISPER
    for precision in ("float32", "int8"):
        for name in ONNX_KINDS:
            yield format_of(name, precision)
