"""What answers of a store mean, by kind."""

from __future__ import annotations

import pytest
from urllib3 import HTTPResponse
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, ProtocolError, ReadTimeoutError, SSLError

from pipeline.blobs.s3.failures import refusal, silence
from pipeline.errors import Fatal, Transient


def answer(status: int, code: str = "", **headers: str) -> HTTPResponse:
    body = f"<Error><Code>{code}</Code><Message>secret</Message></Error>".encode() if code else b""
    return HTTPResponse(body, headers, status=status)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "AccessDenied"),
        (403, "InvalidAccessKeyId"),
        (403, "SignatureDoesNotMatch"),
        (403, "RequestTimeTooSkewed"),
        (404, "NoSuchBucket"),
        (400, "AuthorizationHeaderMalformed"),
        (301, "PermanentRedirect"),
        (501, "NotImplemented"),
    ],
)
def test_what_no_repetition_heals_is_fatal_and_named(status: int, code: str) -> None:
    error = refusal(answer(status, code))
    assert isinstance(error, Fatal)
    assert code in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (500, "InternalError"),
        (503, "SlowDown"),
        (507, "XMinioStorageFull"),
        (400, "XAmzContentSHA256Mismatch"),
        (400, "RequestTimeout"),
        (409, "OperationAborted"),
        (502, ""),
    ],
)
def test_what_may_pass_is_waited_for(status: int, code: str) -> None:
    error = refusal(answer(status, code))
    assert isinstance(error, Transient)
    assert (code or str(status)) in str(error)


def test_a_store_may_say_when_to_come_again() -> None:
    asked = [refusal(answer(503, "SlowDown", **{"Retry-After": said})) for said in ("7", "100000", "soon")]
    assert [error.retry_after_s for error in asked if isinstance(error, Transient)] == [7, 60, 0]


def test_silence_is_waited_for_and_a_wrong_certificate_is_not() -> None:
    pool = HTTPConnectionPool("127.0.0.1", 1)
    for cause in (ProtocolError("cut"), ReadTimeoutError(pool, "/", "late")):
        error = silence(MaxRetryError(pool, "/", cause))
        assert isinstance(error, Transient)
        assert type(cause).__name__ in str(error)
    assert isinstance(silence(MaxRetryError(pool, "/", SSLError("untrusted"))), Fatal)
