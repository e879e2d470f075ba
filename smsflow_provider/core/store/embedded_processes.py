"""
The processes of the embedded server: start a child, see what runs on a data folder, stop it.

A server has two processes of ours: the server itself, and a shell that waits for the end of a
pipe whose other end only the owner holds. However the owner ends, the pipe ends with it, and the
shell asks the server to stop.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from smsflow_provider.core.store.embedded_files import Account

_PAUSE_S = 0.02
_WATCHDOG = 'read -r _; read -r pid < "$1" && kill -INT "$pid"'


def for_child(account: Account | None) -> dict[str, Any]:
    """Arguments for every child: no terminal signals, no settings of ours, a folder it may read."""
    common: dict[str, Any] = {
        "start_new_session": True,
        "cwd": "/",
        "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
    }
    return common | ({} if account is None else account.for_child())


def end(server: subprocess.Popen[bytes]) -> None:
    """Ask a server of ours to stop, harder each time. The last two mean recovery next time."""
    for number, patience_s in ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        server.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(patience_s)
            return


def watch(data: Path, account: Account | None) -> subprocess.Popen[bytes]:
    """Start the shell that stops the server when our end of its pipe closes."""
    return subprocess.Popen(
        ["/bin/sh", "-c", _WATCHDOG, "smsflow-watchdog", data / "postmaster.pid"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **for_child(account),
    )


def dismiss(watchdog: subprocess.Popen[bytes]) -> None:
    """Let the watchdog go. It is called after the server's end: there is nothing left to stop."""
    if watchdog.stdin is not None:
        watchdog.stdin.close()
    watchdog.wait()


def stop_leftover(data: Path) -> None:
    """
    Stop a server that runs on the folder *data* without an owner, and forget a dead one.

    The process id in ``postmaster.pid`` may meanwhile belong to another program: only a process
    whose command line names *data* is stopped. The caller holds the lock of the folder.
    """
    pid = _recorded_pid(data)
    if pid is None:
        return
    for number, patience_s in ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        if _is_server(pid, data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            _wait_gone(pid, data, patience_s=patience_s)
    if not _is_server(pid, data):
        (data / "postmaster.pid").unlink(missing_ok=True)


def is_ready(data: Path, pid: int) -> bool:
    """Say whether the server *pid* accepts connections; it writes so beside its data."""
    lines = _status_of(data)
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _wait_gone(pid: int, data: Path, *, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while _is_server(pid, data) and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)


def _is_server(pid: int, data: Path) -> bool:
    return str(data) in _command_of(pid).split("\0")


def _command_of(pid: int) -> str:
    """Read the arguments of a process, each ended by NUL; empty when it is gone or a zombie."""
    if not sys.platform.startswith("linux"):
        shown = subprocess.run(
            ["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
        )
        return shown.stdout.strip().replace(" ", "\0")
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _status_of(data: Path) -> list[str]:
    """Read the lines of ``postmaster.pid``: the process id first, its readiness eighth."""
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _recorded_pid(data: Path) -> int | None:
    lines = _status_of(data)
    return int(lines[0]) if lines and lines[0].isdigit() else None
