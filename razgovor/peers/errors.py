"""What the peers raise beside `ProcessFailed`; the command line shows the text."""

from __future__ import annotations

from razgovor.embedded.errors import EmbeddedFailed


class PeerMissing(EmbeddedFailed):
    """This machine lacks what a peer needs; the text says what, and how to get it."""
