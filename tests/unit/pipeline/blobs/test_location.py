from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.blobs.folder import FolderStore
from pipeline.blobs.location import store_at
from pipeline.blobs.options import Credentials, Encryption
from pipeline.blobs.s3 import S3Store
from pipeline.blobs.s3.address import S3Address
from pipeline.blobs.settings import StoreSettings
from pipeline.errors import Fatal


def test_an_address_names_a_folder_or_a_bucket(tmp_path: Path) -> None:
    assert isinstance(store_at((tmp_path / "store").as_uri()), FolderStore)
    assert isinstance(store_at("s3://calls?endpoint=http://127.0.0.1:9000"), S3Store)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/srv/store",
        "file://host/store",
        "s3://",
        "s3://UPPER?endpoint=http://127.0.0.1:9000",
        "s3://calls/prefix?endpoint=http://127.0.0.1:9000",
        "s3://calls?endpoint=ftp://127.0.0.1",
        "s3://calls?endpoint=http://127.0.0.1:x",
        "s3://calls?endpoint=http://user:word@127.0.0.1",
        "s3://calls?endpont=http://127.0.0.1",
    ],
)
def test_an_address_that_is_none_is_fatal_and_not_repeated(url: str) -> None:
    with pytest.raises(Fatal) as refusal:
        store_at(url)
    assert "word" not in str(refusal.value)


def test_a_bucket_is_named_in_the_path() -> None:
    address = S3Address.parse("s3://calls?endpoint=https://s3.example&region=ru-1")
    assert (address.endpoint, address.host_header, address.port) == ("https://s3.example", "s3.example", 443)
    assert address.path("jobs/1/a b+ё") == "/calls/jobs/1/a%20b%2B%D1%91"
    assert S3Address.parse("s3://calls?region=eu-west-1").endpoint == "https://s3.eu-west-1.amazonaws.com"
    assert S3Address.parse("s3://calls?endpoint=http://[::1]:9000").host_header == "[::1]:9000"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("none", Encryption()),
        ("sse-s3", Encryption("AES256")),
        ("sse-kms", Encryption("aws:kms")),
        ("sse-kms:calls:1", Encryption("aws:kms", "calls:1")),
    ],
)
def test_encryption_is_said_in_a_word(text: str, wanted: Encryption) -> None:
    assert Encryption.parse(text) == wanted


class _Settings(StoreSettings):
    pass


def test_settings_become_options() -> None:
    settings = _Settings(store_url="s3://calls", store_access_key="ingest", store_secret_key="word")
    assert settings.store_options.credentials == Credentials("ingest", "word")
    assert "word" not in repr(settings) + repr(settings.store_options)


@pytest.mark.parametrize("wrong", [{"store_encryption": "rot13"}, {"store_access_key": "ingest"}])
def test_settings_that_do_not_hold_together_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        _Settings.model_validate({"store_url": "s3://calls", **wrong})
