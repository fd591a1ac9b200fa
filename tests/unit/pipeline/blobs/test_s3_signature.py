"""Our signatures against botocore's: the same request, the same moment, the same signature."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from pipeline.blobs.options import Credentials
from pipeline.blobs.s3.address import S3Address
from pipeline.blobs.s3.signature import Signer, encoded_query

ADDRESS = S3Address.parse("s3://bucket-1?endpoint=http://127.0.0.1:9000&region=eu-central-1")
KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40).filter(
    lambda key: not {"", ".", ".."} & set(key.split("/"))
)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9-]{0,15}", fullmatch=True)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  bounds are naive
OTHER = BotoCredentials("user", "secret")
SIGNER = Signer(ADDRESS, Credentials("user", "secret"))


@given(
    key=KEYS,
    query=st.dictionaries(NAMES, VALUES, max_size=3),
    said=st.dictionaries(NAMES.map(lambda name: f"x-amz-{name.lower()}"), VALUES.map(str.strip), max_size=3),
    body=st.binary(max_size=100),
    moment=MOMENTS,
)
def test_a_signed_request_is_signed_as_botocore_does(
    key: str, query: dict[str, str], said: dict[str, str], body: bytes, moment: datetime
) -> None:
    path, asked = ADDRESS.path(key), encoded_query(query)
    sha256 = hashlib.sha256(body).hexdigest()
    ours = SIGNER.headers("PUT", path, asked, said, sha256=sha256, at_s=moment.timestamp())
    url = f"{ADDRESS.endpoint}{path}" + (f"?{asked}" if asked else "")
    theirs = AWSRequest(method="PUT", url=url, data=body, headers=said)
    with patch("botocore.auth.get_current_datetime", return_value=moment.replace(tzinfo=None)):
        botocore.auth.S3SigV4Auth(OTHER, "s3", ADDRESS.region).add_auth(theirs)
    assert ours["authorization"] == theirs.headers["Authorization"]
    assert ours["x-amz-date"] == theirs.headers["X-Amz-Date"]
    assert {name: ours[name] for name in said} == said


@given(key=KEYS, disposition=VALUES, expires_s=st.integers(1, 604_800), moment=MOMENTS)
def test_a_presigned_url_is_signed_as_botocore_does(
    key: str, disposition: str, expires_s: int, moment: datetime
) -> None:
    query = {"response-content-disposition": disposition}
    ours = SIGNER.presigned_query(ADDRESS.path(key), query, expires_s=expires_s, at_s=moment.timestamp())
    theirs = AWSRequest(method="GET", url=f"{ADDRESS.endpoint}{ADDRESS.path(key)}?{encoded_query(query)}")
    with patch("botocore.auth.get_current_datetime", return_value=moment.replace(tzinfo=None)):
        botocore.auth.S3SigV4QueryAuth(OTHER, "s3", ADDRESS.region, expires=expires_s).add_auth(theirs)
    assert parse_qs(ours, keep_blank_values=True) == parse_qs(urlsplit(str(theirs.url)).query, keep_blank_values=True)


def test_the_key_of_a_day_is_not_that_of_the_next() -> None:
    first = SIGNER.headers("GET", "/b/k", "", {}, sha256="", at_s=0)
    again = SIGNER.headers("GET", "/b/k", "", {}, sha256="", at_s=86_400)
    assert first["authorization"] != again["authorization"]
    assert SIGNER.headers("GET", "/b/k", "", {}, sha256="", at_s=0) == first
