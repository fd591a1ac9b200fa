"""A clock that is wrong: what a refusal says of it, and what a mute one does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import formatdate

import pytest
import urllib3

from pipeline.blobs.options import Credentials, StoreOptions
from pipeline.blobs.s3.address import S3Address
from pipeline.blobs.s3.http import S3Http

OUR_TIME_S = 1_767_225_600.0
TOLERATED_S = 900
ADDRESS = S3Address.parse("s3://bucket-1?endpoint=http://127.0.0.1:9000")
OPTIONS = StoreOptions(credentials=Credentials("user", "secret"))
#: A HEAD's refusal has no body.
MUTE = b""
SKEWED = b"<Error><Code>RequestTimeTooSkewed</Code></Error>"
DENIED = b"<Error><Code>AccessDenied</Code></Error>"


class Server:
    """Refuses what is stamped too far from its own time, or everything, and says the time."""

    def __init__(self, *, ahead_s: float, words: bytes, denies_all: bool = False) -> None:
        self.time_s = OUR_TIME_S + ahead_s
        self.words = words
        self.denies_all = denies_all
        self.errors_s: list[float] = []

    def urlopen(
        self, _method: str, _url: str, *, headers: Mapping[str, str], **_named: object
    ) -> urllib3.BaseHTTPResponse:
        stamped = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        error_s = stamped.timestamp() - self.time_s
        self.errors_s.append(error_s)
        is_taken = not self.denies_all and abs(error_s) <= TOLERATED_S
        said = {"Date": formatdate(self.time_s, usegmt=True)}
        return urllib3.HTTPResponse(b"" if is_taken else self.words, said, status=200 if is_taken else 403)


def asking(server: Server, monkeypatch: pytest.MonkeyPatch) -> S3Http:
    http = S3Http(ADDRESS, OPTIONS, lambda: OUR_TIME_S)
    monkeypatch.setattr(http._pool, "urlopen", server.urlopen)
    return http


@pytest.mark.parametrize("words", [MUTE, SKEWED])
@pytest.mark.parametrize("ahead_s", [-3600.0, 3600.0])
def test_a_store_whose_clock_says_otherwise_is_believed(
    monkeypatch: pytest.MonkeyPatch, ahead_s: float, words: bytes
) -> None:
    server = Server(ahead_s=ahead_s, words=words)
    http = asking(server, monkeypatch)
    assert http.request("HEAD", "jobs/1/audio").status == 200
    assert server.errors_s == [-ahead_s, 0]
    assert http.request("HEAD", "jobs/1/audio").status == 200
    assert server.errors_s == [-ahead_s, 0, 0]


@pytest.mark.parametrize(
    ("ahead_s", "words"), [(0.0, MUTE), (TOLERATED_S - 60.0, MUTE), (-TOLERATED_S + 60.0, MUTE), (3600.0, DENIED)]
)
def test_what_is_refused_for_another_reason_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, ahead_s: float, words: bytes
) -> None:
    server = Server(ahead_s=ahead_s, words=words, denies_all=True)
    assert asking(server, monkeypatch).request("HEAD", "jobs/1/audio").status == 403
    assert server.errors_s == [-ahead_s]


def test_a_mute_refusal_of_a_clock_that_was_set_right_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(ahead_s=3600.0, words=MUTE)
    http = asking(server, monkeypatch)
    http.request("HEAD", "jobs/1/audio")
    server.denies_all = True
    assert http.request("HEAD", "jobs/1/audio").status == 403
    assert server.errors_s == [-3600, 0, 0]
