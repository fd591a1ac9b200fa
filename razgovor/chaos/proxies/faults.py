"""What a fault proxy can be told, as data: built in Python, or JSON in a proxy process's control file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Direction = Literal["to_server", "to_client"]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Error(_Told):
    """Answer with this status and S3's error document; the server never sees the request unless `after_effect`."""

    kind: Literal["error"] = "error"
    status: int = Field(default=500, ge=400, le=599)
    code: str = "InternalError"
    after_effect: bool = False


class Hang(_Told):
    """Never answer; the server has carried the request out if `after_effect`."""

    kind: Literal["hang"] = "hang"
    after_effect: bool = False


class Reset(_Told):
    """Reset the connection in place of an answer; the server has carried the request out if `after_effect`."""

    kind: Literal["reset"] = "reset"
    after_effect: bool = False


class HalfBody(_Told):
    """Answer with the true head and half of the body, then `end`."""

    kind: Literal["half_body"] = "half_body"
    end: Literal["close", "reset", "hang"] = "close"


class FlippedByte(_Told):
    """Answer with one byte of the body changed: the right length, other bytes."""

    kind: Literal["flipped_byte"] = "flipped_byte"


class HalfUpload(_Told):
    """Pass half of the request's body to the server, then reset both sides."""

    kind: Literal["half_upload"] = "half_upload"


class Slow(_Told):
    """Pass the request on only after a while."""

    kind: Literal["slow"] = "slow"
    delay_s: float = Field(ge=0, le=600)


class ListLate(_Told):
    """Leave keys out of S3 listings until `lag_s` have passed since they were put through this proxy."""

    kind: Literal["list_late"] = "list_late"
    lag_s: float = Field(gt=0, le=3600)


class Twice(_Told):
    """Carry the request out twice, the second time after `lag_s`; the client gets the first answer.

    With `answered` the client also gets the second one, though nobody asked.
    """

    kind: Literal["twice"] = "twice"
    lag_s: float = Field(default=0.0, ge=0, le=600)
    answered: bool = False


HttpFault = Annotated[
    Error | Hang | Reset | HalfBody | FlippedByte | HalfUpload | Slow | ListLate | Twice, Field(discriminator="kind")
]


class HttpRule(_Told):
    """Which requests a fault befalls.

    Attributes:
        fault: What happens to them.
        share: How many of them, from 0 to 1.
        methods: Of these methods; empty: of any.
        target: A regular expression searched in path and query, e.g. `/jobs/[^/]+/audio` or `list-type=2`.
        skip: So many matching requests are spared first.
        times: At most so many are befallen; None: all.
    """

    fault: HttpFault
    share: float = Field(default=1.0, ge=0, le=1)
    methods: frozenset[str] = frozenset()
    target: str = ""
    skip: int = Field(default=0, ge=0)
    times: int | None = Field(default=None, ge=1)


class Cut(_Told):
    """Reset all connections and every new one."""

    kind: Literal["cut"] = "cut"


class Stall(_Told):
    """Hold all bytes of this direction (None: both); connections stay up, and what is held flows afterwards."""

    kind: Literal["stall"] = "stall"
    direction: Direction | None = None


class Delay(_Told):
    """Pass bytes on after `delay_s` and up to `jitter_s` more; their order stays."""

    kind: Literal["delay"] = "delay"
    delay_s: float = Field(ge=0, le=600)
    jitter_s: float = Field(default=0.0, ge=0, le=600)


class CutAt(_Told):
    """Reset a connection when these bytes pass in this direction.

    Attributes:
        pattern: The bytes, as Latin-1 text.
        forwarded: Whether the peer still gets them: with `COMMIT`, whether the transaction was carried out.
        skip: So many are let through first, over all connections.
        times: So many connections are cut; None: all.
    """

    kind: Literal["cut_at"] = "cut_at"
    pattern: str = Field(min_length=1, max_length=1024)
    direction: Direction = "to_server"
    forwarded: bool = True
    skip: int = Field(default=0, ge=0)
    times: int | None = Field(default=1, ge=1)


TcpFault = Annotated[Cut | Stall | Delay | CutAt, Field(discriminator="kind")]
