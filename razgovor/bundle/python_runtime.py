"""A copy of the Python that runs here, with the libraries it needs, that works wherever it is put.

For targets without a Python of this version. No package index carries a relocatable Python, so the interpreter that tested the
release goes along: its program, its standard library, and what both link to apart from the C library, which every Linux of the
wheels' age (glibc 2.28) has. `patchelf` makes them find each other by their own place.
"""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from razgovor.bundle.wheelhouse import run
from razgovor.embedded.errors import EmbeddedFailed

PATCHELF: Final = (
    "patchelf==0.17.2.4"
    " --hash=sha256:d9b35ebfada70c02679ad036407d9724ffe1255122ba4ac5e4be5868618a5689"  # x86_64
    " --hash=sha256:2931a1b5b85f3549661898af7bf746afbda7903c7c9a967cfc998a3563f84fad"  # aarch64
)
#: The C library is the target's: program and library must be of one making, and the newer one runs the older's programs.
OF_THE_SYSTEM: Final = re.compile(
    r"^(ld-linux.*|lib(c|m|dl|pthread|rt|util|resolv|nsl|anl|mvec|crypt)\.so.*|linux-vdso.*)$"
)
#: Parts of the standard library that nothing of ours uses and that would drag in windows and terminals.
LEFT_OUT: Final = (
    "test", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip", "site-packages", "dist-packages", "__pycache__",
    "config-*",
)  # fmt: skip
MODULES_LEFT_OUT: Final = re.compile(
    r"^(_tkinter|_curses.*|readline|nis|_dbm|_gdbm|ossaudiodev|_test.*|_xx.*|xxlimited.*)\."
)


def version() -> str:
    """The Python version that the wheels are for: `3.11`."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def copy_python(folder: Path) -> None:
    """Make `folder/bin/python3` and all it needs.

    Raises:
        EmbeddedFailed: This Python can't be copied.
    """
    base = Path(sys.base_prefix)
    library = Path(sysconfig.get_path("stdlib"))
    target = folder / library.relative_to(base)
    shutil.copytree(library, target, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    modules = [path for path in (target / "lib-dynload").glob("*.so") if not _removed(path)]
    program = folder / "bin" / f"python{version()}"
    program.parent.mkdir(parents=True)
    shutil.copy2(Path(base / "bin" / program.name).resolve(), program)
    program.chmod(0o755)
    program.with_name("python3").symlink_to(program.name)
    libraries = folder / "lib"
    needed = _linked([Path(base / "bin" / program.name), *(library / "lib-dynload" / path.name for path in modules)])
    for name, path in needed.items():
        shutil.copy2(path.resolve(), libraries / name)
        (libraries / name).chmod(0o755)
    with tempfile.TemporaryDirectory() as scratch:
        patchelf = _patchelf(Path(scratch))
        _set_path(patchelf, [program], "$ORIGIN/../lib")
        _set_path(patchelf, (libraries / name for name in needed), "$ORIGIN")
        _set_path(patchelf, modules, "$ORIGIN/" + "../" * len((target / "lib-dynload").relative_to(libraries).parts))


def _removed(module: Path) -> bool:
    unwanted = MODULES_LEFT_OUT.match(module.name) is not None
    if unwanted:
        module.unlink()
    return unwanted


def _linked(programs: Iterable[Path]) -> dict[str, Path]:
    """The libraries that these link to, and those to others, by name; without the C library."""
    found: dict[str, Path] = {}
    for program in programs:
        for name, path in re.findall(r"^\s*(\S+) => (\S+|not found)", run(["ldd", str(program)]), re.MULTILINE):
            if OF_THE_SYSTEM.match(name):
                continue
            if not path.startswith("/"):
                raise EmbeddedFailed(f"{program} needs {name}, which is not here")
            found[name] = Path(path)
    return found


def _patchelf(scratch: Path) -> Path:
    """The program out of its wheel."""
    wanted = scratch / "patchelf.txt"
    wanted.write_text(PATCHELF, encoding="ascii")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*command, "--only-binary=:all:", "--require-hashes", "--dest", str(scratch), "--requirement", str(wanted)])
    with zipfile.ZipFile(next(scratch.glob("*.whl"))) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith("/patchelf"))
        program = Path(wheel.extract(name, scratch))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def _set_path(patchelf: Path, files: Iterable[Path], where: str) -> None:
    for file in files:
        file.chmod(file.stat().st_mode | stat.S_IWUSR)
        # The older kind of path, which also holds for what libraries of libraries need.
        subprocess.run([str(patchelf), "--force-rpath", "--set-rpath", where, str(file)], check=True)
