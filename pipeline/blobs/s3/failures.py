"""What a store's refusals and silences mean, by kind. The errors' texts name codes only: no key, no address."""

from __future__ import annotations

import re
from typing import Final

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, SSLError

from pipeline.blobs.ports import StoreRefusal
from pipeline.errors import Fatal, RazgovorError, Transient

_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9.]{1,64})</Code>")
#: What no repetition heals: who we are, or where we are, is wrong.
_FATAL_STATUS: Final = frozenset({301, 307, 308, 401, 403})
_FATAL_CODES: Final = frozenset(
    {
        "AccessDenied",
        "AllAccessDisabled",
        "AuthorizationHeaderMalformed",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidBucketName",
        "InvalidRegion",
        "InvalidToken",
        "KMS.NotFoundException",
        "NoSuchBucket",
        "NotImplemented",
        "PermanentRedirect",
        "SignatureDoesNotMatch",
    }
)
SKEWED: Final = "RequestTimeTooSkewed"


def code_of(response: urllib3.BaseHTTPResponse) -> str:
    """The code of S3's error document, or the status where there is none (a HEAD has none)."""
    found = _CODE.search((response.data or b"")[:4096])
    return found[1].decode() if found else f"status {response.status}"


def refusal(response: urllib3.BaseHTTPResponse) -> RazgovorError:
    """The error that an answer other than a success amounts to; a missing object is the caller's to tell."""
    code = code_of(response)
    if code in _FATAL_CODES or response.status in _FATAL_STATUS:
        return StoreRefusal(code)
    return Transient(f"store: {code}", retry_after_s=_retry_after_s(response))


def silence(error: HTTPError) -> RazgovorError:
    """The error that no answer, or half of one, amounts to."""
    cause = error.reason if isinstance(error, MaxRetryError) and error.reason is not None else error
    if isinstance(cause, SSLError):
        return Fatal("the store's certificate is not trusted, or it speaks no TLS")
    return Transient(f"store: {type(cause).__name__}")


def _retry_after_s(response: urllib3.BaseHTTPResponse) -> float:
    said = response.headers.get("Retry-After", "")
    return min(float(said), 60.0) if said.isdigit() else 0.0
