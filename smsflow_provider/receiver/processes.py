"""Several receivers on one port: a parent that starts them, keeps them, and ends them."""

from __future__ import annotations

import json
import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

#: Seconds between two looks at the children.
LOOK_S = 0.2
#: Seconds a child lives at least before another takes its place: one that cannot start is not
#: started a hundred times a second.
LEAST_LIFE_S = 2.0
#: Seconds children get to answer the calls they have.
END_S = 20.0

log = logging.getLogger(__name__)


class Children:
    """
    Processes that share one listening socket.

    Each is told what to do by one line of JSON on its standard input, which stays open for as
    long as the parent lives: a child ends when it closes, so none outlives a parent that was
    killed. Secrets are in no argument list.

    Args:
        command: The arguments of a child.
        listener: The socket; a child finds its number under ``fd``.
        told: What every child is told; ``number`` is added, 0 for the first.
        count: How many, 1 or more.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        listener: socket.socket,
        told: Mapping[str, Any],
        count: int,
    ) -> None:
        self._command = list(command)
        self._listener = listener
        self._told = dict(told)
        self._began_s = [0.0] * count
        self._children: list[subprocess.Popen[str] | None] = [None] * count

    def keep(self, is_ending: Callable[[], bool]) -> None:
        """Start them all, and anew whichever dies, until told to end."""
        while not is_ending():
            for number, child in enumerate(self._children):
                if child is None or child.poll() is not None:
                    self._start_anew(number, child)
            time.sleep(LOOK_S)

    def _start_anew(self, number: int, dead: subprocess.Popen[str] | None) -> None:
        if dead is not None and time.monotonic() - self._began_s[number] < LEAST_LIFE_S:
            return
        if dead is not None:
            facts = {"event": "child_died", "code": dead.returncode}
            log.warning("A receiver process died; another takes its place", extra=facts)
            _close(dead)
        self._began_s[number] = time.monotonic()
        self._children[number] = self._start(number)

    def _start(self, number: int) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            text=True,
            pass_fds=[self._listener.fileno()],
            # A Ctrl-C at the terminal is for the parent, which tells its children.
            start_new_session=True,
        )
        if child.stdin is None:
            raise RuntimeError("a child without standard input")
        told = {**self._told, "fd": self._listener.fileno(), "number": number}
        with suppress(BrokenPipeError):
            child.stdin.write(json.dumps(told) + "\n")
            child.stdin.flush()
        return child

    def end(self) -> None:
        """Let every child answer what it has, then make sure that none is left."""
        living = [one for one in self._children if one is not None]
        for child in living:
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + END_S
        for child in living:
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            _close(child)


def run_children(
    command: Sequence[str], *, listener: socket.socket, told: Mapping[str, Any], count: int
) -> None:
    """Keep *count* children running until this process is told to end."""
    children = Children(command, listener=listener, told=told, count=count)
    with _told_to_end() as is_ending:
        try:
            children.keep(is_ending)
        finally:
            children.end()


@contextmanager
def _told_to_end() -> Iterator[Callable[[], bool]]:
    told: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        told.append(number)

    before = {each: signal.signal(each, note) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(told)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _close(child: subprocess.Popen[str]) -> None:
    if child.stdin is not None:
        with suppress(OSError):
            child.stdin.close()


def python_module(name: str) -> list[str]:
    """Write the command that runs a module of ours in this very Python."""
    return [sys.executable, "-m", name]
