"""
Erasures that are killed at each call: ``python -m tests.integration.killed_erase DSN PHONE``.

One process after the other erases the same person and dies by SIGKILL, the first at its first
call, the second at its second, until one gets to the end; they are forked from this one, which has
everything loaded and has done nothing. Calls are commits of the store, before and behind, and what
is done to files. Prints how many were killed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PosixPath
from typing import Any

from smsflow_provider.cli.erase import person_of
from smsflow_provider.core.audience.place import local_path, remove_whole
from smsflow_provider.core.delivery.erase import KeptFiles, erase
from smsflow_provider.core.store.connection import Connection, Store

_left = [0]


def come() -> None:
    """Die, if this is the call."""
    _left[0] -= 1
    if _left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)


class KilledStore(Store):
    """A store whose commits are calls."""

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        with super().transaction() as connection:
            yield connection
            come()
        come()


class KilledPath(PosixPath):
    """A path whose changes are calls."""

    def open(self, mode: str = "r", *args: Any, **kw: Any) -> Any:
        come()
        return super().open(mode, *args, **kw)

    def rename(self, target: Any) -> Any:
        come()
        done = super().rename(target)
        come()
        return done

    def unlink(self, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002  as pathlib has it
        super().unlink(missing_ok=missing_ok)
        come()


def place_of(uri: str) -> KilledPath:
    return KilledPath(uri if uri.startswith("/") else local_path(uri) or uri)


def run(dsn: str, phone: int) -> None:
    files = KeptFiles(
        open_file=lambda uri: place_of(uri).open("rb"),
        at=place_of,
        remove=lambda uri: remove_whole(place_of(uri)),
    )
    erase(KilledStore(dsn), person_of(phone), files=files)


def forked(act: Callable[[], None]) -> int:
    """Run *act* in a process of its own; returns the signal that ended it, 0: none did."""
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:  # noqa: BLE001  nothing of the parent may run in the child
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError
    return os.WTERMSIG(status)


def main(dsn: str, phone: int) -> int:
    killed = 0
    while True:
        _left[0] = killed + 1
        if forked(lambda: run(dsn, phone)) == 0:
            return killed
        killed += 1


if __name__ == "__main__":
    print(main(sys.argv[1], int(sys.argv[2])))  # noqa: T201  its answer
