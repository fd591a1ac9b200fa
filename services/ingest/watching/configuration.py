"""What is watched, as an operator writes it: one TOML file with watchers and their patterns. Read by `running`.

docs/watching.md explains every name. A fault names the place in the file, never a password.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from pipeline.errors import RazgovorError
from services.ingest.clients import is_client_id
from services.ingest.watching import date_folders, naming
from services.ingest.watching.builtin import BUILTIN, OKTELL
from services.ingest.watching.patterns import PatternError, Patterns, compiled

MAX_FILE_BYTES: Final = 1 << 20
_NAME: Final = r"^[a-z0-9][a-z0-9._-]{0,63}\z"
Name = Annotated[str, StringConstraints(pattern=_NAME)]
Direction = Literal["inbound", "outbound"]
SFTP: Final = "sftp"
SFTP_PORT: Final = 22


class ConfigurationFault(RazgovorError):
    """The file cannot be used; the text says where and why."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PatternSettings(_Part):
    """A pattern of one's own: paths to try in order, and what the words of `{direction}` mean."""

    paths: tuple[str, ...] = Field(min_length=1, max_length=20)
    directions: Mapping[str, Direction] = Field(default_factory=dict)
    direction: Direction | None = None


class SftpAddress(_Part):
    """`sftp://user@host:port/folder`."""

    host: str
    port: int
    user: str
    folder: str


class WatcherSettings(_Part):
    """One source of one client's recordings."""

    client: str = Field(description="Whose recordings they are.")
    source: str = Field(description="A folder, or sftp://user@host:port/folder.")
    pattern: str | None = Field(
        default=None, description="oktell, asterisk, or one of this file; none: names say nothing."
    )
    unmatched: Literal["refuse", "take"] = Field(
        default="refuse", description="What becomes of names of another pattern."
    )
    zone: str | None = Field(default=None, description="Of the PBX's clock, such as Europe/Moscow.")
    folders: str | None = Field(
        default=None,
        description="The folder of a day, such as %Y%m%d; oktell's is known; empty: a file is of the day it was written.",
    )
    days: int = Field(
        default=3, ge=1, le=date_folders.MAX_DAYS, description="Today and the days before it, so many in all."
    )
    suffixes: tuple[str, ...] = Field(
        default=naming.AUDIO_SUFFIXES, description="Of recordings; others are passed over."
    )
    poll_s: float = Field(default=30.0, ge=0.05, le=3600, description="Between two looks.")
    marker: Annotated[str, StringConstraints(pattern=r"^\.[A-Za-z0-9._-]{1,32}\z")] | None = Field(
        default=None, description="A recording is complete once a file with this suffix lies beside it, such as .done."
    )
    sidecar: Literal["none", "optional", "required"] = Field(
        default="optional", description="The file beside a recording: not read, read if it is there, or waited for."
    )
    journal: str | None = Field(
        default=None, description="Oktell's export, with the call's day: %Y%m%d/connections.csv."
    )
    journal_wait_s: float = Field(default=1800.0, ge=0, le=604_800, description="A call waits for its row so long.")
    priority: Literal["interactive", "normal", "bulk"] = Field(
        default="normal", description="Of the jobs; the client's ceiling bounds it."
    )
    after: Literal["leave", "move"] = Field(
        default="leave", description="Leave the source alone, or move to done/, failed/."
    )
    private_key: Path | None = Field(
        default=None, description="Of an SFTP server's user; the user's own ~/.ssh is not read."
    )
    passphrase_file: Path | None = Field(default=None, description="Holds that key's passphrase.")
    password_file: Path | None = Field(default=None, description="Holds the user's password, where there is no key.")
    known_hosts: Path | None = Field(default=None, description="Of an SFTP server: its host key must stand there.")
    timeout_s: float = Field(default=30.0, gt=0, le=600, description="An SFTP server answers within this.")

    @field_validator("client")
    @classmethod
    def _client(cls, text: str) -> str:
        if not is_client_id(text):
            raise ValueError("a client's id")
        return text

    @field_validator("zone")
    @classmethod
    def _zone(cls, text: str | None) -> str | None:
        if text is not None:
            zone(text)
        return text

    @field_validator("folders")
    @classmethod
    def _folders(cls, text: str | None) -> str | None:
        if text is None:
            return None
        layout = text.replace("\\", "/").strip("/")
        date_folders.check(layout)
        return layout

    @field_validator("suffixes")
    @classmethod
    def _suffixes(cls, suffixes: tuple[str, ...]) -> tuple[str, ...]:
        if not suffixes or not set(suffixes) <= set(naming.AUDIO_SUFFIXES):
            raise ValueError(f"out of {', '.join(naming.AUDIO_SUFFIXES)}")
        return suffixes

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.sftp is not None:
            if self.known_hosts is None:
                raise ValueError("an SFTP server needs known_hosts: without its host key anybody could be it")
            if self.private_key is None and self.password_file is None:
                raise ValueError("an SFTP server needs private_key or password_file")
        elif not PurePosixPath(self.source).is_absolute():
            raise ValueError("source: an absolute path, or sftp://user@host:port/folder")
        if self.journal is not None and self.pattern != OKTELL:
            raise ValueError(f"a journal goes with the pattern {OKTELL}")
        if self.pattern == OKTELL and self.zone is None:
            raise ValueError("zone: the names hold the PBX's own time, so say where its clock stands")
        if self.folders and self.zone is None:
            raise ValueError("zone: a day begins where the PBX stands")
        return self

    @property
    def layout(self) -> str:
        """The folder of a day; empty: there is none."""
        if self.folders is not None:
            return self.folders
        return "%Y%m%d" if self.pattern == OKTELL else ""

    @property
    def sftp(self) -> SftpAddress | None:
        """Where the SFTP server is; None: the source is a folder."""
        if not self.source.startswith(f"{SFTP}:"):
            return None
        parts = urlsplit(self.source)
        if not parts.hostname or not parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("source: sftp://user@host:port/folder, without a password")
        folder = unquote(parts.path) or "."
        return SftpAddress(
            host=parts.hostname, port=parts.port or SFTP_PORT, user=unquote(parts.username), folder=folder
        )


class Configuration(_Part):
    """The whole file."""

    watchers: Mapping[Name, WatcherSettings] = Field(default_factory=dict)
    patterns: Mapping[Name, PatternSettings] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known_patterns(self) -> Self:
        taken = sorted(BUILTIN.keys() & self.patterns.keys())
        if taken:
            raise ValueError(f"patterns: {taken[0]} is there already")
        for name in self.patterns:
            self.read_with(name)
        for name, watcher in self.watchers.items():
            if watcher.pattern is not None and watcher.pattern not in {*BUILTIN, *self.patterns}:
                raise ValueError(f"watchers.{name}: there is no pattern {watcher.pattern}")
        return self

    def read_with(self, name: str) -> Patterns:
        """A pattern, ready to read with.

        Raises:
            PatternError: There is none, or it cannot be understood.
        """
        if name in BUILTIN:
            return BUILTIN[name]
        said = self.patterns.get(name)
        if said is None:
            raise PatternError(f"there is no pattern {name}; known: {', '.join((*BUILTIN, *self.patterns))}")
        try:
            directions: dict[str, str] = {word.lower(): means for word, means in said.directions.items()}
            made = [compiled(path, directions=directions or None, direction=said.direction) for path in said.paths]
        except PatternError as error:
            raise PatternError(f"patterns.{name}: {error}") from None
        return Patterns(name, tuple(made))


def zone(name: str) -> ZoneInfo:
    """A zone by its name.

    Raises:
        ValueError: There is none of this name here.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no zone that is known here; say it as Europe/Moscow") from None


def configuration(path: Path) -> Configuration:
    """Read a file.

    Raises:
        ConfigurationFault: It is not there, or says something that cannot be.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise ConfigurationFault(f"{path}: at most {MAX_FILE_BYTES} bytes")
        return Configuration.model_validate(tomllib.loads(data.decode("utf-8")))
    except OSError as error:
        raise ConfigurationFault(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        raise ConfigurationFault(f"{path}: {_first(error)}") from None
    except ValueError as error:  # no TOML, no UTF-8
        raise ConfigurationFault(f"{path}: {error}") from None


def _first(error: ValidationError) -> str:
    fault: Mapping[str, Any] = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    return f"{place or 'the file'}: {str(fault['msg']).removeprefix('Value error, ')}"
