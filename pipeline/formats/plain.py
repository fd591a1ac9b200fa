"""Text that is safe to show: what came from a recording or a client, without what only a machine would see.

Called by every format. Nothing readable is lost.
"""

from __future__ import annotations

import re
from typing import Final

# Controls but for tab and line feed; surrogates, which no encoding takes; bidi embeddings, overrides and isolates, which
# make text read as something else; U+FFFE and U+FFFF, which XML forbids (openpyxl's own list of illegal characters lacks them).
_UNSAFE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
_CARRIAGE_RETURN: Final = re.compile("\r\n?")
# No-break spaces stay: they hold a number and its unit together.
_BLANKS: Final = re.compile("[ \t\n\u2028\u2029]+")


def clean(text: str) -> str:
    """The text without controls and bidi overrides; line ends are line feeds."""
    return _UNSAFE.sub("", _CARRIAGE_RETURN.sub("\n", text.replace("\x85", "\n")))


def one_line(text: str) -> str:
    """The cleaned text on one line: every run of blanks and line ends is one space."""
    return _BLANKS.sub(" ", clean(text)).strip()
