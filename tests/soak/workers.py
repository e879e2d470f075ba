"""Several workers that are started again whenever they end before the delivery has."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.soak.worker import ENDED_BY, Orders

ROOT = Path(__file__).parents[2]


class Workers:
    """
    Processes of ``tests.soak.worker``, by number from 0.

    Args:
        log: What they say goes there.
    """

    def __init__(self, orders: Orders, *, count: int, log: Path) -> None:
        self._command = [sys.executable, "-m", "tests.soak.worker", orders.written()]
        self._log = log
        self._frozen: set[int] = set()
        self.started = 0
        self._running = {number: self._start() for number in range(count)}

    @property
    def has_ended(self) -> bool:
        """Whether all of them say that the delivery has ended."""
        return not self._running

    def tend(self) -> None:
        """Start again those that ended before their time; let go those that are done."""
        for number, process in list(self._running.items()):
            status = process.poll()
            if status == 0:
                del self._running[number]
            elif status is not None:
                self._frozen.discard(number)
                self._running[number] = self._start()

    def living(self) -> list[int]:
        """List those that run and are not frozen."""
        return [
            number
            for number, process in self._running.items()
            if process.poll() is None and number not in self._frozen
        ]

    def kill(self, number: int) -> None:
        """End one with SIGKILL."""
        self._running[number].kill()
        self._running[number].wait(timeout=10)

    def freeze(self, number: int) -> None:
        """Stop one in the middle of whatever it does."""
        self._running[number].send_signal(signal.SIGSTOP)
        self._frozen.add(number)

    def thaw(self, number: int) -> None:
        """Let a frozen one go on."""
        if number in self._frozen:
            self._running[number].send_signal(signal.SIGCONT)
            self._frozen.discard(number)

    def stop(self) -> None:
        """End all of them."""
        for process in self._running.values():
            process.kill()
            process.wait(timeout=10)
        self._running = {}

    def ended_by(self) -> Counter[str]:
        """Count the errors that ended workers, by type; ``Traceback``: one that is none of ours."""
        lines = self._log.read_text(errors="replace").splitlines()
        named = [line for line in lines if line.startswith((ENDED_BY, "Traceback"))]
        return Counter(
            line.removeprefix(ENDED_BY).partition(":")[0].partition(" ")[0] for line in named
        )

    def _start(self) -> subprocess.Popen[bytes]:
        self.started += 1
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
