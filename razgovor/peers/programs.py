"""Programs of the machine that peers are run or made by: found, or named with how to get them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from razgovor.peers.errors import PeerMissing

OLDEST_JAVA: Final = 17
TIMEOUT_S: Final = 30.0
DEBIAN_POSTGRES: Final = Path("/usr/lib/postgresql")
JAVA_HOMES: Final = Path("/usr/lib/jvm")
#: Folders that servers lie in and a shell's PATH often leaves out.
OFTEN_LEFT_OUT: Final = ("/usr/local/go/bin", "/usr/sbin", "/usr/local/sbin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A program, what it is for, and where to get it.

    Attributes:
        package: Debian's, None where Debian's is too old.
    """

    program: str
    purpose: str
    package: str | None
    how: str

    @property
    def told(self) -> str:
        """What to say when it is not there."""
        return f"{self.program} is not here: {self.purpose} {self.how}"


def of_debian(program: str, purpose: str, package: str, *, otherwise: str = "") -> Need:
    """A program that a package of Debian's brings; `otherwise` says what else will do."""
    return Need(program=program, purpose=purpose, package=package, how=f"Debian: apt-get install {package}{otherwise}.")


JAVA: Final = of_debian(
    "java >= 17",
    "Kafka and the schema registry run on it.",
    "openjdk-17-jre-headless",
    otherwise=" (or JAVA_HOME of another one)",
)
MAVEN: Final = of_debian("mvn", "it fetches the jars of Kafka and of the schema registry, once.", "maven")
GO: Final = Need(
    program="go",
    purpose="it builds MinIO, once.",
    package=None,  # Debian 12 has 1.19; MinIO's pinned source asks for a newer one
    how="Get 1.24 or newer from https://go.dev/dl and put it on the PATH.",
)
SSHD: Final = of_debian("sshd", "it is the SFTP server.", "openssh-server")
SSH_KEYGEN: Final = of_debian("ssh-keygen", "it makes the keys of the SFTP server.", "openssh-client")
PROMTOOL: Final = of_debian(
    "promtool", "it checks the configuration and the alerts of compose/prometheus.", "prometheus"
)

KCAT: Final = of_debian("kcat", "it reads the topics as a stranger would, in the tests of docs/events.", "kcat")
JAVAC: Final = of_debian("javac", "it compiles the Java example of docs/events.", "openjdk-17-jdk-headless")
#: What tests beside the peers run.
OF_TESTS: Final = (PROMTOOL, KCAT, JAVAC)


def find(need: Need) -> Path | None:
    """Where a program is, None if it is not here."""
    if need is JAVA:
        return _java()
    found = shutil.which(need.program, path=search_path(os.environ))
    return None if found is None else Path(found)


def require(need: Need) -> Path:
    """Where a program is.

    Raises:
        PeerMissing: It is not here; the text says how to get it.
    """
    found = find(need)
    if found is None:
        raise PeerMissing(need.told)
    return found


def search_path(environment: Mapping[str, str]) -> str:
    """The PATH, with the folders that it often leaves out."""
    return os.pathsep.join((environment.get("PATH", os.defpath), *OFTEN_LEFT_OUT))


def lacking(needs: Sequence[Need]) -> list[Need]:
    """Those of these that are not here."""
    return [need for need in needs if find(need) is None]


def debian_postgres() -> Path | None:
    """The programs of Debian's newest PostgreSQL server, None if none is installed."""
    found = [path for path in DEBIAN_POSTGRES.glob("*/bin/postgres") if path.parts[-3].isdigit()]
    return max(found, key=lambda path: int(path.parts[-3])).parent if found else None


def _java() -> Path | None:
    for candidate in _java_candidates():
        if java_version(candidate) >= OLDEST_JAVA:
            return candidate
    return None


def _java_candidates() -> list[Path]:
    home = os.environ.get("JAVA_HOME")
    on_path = shutil.which("java")
    found = [Path(home) / "bin" / "java"] if home else []
    found += [Path(on_path)] if on_path else []
    return [*found, *sorted(JAVA_HOMES.glob("*/bin/java"))]


@cache
def java_version(java: Path) -> int:
    """The major version of a Java; 0 if it does not run."""
    try:
        done = subprocess.run(
            [str(java), "-version"], capture_output=True, text=True, timeout=TIMEOUT_S, check=False, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(\d+)', done.stderr + done.stdout)
    return int(found[1]) if found else 0
