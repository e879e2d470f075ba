"""Run a measured process and watch how much memory it and its children take."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil

from smsflow_provider.core.errors import ConfigError

_LOOK_EVERY_S = 0.05
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


class Peak:
    """
    The most memory a process and its children have held, children and all.

    Counted is resident memory; the peaks of all of them are added up, as if they had come at the
    same moment, and pages they share count for each. So this is never too little.
    """

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._peaks: dict[int, int] = {}

    def look(self) -> None:
        """Look once more; who has ended keeps the peak seen last."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for one in (self._process, *self._process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess, OSError):
                    peak = peak_bytes_of(one)
                    self._peaks[one.pid] = max(peak, self._peaks.get(one.pid, 0))

    @property
    def total_bytes(self) -> int:
        """All peaks together."""
        return sum(self._peaks.values())


def peak_bytes_of(process: psutil.Process) -> int:
    """Ask Linux for the peak of a process so far, elsewhere for what it holds now."""
    status = Path(f"/proc/{process.pid}/status")
    found = _PEAK.search(status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 if found else int(process.memory_info().rss)


def run_measured(module: str, told: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """
    Run ``python -m module`` with *told* as JSON on its standard input.

    Returns:
        What it wrote to its standard output, read as JSON, and its peak in bytes.

    Raises:
        ConfigError: It failed; what it had to say is on standard error.
    """
    with subprocess.Popen(
        [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        peak, is_over = Peak(process.pid), threading.Event()
        watcher = threading.Thread(target=_watch, args=[peak, is_over], daemon=True)
        watcher.start()
        said, _ = process.communicate(json.dumps(told))
        is_over.set()
        watcher.join()
    if process.returncode != 0:
        raise ConfigError("the measured process failed", exit_code=process.returncode)
    return json.loads(said), peak.total_bytes


def _watch(peak: Peak, is_over: threading.Event) -> None:
    while not is_over.wait(_LOOK_EVERY_S):
        peak.look()
