"""Requests of ours to addresses that others named: recordings by reference, webhooks. The one door of httpcore.

Whoever names an address must not reach with our hands what he can't reach with his own. So a name is resolved once, and
the connection goes to the very address that was looked at; only public ones pass, and networks that the operator allows.
Schemes and ports are listed, a redirect is an answer like any other, no proxy and no cookie is known here, TLS proves the
name that was asked for, and every answer has a bound in bytes and in seconds.
"""

from pipeline.outbound.connecting import literal
from pipeline.outbound.destinations import Allowed, Destination, destination
from pipeline.outbound.errors import AnswerTooLarge, Unreachable, UrlNotAllowed
from pipeline.outbound.sending import Answer, Bounds, Outbound

__all__ = [
    "Allowed",
    "Answer",
    "AnswerTooLarge",
    "Bounds",
    "Destination",
    "Outbound",
    "Unreachable",
    "UrlNotAllowed",
    "destination",
    "literal",
]
