"""Where the demo speaks: lines with the time since the start, and one line that changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TextIO


class Screen:
    """
    A terminal, or a file that must not fill with the same line.

    On a terminal the changing line is written over itself; elsewhere it is written anew, and only
    every few seconds.

    Args:
        out: Where to write.
        now_s: A clock for durations.
        every_s: Elsewhere than on a terminal, the least time between two changing lines.
    """

    def __init__(
        self, out: TextIO, *, now_s: Callable[[], float] = time.monotonic, every_s: float = 2.0
    ) -> None:
        self._out = out
        self._now_s = now_s
        self._every_s = every_s
        self._begun_s = now_s()
        self._changed_s = self._begun_s - every_s
        self._changing = ""

    @property
    def is_terminal(self) -> bool:
        """Whether a person may be looking."""
        return self._out.isatty()

    def step(self, text: str) -> None:
        """Write what is being done, behind the seconds since the start."""
        self.lines([f"[{self._now_s() - self._begun_s:4.0f} s] {text}"])

    def lines(self, texts: Iterable[str]) -> None:
        """Write lines, below the changing one."""
        self._settle()
        for text in texts:
            self._out.write(f"{text}\n")
        self._out.flush()

    def change(self, text: str) -> None:
        """Show *text* as the changing line."""
        if text == self._changing:
            return
        if self.is_terminal:
            self._out.write(f"\r\x1b[2K{text}")
        elif self._now_s() - self._changed_s < self._every_s:
            return
        else:
            self._out.write(f"{text}\n")
            self._changed_s = self._now_s()
        self._changing = text
        self._out.flush()

    def _settle(self) -> None:
        """End the changing line, so that it stays."""
        if self._changing and self.is_terminal:
            self._out.write("\n")
        self._changing = ""
