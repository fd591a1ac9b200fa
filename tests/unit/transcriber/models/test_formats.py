"""What the files of a model are: told from a folder, missed by name, hashed as a whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from services.transcriber.models import ModelDamaged, ModelUnavailable, resolve, take, testing, verify
from services.transcriber.models.catalogue import Catalogue, Entry, HubSource
from services.transcriber.models.fetching import Downloads
from services.transcriber.models.formats import ONNX_KINDS, WHISPER, Format, Precision, detect, format_of
from services.transcriber.models.hub import fetch_hub
from services.transcriber.models.progress import silent

ONNX = [(name, precision) for name in ONNX_KINDS for precision in ("float32", "int8")]


def put(folder: Path, format_: Format) -> Path:
    """The smallest folder that is whole, each file with bytes of its own."""
    for pattern in (*format_.weights, *format_.required):
        path = folder / pattern.replace("*", "am-onnx")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pattern.encode())
    return folder


@pytest.mark.parametrize(("name", "precision"), ONNX)
def test_a_folder_tells_what_it_holds(tmp_path: Path, name: str, precision: Precision) -> None:
    format_ = format_of(name, precision)

    assert detect(put(tmp_path, format_)) == format_


def test_whisper_is_told_from_the_others(tmp_path: Path) -> None:
    assert detect(testing.fill(tmp_path / "whisper")) == WHISPER
    assert detect(tmp_path) is None


def test_full_precision_goes_before_quantized(tmp_path: Path) -> None:
    put(tmp_path, format_of("gigaam-v3-ctc", "int8"))
    put(tmp_path, format_of("gigaam-v3-ctc", "float32"))
    found = detect(tmp_path)

    assert found is not None
    assert found.quantization is None


@pytest.mark.parametrize(("name", "precision"), ONNX)
def test_a_file_that_is_missing_is_named(tmp_path: Path, name: str, precision: Precision) -> None:
    format_ = format_of(name, precision)
    put(tmp_path, format_)
    for path in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
        data = path.read_bytes()
        path.unlink()
        assert [data.decode()] == list(format_.lacks(format_.files_in(tmp_path)))
        path.write_bytes(data)


def test_the_hash_of_one_file_is_the_files_own(tmp_path: Path) -> None:
    model = resolve(str(put(tmp_path / "own", format_of("t-one-ctc", "float16"))), cache=tmp_path)

    assert model.sha256 == testing.sha256(b"model.onnx")
    assert model.format.name == "t-one-ctc"


def test_the_hash_of_several_files_is_that_of_their_list_as_sha256sum_prints_it(tmp_path: Path) -> None:
    folder = put(tmp_path / "own", format_of("vosk", "float32"))
    listed = "".join(
        f"{testing.sha256(f'*/{name}.onnx'.encode())}  am-onnx/{name}.onnx\n"
        for name in ("decoder", "encoder", "joiner")
    )
    before = resolve(str(folder), cache=tmp_path).sha256
    (folder / "am-onnx" / "joiner.onnx").write_bytes(b"another")

    assert before == hashlib.sha256(listed.encode()).hexdigest()
    assert resolve(str(folder), cache=tmp_path).sha256 != before


def vosk(*sources: HubSource) -> Catalogue:
    entry = Entry.model_validate(
        {
            "format": "vosk",
            "precision": "float32",
            "parameters_millions": 1,
            "licence": "Apache-2.0",
            "languages": ["ru"],
            "sources": [*sources] or [testing.HUB],
        }
    )
    return Catalogue(models={"own": entry})


def test_a_model_is_taken_from_a_folder_and_needs_it_no_more(tmp_path: Path) -> None:
    given = put(tmp_path / "given", format_of("vosk", "float32"))
    (given / "test.wav").write_bytes(b"what no engine reads")
    cache = tmp_path / "cache"
    taken = take("own", given, cache=cache, catalogue=vosk())
    (given / "am-onnx" / "encoder.onnx").unlink()

    assert taken == resolve("own", cache=cache, catalogue=vosk(), may_fetch=False)
    assert (taken.source, taken.pinned, taken.languages) == ("folder", False, ("ru",))
    assert not (taken.folder / "test.wav").exists()
    assert verify("own", cache=cache, catalogue=vosk()).good
    assert list((cache / "partial").glob("*/*")) == []


def test_a_folder_without_the_model_is_not_taken_and_leaves_nothing(tmp_path: Path) -> None:
    given = put(tmp_path / "given", format_of("vosk", "float32"))
    (given / "am-onnx" / "tokens.txt").unlink()

    with pytest.raises(ModelUnavailable, match=r"lacks \*/tokens\.txt"):
        take("own", given, cache=tmp_path / "cache", catalogue=vosk())
    assert not (tmp_path / "cache" / "models").exists()


def test_an_empty_file_is_not_taken(tmp_path: Path) -> None:
    given = put(tmp_path / "given", format_of("vosk", "float32"))
    (given / "am-onnx" / "tokens.txt").write_bytes(b"")

    with pytest.raises(ModelDamaged, match=r"tokens\.txt"):
        take("own", given, cache=tmp_path / "cache", catalogue=vosk())
    assert not (tmp_path / "cache" / "models").exists()


def test_a_folder_with_a_manifest_is_held_to_it(tmp_path: Path) -> None:
    given = put(tmp_path / "given", format_of("vosk", "float32"))
    first = take("own", given, cache=tmp_path / "first", catalogue=vosk())
    second = take("own", first.folder, cache=tmp_path / "second", catalogue=vosk())
    (first.folder / "am-onnx" / "joiner.onnx").write_bytes(b"fell over on the way")

    assert second.sha256 == first.sha256
    with pytest.raises(ModelDamaged, match=r"joiner\.onnx"):
        take("own", first.folder, cache=tmp_path / "third", catalogue=vosk())


def test_a_model_is_never_taken_over_another(tmp_path: Path) -> None:
    given = put(tmp_path / "given", format_of("vosk", "float32"))
    take("own", given, cache=tmp_path / "cache", catalogue=vosk())

    with pytest.raises(ModelUnavailable, match="already"):
        take("own", given, cache=tmp_path / "cache", catalogue=vosk())


def test_files_in_folders_of_the_hub_come_into_the_same_folders(tmp_path: Path) -> None:
    def download(_: HubSource, *, patterns: tuple[str, ...], cache: Path, **__: object) -> Path:
        assert patterns == format_of("vosk", "float32").patterns
        return put(cache / "snapshot", format_of("vosk", "float32"))

    (tmp_path / "into").mkdir()
    fetch_hub(
        testing.HUB,
        format_of("vosk", "float32"),
        work=tmp_path,
        into=tmp_path / "into",
        download=download,
        progress=silent,
    )

    assert (tmp_path / "into" / "am-onnx" / "encoder.onnx").read_bytes() == b"*/encoder.onnx"


def test_the_message_of_a_model_that_could_not_be_had_names_its_own_files(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"\*/encoder\.onnx.*\*/tokens\.txt.*--from"):
        resolve("own", cache=tmp_path, catalogue=vosk(), downloads=Downloads(hub=testing.no_hub))
