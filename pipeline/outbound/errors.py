"""What can go wrong with an address that somebody named. The texts hold no address: it may carry a secret."""

from __future__ import annotations

from pipeline.errors import RazgovorError


class UrlNotAllowed(RazgovorError):
    """Nobody may send us there.

    Attributes:
        fault: What is wrong with it: `form`, `scheme`, `credentials`, `port`, `address`.
    """

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


class Unreachable(RazgovorError):
    """It could be allowed, but there is no answer. Whether to try again is the caller's to say.

    Attributes:
        fault: Where it ended: `name`, `connect`, `tls`, `timeout`, `protocol`.
    """

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


class AnswerTooLarge(RazgovorError):
    """The answer has more bytes than were asked for.

    Attributes:
        limit_bytes: How many those were.
    """

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"more than {limit_bytes} bytes")
        self.limit_bytes = limit_bytes
