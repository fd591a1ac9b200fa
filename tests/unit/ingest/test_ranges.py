"""Parts of files, and files that the client has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.problems import Problem
from services.ingest.web.ranges import is_known, wanted_part
from tests.unit.ingest.rig import Rig, wav

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", range(1)),
        ("bytes=2-4", range(2, 5)),
        ("bytes=8-", range(8, 10)),
        ("bytes=-3", range(7, 10)),
        ("bytes=-99", range(10)),
        ("bytes=5-99", range(5, 10)),
        ("bytes=5-2", None),
        ("bytes=0-1,3-4", None),
        ("bytes=-", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=0-" + "9" * 30, None),
        ("", None),
    ],
)
def test_one_part_is_given_and_all_else_is_the_whole_file(header: str, part: range | None) -> None:
    assert wanted_part({"range": header}, ETAG, 10) == part


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=11-12", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_bytes_that_are_not_there_are_refused_with_the_size(header: str, size: int) -> None:
    with pytest.raises(Problem) as caught:
        wanted_part({"range": header}, ETAG, size)
    assert (caught.value.kind.status, caught.value.headers["Content-Range"]) == (416, f"bytes */{size}")


@given(st.text(max_size=40), st.integers(0, 2**62))
def test_whatever_is_asked_for_a_part_lies_within_the_file(header: str, size: int) -> None:
    try:
        part = wanted_part({"range": f"bytes={header}"}, ETAG, size)
    except Problem as refusal:
        part = None
        status = refusal.kind.status
        if status != 416:
            raise
    assert part is None or 0 <= part.start < part.stop <= size


def test_a_part_of_another_file_is_not_mixed_with_this_one() -> None:
    assert wanted_part({"range": "bytes=0-1", "if-range": '"old"'}, ETAG, 10) is None
    assert wanted_part({"range": "bytes=0-1", "if-range": ETAG}, ETAG, 10) == range(2)


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (None, False),
        (ETAG, True),
        ('"x", "abc"', True),
        ('W/"abc"', True),
        ("*", True),
        ('"x"', False),
        ("x" * 5000, False),
    ],
)
def test_a_tag_says_what_the_client_has(header: str | None, known: bool) -> None:  # noqa: FBT001  a parameter of the test
    assert is_known(header, ETAG) is known


def test_a_player_gets_the_part_it_asks_for() -> None:
    rig = Rig()
    recording = wav(bytes(range(256)) * 4)
    http = rig.http()
    url = f"/v1/jobs/{http.post('/v1/jobs', content=recording).json()['job_id']}/audio"
    whole = http.get(url)
    assert (whole.status_code, whole.content, whole.headers["accept-ranges"]) == (200, recording, "bytes")
    part = http.get(url, headers={"Range": "bytes=44-143", "If-Range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, recording[44:144])
    assert (part.headers["content-range"], part.headers["content-length"]) == (f"bytes 44-143/{len(recording)}", "100")
    beyond = http.get(url, headers={"Range": "bytes=999999-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range_not_satisfiable")
    nothing_new = http.get(url, headers={"If-None-Match": whole.headers["etag"]})
    assert (nothing_new.status_code, nothing_new.content) == (304, b"")
    assert nothing_new.headers["etag"] == whole.headers["etag"]
