"""Makes the bundle: gathers everything in one folder, writes the sums, packs it."""

from __future__ import annotations

import platform
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from importlib.metadata import version as installed_version
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from razgovor.bundle import python_runtime, wheelhouse
from razgovor.bundle.environment_files import SETTINGS, environment_file
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_place import make_folder
from razgovor.peers.artefacts import Progress, kafka_jars, sha256_of

DATA: Final = "razgovor.bundle"
LOCK_NAME: Final = "requirements.lock"


def make_bundle(source: Path, out: Path, cache: Path, model: str, progress: Progress, *, kafka: bool = True) -> Path:
    """Make one tar for machines like this one (Linux, same architecture).

    Args:
        source: Our source tree.
        out: Folder of the tar; made if absent.
        cache: The user's cache, where the model lies.
        model: Which model goes along; it is there.
        progress: Told what is going on.
        kafka: Whether Kafka's jars go along, for a stack with a lasting broker on a machine with Java.

    Raises:
        PeerMissing: Kafka's jars can't be fetched: no Java or Maven.
        EmbeddedFailed: Something can't be fetched, built or copied.
    """
    if not all((source / lock).is_file() for lock in wheelhouse.LOCKS):
        raise EmbeddedFailed("a bundle is made from a source tree of razgovor")
    release = installed_version("razgovor")
    name = f"razgovor-{release}-linux-{platform.machine()}"
    make_folder(out, 0o755)
    with tempfile.TemporaryDirectory(dir=out, prefix=".bundle-") as scratch:
        folder = Path(scratch) / name
        folder.mkdir()
        wheelhouse.build_wheelhouse(source, folder / "wheels", progress)
        (folder / LOCK_NAME).write_text(wheelhouse.lock_of(folder / "wheels"), encoding="ascii")
        progress("Python: copying the one that runs here")
        python_runtime.copy_python(folder / "python")
        progress(f"model {model}: copying")
        shutil.copytree(cache / "models" / model, folder / "cache" / "models" / model)
        if kafka:
            jars = kafka_jars(progress)
            shutil.copytree(jars, folder / "cache" / "peers" / jars.name)
        shutil.copytree(source / "docs", folder / "docs")
        _write_texts(folder, release)
        progress("packing")
        return _packed(folder, out / f"{name}.tar")


def _write_texts(folder: Path, release: str) -> None:
    for name, content in (("VERSION", release), ("PYTHON", python_runtime.version()), ("MACHINE", platform.machine())):
        (folder / name).write_text(f"{content}\n", encoding="ascii")
    with as_file(files(DATA).joinpath("data")) as data:
        shutil.copy(data / "install.sh", folder / "install.sh")
        shutil.copytree(data / "units", folder / "units")
        (folder / "config").mkdir()
        shutil.copy(data / "razgovor.env", folder / "config" / "razgovor.env")
    (folder / "install.sh").chmod(0o755)
    for service in SETTINGS:
        (folder / "config" / f"{service}.env").write_text(environment_file(service), encoding="utf-8")


def _packed(folder: Path, tar: Path) -> Path:
    """The tar, whole or not at all; entries in order, without our names and times."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    sums = (f"{sha256_of(path)}  {path.relative_to(folder)}\n" for path in paths)
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    scratch = tar.with_suffix(".new")
    with tarfile.open(scratch, "w") as packed:
        for path in sorted(folder.rglob("*")):
            packed.add(path, f"{folder.name}/{path.relative_to(folder)}", recursive=False, filter=_anonymous(folder))
    return scratch.replace(tar)


def _anonymous(folder: Path) -> Callable[[tarfile.TarInfo], tarfile.TarInfo]:
    changed_s = int((folder / "SHA256SUMS").stat().st_mtime)

    def clean(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = changed_s
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    return clean
