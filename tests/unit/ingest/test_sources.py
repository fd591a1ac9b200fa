from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.blobs.memory import MemoryStore
from pipeline.blobs.options import StoreOptions
from pipeline.blobs.ports import BlobInfo, StoreRefusal
from pipeline.errors import Fatal, Transient
from services.ingest.adapters.sources import FolderSources, S3Sources, sources_at
from services.ingest.sources import NoSuchObject, Reference, SourceAway, Sources, covers, is_source, parse, reference

A = Reference("acme-calls", "2026/a.wav")
_NAMES = st.text(alphabet="ab./-", min_size=1, max_size=12)


@pytest.mark.parametrize(
    "text", ["s3://acme-calls/", "s3://acme-calls/2026/", "s3://acme-calls/a b/ц/", "s3://a.b-c/1/2/3/"]
)
def test_a_source_is_a_bucket_or_a_prefix_that_ends_with_a_slash(text: str) -> None:
    assert is_source(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s3://",
        "s3://acme-calls",
        "s3://acme-calls/2026",
        "s3:///2026/",
        "acme-calls/",
        "s3://acme-calls//",
        "s3://acme-calls/../",
        "s3://acme-calls/./x/",
        "s3://Acme/",
        "https://acme-calls/",
        "s3://u@acme-calls/",
        "s3://ab/",
    ],
)
def test_what_is_no_source(text: str) -> None:
    assert not is_source(text)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "s3://",
        "s3://acme-calls",
        "s3://acme-calls/",
        "s3://acme-calls/a//b",
        "s3://acme-calls/../b/c",
        "s3:acme-calls/a",
        "s3://acme-calls/a\nb",
        "s3://acme-calls/a/.",
        "s3://acme_calls/a",
        "file:///a/b",
        f"s3://acme-calls/{'ц' * 513}",
    ],
)
def test_what_names_no_object(url: str) -> None:
    assert parse(url) is None


def test_a_key_is_taken_as_it_stands() -> None:
    assert parse("s3://acme-calls/a b/%2e%2e/ц?x#y.wav") == Reference("acme-calls", "a b/%2e%2e/ц?x#y.wav")


@given(st.lists(_NAMES, max_size=3), _NAMES)
def test_what_a_source_covers_lies_below_it(prefixes: list[str], key: str) -> None:
    sources = [source for prefix in prefixes if is_source(source := f"s3://acme-calls/{prefix}/")]
    wanted = reference("acme-calls", key)
    if wanted is not None:
        parts = key.split("/")
        below = any(parts[:-1][: len(own)] == own for own in (source[16:-1].split("/") for source in sources))
        assert covers(sources, wanted) == below
        assert not covers(sources, Reference("acme-calls-2", key))


def test_a_rivals_prefix_is_not_covered_by_its_beginning() -> None:
    assert not covers(("s3://calls/acme/",), Reference("calls", "acme-rival/a.wav"))
    assert covers(("s3://calls/",), Reference("calls", "acme-rival/a.wav"))


def read(sources: Sources, wanted: Reference = A) -> bytes:
    with sources.open(wanted) as incoming:
        data = b"".join(incoming.chunks)
        assert incoming.size_bytes == len(data)
        return data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "sources"
    (root / "acme-calls" / "2026").mkdir(parents=True)
    (root / "acme-calls" / "2026" / "a.wav").write_bytes(b"a" * 300_000)
    (root / "rival-calls").mkdir()
    (root / "rival-calls" / "b.wav").write_bytes(b"b")
    return root


def test_a_folder_gives_what_lies_in_a_bucket(folder: Path) -> None:
    assert read(sources_at(folder.as_uri(), StoreOptions())) == b"a" * 300_000


@pytest.mark.parametrize("key", ["2026/b.wav", "2026", "2026/a.wav/x", "nothing/at/all"])
def test_a_folder_says_what_is_not_there(folder: Path, key: str) -> None:
    with pytest.raises(NoSuchObject):
        read(FolderSources(folder), Reference("acme-calls", key))


def test_a_link_that_leads_out_of_its_bucket_is_not_there(folder: Path) -> None:
    (folder / "acme-calls" / "2026" / "out.wav").symlink_to(folder / "rival-calls" / "b.wav")
    (folder / "acme-calls" / "2026" / "in.wav").symlink_to(folder / "acme-calls" / "2026" / "a.wav")
    (folder / "acme-calls" / "up").symlink_to(folder / "rival-calls", target_is_directory=True)
    for key in ("2026/out.wav", "up/b.wav"):
        with pytest.raises(NoSuchObject):
            read(FolderSources(folder), Reference("acme-calls", key))
    assert read(FolderSources(folder), Reference("acme-calls", "2026/in.wav")) == b"a" * 300_000


class _Bucket(MemoryStore):
    """Fails for a key, or for all."""

    def __init__(self, error: Exception, *, everywhere: bool = False) -> None:
        super().__init__()
        self._error = error
        self._everywhere = everywhere

    def stat(self, key: str) -> BlobInfo | None:
        if key == A.key or self._everywhere:
            raise self._error
        return super().stat(key)


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket", "status 403"])
def test_a_bucket_that_is_not_for_us_denies_the_object(code: str) -> None:
    with pytest.raises(NoSuchObject) as refused:
        read(S3Sources(lambda _bucket: _Bucket(StoreRefusal(code))))
    assert refused.value.denied


def test_our_own_bucket_is_nobodys_source() -> None:
    sources = sources_at("s3://?endpoint=http://127.0.0.1:1", StoreOptions(), store_url="s3://acme-calls?endpoint=x")
    with pytest.raises(NoSuchObject) as refused:
        read(sources)
    assert refused.value.denied


@pytest.mark.parametrize("error", [StoreRefusal("InvalidAccessKeyId"), Fatal("the store's certificate is not trusted")])
def test_a_refusal_that_concerns_every_bucket_is_waited_for(error: Exception) -> None:
    with pytest.raises(SourceAway):
        read(S3Sources(lambda _bucket: _Bucket(error)))


def test_a_store_that_answers_nothing_is_waited_for_and_one_that_keeps_one_object_back_is_not() -> None:
    with pytest.raises(SourceAway):
        read(S3Sources(lambda _bucket: _Bucket(Transient("store: 500"), everywhere=True)))
    with pytest.raises(Transient) as one:
        read(S3Sources(lambda _bucket: _Bucket(Transient("store: 500"))))
    assert not isinstance(one.value, SourceAway)


@pytest.mark.parametrize(
    "url",
    ["", "s3://bucket?endpoint=http://127.0.0.1", "s3://?endpoint=x", "file://host/folder", "https://example.org"],
)
def test_an_address_of_no_sources_ends_the_process(url: str) -> None:
    with pytest.raises(Fatal):
        sources_at(url, StoreOptions())
