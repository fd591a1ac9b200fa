"""What peers are made of, in the user's cache: Kafka's jars, the schema registry's, MinIO's binary. Fetched or built once.

Everything is pinned. Jars are held against hashes of ours; Go checks MinIO's source against its checksum database.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from razgovor.cache import cache_folder
from razgovor.embedded import folder_lock
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_place import make_folder
from razgovor.peers.programs import GO, JAVA, MAVEN, require

if TYPE_CHECKING:
    from collections.abc import Iterator

KAFKA_VERSION: Final = "4.4.0"
REGISTRY_VERSION: Final = "2.6.13.Final"
REGISTRY_ARTEFACT: Final = f"io.apicurio:apicurio-registry-app:{REGISTRY_VERSION}:tar.gz:all"
REGISTRY_SHA256: Final = "3cda1b34aa020fb4ac4dd6a66018d757e81e437f97e20a1f92d366b70091c6ba"
#: The last release before the project was archived: nothing newer will come, so the pin is for good.
MINIO_VERSION: Final = "v0.0.0-20260212201848-7aac2a2c5b7c"
BUILD_TIMEOUT_S: Final = 3_600.0
FETCH_TIMEOUT_S: Final = 1_200.0
LOCK_TIMEOUT_S: Final = BUILD_TIMEOUT_S

#: Told what is going on, a short line at a time.
Progress: TypeAlias = Callable[[str], None]


def silent(_what: str) -> None:
    """For whoever needs no progress."""


def peers_cache() -> Path:
    """Where all of it lies."""
    return cache_folder(os.environ) / "peers"


def kafka_jars(progress: Progress = silent) -> Path:
    """The folder of Kafka's jars.

    Raises:
        PeerMissing: No Java or Maven to fetch them with.
        EmbeddedFailed: They can't be fetched, or are not those that we know.
    """
    folder = peers_cache() / f"kafka-{KAFKA_VERSION}"
    return made(folder, lambda scratch: _fetch_kafka(scratch, progress))


def registry_folder(progress: Progress = silent) -> Path:
    """The folder of the unpacked schema registry.

    Raises:
        PeerMissing: No Java or Maven to fetch it with.
        EmbeddedFailed: It can't be fetched, or is not the one that we know.
    """
    folder = peers_cache() / f"apicurio-{REGISTRY_VERSION}"
    return made(folder, lambda scratch: _fetch_registry(scratch, progress))


def minio_binary(progress: Progress = silent) -> Path:
    """MinIO's server; seven minutes of one core the first time.

    Raises:
        PeerMissing: No Go to build it with.
        EmbeddedFailed: It can't be built.
    """
    return made(_minio_folder(), lambda scratch: _build_minio(scratch, progress)) / "minio"


def minio_built() -> bool:
    """Whether MinIO's server is in the cache."""
    return _minio_folder().is_dir()


def _minio_folder() -> Path:
    return peers_cache() / f"minio-{MINIO_VERSION.split('-')[1]}"


def made(folder: Path, make: Callable[[Path], None]) -> Path:
    """The folder, made whole or not at all, by one of all who want it; `make` fills the empty one that it gets."""
    if folder.is_dir():
        return folder
    make_folder(folder.parent, 0o755)
    with _alone(folder):
        if not folder.is_dir():
            scratch = folder.with_name(f"{folder.name}.new")
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir()
            make(scratch)
            scratch.replace(folder)
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = folder_lock.take(
        folder.with_name(f"{folder.name}.lock"), timeout_s=LOCK_TIMEOUT_S, otherwise=f"another process makes {folder}"
    )
    try:
        yield
    finally:
        os.close(lock)


def _fetch_kafka(folder: Path, progress: Progress) -> None:
    progress(f"Kafka {KAFKA_VERSION}: fetching its jars (45 MB)")
    pom = folder / "pom.xml"
    pom.write_bytes(files("razgovor.peers").joinpath("data", "kafka-pom.xml").read_bytes())
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    _maven(["--file", str(pom), *goal])
    pom.unlink()
    verify(folder, files("razgovor.peers").joinpath("data", "kafka-jars.sha256").read_text(encoding="ascii"))


def verify(folder: Path, listed: str) -> None:
    """Hold a folder's jars against a list as `sha256sum` writes it.

    Raises:
        EmbeddedFailed: They differ; the text names which.
    """
    wanted = {name: digest for digest, name in (line.split() for line in listed.splitlines())}
    found = {path.name: sha256_of(path) for path in folder.glob("*.jar")}
    if found != wanted:
        differ = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
        raise EmbeddedFailed(f"not the jars that we know: {', '.join(differ)}")


def _fetch_registry(folder: Path, progress: Progress) -> None:
    progress(f"schema registry {REGISTRY_VERSION}: fetching (142 MB)")
    _maven(["org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy", f"-Dartifact={REGISTRY_ARTEFACT}",
            f"-DoutputDirectory={folder}", "-Dmdep.useBaseVersion=true"])  # fmt: skip
    archive = next(folder.glob("*.tar.gz"))
    if sha256_of(archive) != REGISTRY_SHA256:
        raise EmbeddedFailed(f"not the archive that we know: {archive.name}")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    archive.unlink()


def _maven(arguments: list[str]) -> None:
    require(JAVA)
    maven = require(MAVEN)
    command = [str(maven), "--batch-mode", "--quiet", "--strict-checksums", "--no-transfer-progress", *arguments]
    done = subprocess.run(
        command,
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=FETCH_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise EmbeddedFailed(f"Maven could not fetch: {(done.stdout + done.stderr)[-2000:].strip()}")


def _build_minio(folder: Path, progress: Progress) -> None:
    go = require(GO)
    progress("MinIO: fetching its source, then building (minutes, once)")
    process = subprocess.Popen(
        [str(go), "install", "-v", "-trimpath", "-ldflags=-s -w", f"github.com/minio/minio@{MINIO_VERSION}"],
        cwd="/",
        env={**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    said: list[str] = []
    with process:
        for line in process.stderr or ():
            said = [*said[-19:], line]
            if not line.startswith("go: "):
                progress(f"MinIO: building, {line.strip()}")
    if process.returncode != 0:
        raise EmbeddedFailed(f"MinIO could not be built: {''.join(said).strip()}")


def sha256_of(path: Path) -> str:
    """The hash of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
