"""
Child processes that end when their owner ends, and can be found again where they did not.

Every child and all that it starts carry one random mark in their environment. The mark is kept in
the home folder, so a later start finds what a killed owner left, and never touches anything else.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from smsflow_provider.core.errors import SmsflowError

#: The variable that carries the mark.
MARK = "SMSFLOW_STACK"
# Airflow writes titles over its environment, where others would read the mark; this forbids it.
_KEEP_ENVIRON = {"SPT_NOENV": "1"}
_TAIL_LINES = 15
# Waits for the end of its pipe, which is the owner's end; then stops all that carry the mark.
_WATCHDOG = """
read -r _
marked() { grep -lzFx "$1" /proc/[0-9]*/environ 2>/dev/null | tr -dc '0-9\\n'; }
kill -TERM $(marked "$1") 2>/dev/null
sleep 5
kill -KILL $(marked "$1") 2>/dev/null
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One process we started, the leader of its own group."""

    #: What people call it: ``api-server``.
    name: str
    process: subprocess.Popen[bytes]
    #: Where its output goes.
    log: Path

    def listens_at(self, port: int) -> bool:
        """Say whether this child, or one of its own, listens at a TCP port."""
        with contextlib.suppress(psutil.Error):
            child = psutil.Process(self.process.pid)
            for process in (child, *child.children(recursive=True)):
                if any(_is_listener(open_, port) for open_ in process.net_connections("tcp")):
                    return True
        return False


@dataclass(slots=True, kw_only=True)
class Household:
    """
    The children of one home folder.

    A child never gets the terminal's Ctrl-C: the owner stops it. Where the owner is killed, a
    small shell at the end of a pipe asks the children to stop, and ends them five seconds later.
    (It finds them in ``/proc``; on a system without that, the next start ends them.)
    """

    #: Holds ``logs/<name>.log`` and the mark.
    home: Path
    _mark: str = ""
    _children: list[Child] = field(default_factory=list)
    _watchdog: subprocess.Popen[bytes] | None = None

    def run(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], timeout_s: float
    ) -> None:
        """
        Run a command to its end.

        Raises:
            SmsflowError: It failed, or took longer than *timeout_s*.
        """
        child = self.spawn(name, command, env=env)
        try:
            code = child.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise SmsflowError(
                "a step took too long", step=name, seconds=timeout_s, log=str(child.log)
            ) from None
        finally:
            self.stop_child(name)
        if code != 0:
            raise _failure("a step failed", child)

    def spawn(self, name: str, command: Sequence[str], *, env: Mapping[str, str]) -> Child:
        """
        Start a child with exactly this environment and the mark; its output goes to a log.

        It takes the place of a dead one of the same name.
        """
        self._children = [c for c in self._children if c.name != name or c.process.poll() is None]
        log = self.home / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                list(command),
                env={**env, **_KEEP_ENVIRON, MARK: self._marked()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child = Child(name=name, process=process, log=log)
        self._children.append(child)
        self._guard()
        return child

    def child(self, name: str) -> Child:
        """Find a child by its name; the youngest of that name."""
        for child in reversed(self._children):
            if child.name == name:
                return child
        raise SmsflowError("no such child", name=name, children=[c.name for c in self._children])

    def check(self) -> None:
        """
        Raise if a child has died.

        Raises:
            SmsflowError: It names the child and its log, with the end of that log.
        """
        for child in self._children:
            if child.process.poll() is not None:
                raise _failure("a process has died", child)

    def stop_child(self, name: str, *, grace_s: float = 5.0) -> None:
        """Stop one child and its group, by force after *grace_s*."""
        child = self.child(name)
        _signal_group(child.process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(grace_s)
        _signal_group(child.process, signal.SIGKILL)
        child.process.wait()
        self._children.remove(child)

    def stop(self, *, grace_s: float = 5.0) -> None:
        """Stop all children, the youngest first, by force after *grace_s*. Leaves none."""
        for child in reversed(self._children):
            _signal_group(child.process, signal.SIGTERM)
        deadline = time.monotonic() + grace_s
        for child in self._children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, deadline - time.monotonic()))
        for child in self._children:
            _signal_group(child.process, signal.SIGKILL)
            child.process.wait()
        self._children.clear()
        self._release_watchdog()
        stop_leftovers(self.home)

    def _marked(self) -> str:
        """Read our mark, made and written down at the first child."""
        if not self._mark:
            self._mark = secrets.token_hex(16)
            self.home.mkdir(parents=True, exist_ok=True)
            _mark_file(self.home).write_text(self._mark)
        return self._mark

    def _guard(self) -> None:
        """Start the watchdog with the first child. It does not carry the mark itself."""
        if self._watchdog is None:
            self._watchdog = subprocess.Popen(
                ["/bin/sh", "-c", _WATCHDOG, "smsflow-watchdog", f"{MARK}={self._marked()}"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env={"PATH": "/usr/bin:/bin"},
            )

    def _release_watchdog(self) -> None:
        """End the watchdog before its pipe: there is nothing left to stop."""
        if self._watchdog is None:
            return
        self._watchdog.kill()
        self._watchdog.wait()
        if self._watchdog.stdin is not None:
            self._watchdog.stdin.close()
        self._watchdog = None


def stop_leftovers(home: Path) -> list[int]:
    """
    End every process that carries the mark of *home*, and forget the mark.

    Only for a home nobody is running: it ends a running one's children as well.

    Returns:
        The ids of the processes that were ended.
    """
    file = _mark_file(home)
    mark = file.read_text().strip() if file.exists() else ""
    ended: list[psutil.Process] = []
    for process in _marked_by(mark) if mark else ():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
            ended.append(process)
    psutil.wait_procs(ended, timeout=10)
    file.unlink(missing_ok=True)
    return [process.pid for process in ended]


def tail_of(log: Path, *, lines: int = _TAIL_LINES) -> str:
    """Read the last lines of a log; empty when there is none."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _is_listener(connection: Any, port: int) -> bool:
    return bool(connection.status == psutil.CONN_LISTEN and connection.laddr.port == port)


def _mark_file(home: Path) -> Path:
    return home / "stack.mark"


def _marked_by(mark: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark and process.pid != os.getpid():
                yield process


def _failure(problem: str, child: Child) -> SmsflowError:
    return SmsflowError(
        problem,
        name=child.name,
        exit_code=child.process.returncode,
        log=str(child.log),
        tail=tail_of(child.log),
    )


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal a child and its group; not once it has ended, when its number may be another's."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
