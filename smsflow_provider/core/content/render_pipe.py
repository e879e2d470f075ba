"""One process that renders, and the two threads that keep its pipes from filling up."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final, cast

from smsflow_provider.core.content.render_joined import RenderedChunk
from smsflow_provider.core.content.render_wire import (
    Ending,
    read_answer,
    to_frame,
)
from smsflow_provider.core.content.variant import Variant
from smsflow_provider.core.errors import ConfigError, TemplateError

_CHILD: Final = "smsflow_provider.core.content.render_child"
_NO_START: Final = "the process that renders templates does not start"
_START_S: Final = 60.0
_END_S: Final = 10.0
# A busy machine may give a process one part in this many of its time before it hangs.
_PATIENCE: Final = 4
# What a Python of an unusual place needs to be found and loaded; nothing else is inherited.
_INHERITED: Final = ("PATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class Death(StrEnum):
    """Why a render process gave no answer."""

    #: It took more time than it may.
    TIME = "time"
    #: It needed more memory than it may have.
    MEMORY = "memory"
    #: It did not take its time and did not answer: stopped, or on a machine that is too busy.
    STALL = "stall"
    #: Somebody or something else ended it.
    OTHER = "other"

    @property
    def is_deserved(self) -> bool:
        """Whether what it worked on is the reason."""
        return self in {Death.TIME, Death.MEMORY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What rendering may take."""

    #: Seconds of processor time for a chunk, and for the template to be compiled.
    chunk_s: float
    #: The same for a row, when rows are rendered one by one.
    row_s: float
    #: Memory beyond what the process has once started.
    memory_bytes: int
    #: Least seconds by the clock without an answer before a process counts as hanging.
    stall_s: float = 10.0

    def wait_s(self, budget_s: float) -> float:
        """Seconds by the clock to wait for what may take *budget_s* of processor time."""
        return max(_PATIENCE * budget_s, self.stall_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, and when by the monotonic clock, in seconds."""

    chunk: RenderedChunk
    at_s: float


class RenderPipe:
    """
    A running render process. Requests go in, answers come out in their order.

    Neither starting nor ``send`` nor the process ever waits for a reader: each direction has a
    thread and a queue without a limit, so the caller bounds what is under way.

    Args:
        variants: The texts of the template, one for each language.
        limits: What it may take.
    """

    def __init__(self, variants: Sequence[Variant], *, limits: Limits) -> None:
        self._limits = limits
        self._requests: queue.SimpleQueue[list[bytes] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        # When it began to listen, by the monotonic clock.
        self._ready_s: float | None = None
        self._process = _start(limits)
        pumps = (self._pump_requests, self._pump_answers)
        self._threads = [threading.Thread(target=pump, daemon=True) for pump in pumps]
        for thread in self._threads:
            thread.start()
        self.send(variants)

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def send(self, message: object) -> None:
        """Queue a message. One that the process does not live to read is lost without a word."""
        self._requests.put(to_frame(message))

    def receive(self, *, since_s: float, budget_s: float) -> Answer | Death:
        """
        Wait for the next answer.

        The process itself takes care of its processor time; by the clock it gets longer. After
        a death there is nothing more to receive: ``close`` it.

        Args:
            since_s: When it can have begun, by the monotonic clock; while it starts, time stands
                still.
            budget_s: The processor time it may take.

        Raises:
            ConfigError: The process does not start; the facts hold its exit code and last words.
            TemplateError: The template cannot even be compiled within the limits.
        """
        if self._ready_s is None:
            death = self._await_ready()
            if death is not None:
                return death
        began_s = max(since_s, cast("float", self._ready_s))
        return self._next(until_s=began_s + self._limits.wait_s(budget_s))

    def close(self) -> None:
        """End the process at once and wait for it; what is under way is lost."""
        self._process.kill()
        self._process.wait()
        self._requests.put(None)
        for thread in self._threads:
            thread.join(_END_S)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(BrokenPipeError):
                cast("BinaryIO", pipe).close()

    def _await_ready(self) -> Death | None:
        """Wait until it runs, then until it has compiled the template."""
        started = self._next(until_s=time.monotonic() + _START_S)
        if not isinstance(started, Answer):
            raise self._no_start()
        compiled = self._next(until_s=started.at_s + self._limits.wait_s(self._limits.chunk_s))
        if isinstance(compiled, Answer):
            self._ready_s = compiled.at_s
            return None
        if not compiled.is_deserved:
            return compiled
        raise TemplateError("the template takes too long or too much memory", cause=compiled.value)

    def _no_start(self) -> ConfigError:
        self._process.kill()
        last_words = cast("BinaryIO", self._process.stderr).read()[-400:]
        return ConfigError(
            _NO_START,
            exit_code=self._process.wait(),
            last_words=last_words.decode(errors="replace"),
        )

    def _next(self, *, until_s: float) -> Answer | Death:
        try:
            answer = self._answers.get(timeout=max(0.0, until_s - time.monotonic()))
        except queue.Empty:
            return Death.STALL
        return self._death() if answer is None else answer

    def _death(self) -> Death:
        try:
            code = self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            return Death.OTHER
        return {-signal.SIGPROF: Death.TIME, Ending.MEMORY: Death.MEMORY}.get(code, Death.OTHER)

    def _pump_requests(self) -> None:
        target = cast("BinaryIO", self._process.stdin)
        with contextlib.suppress(OSError):
            while (pieces := self._requests.get()) is not None:
                for piece in pieces:
                    target.write(piece)
                target.flush()

    def _pump_answers(self) -> None:
        source = cast("BinaryIO", self._process.stdout)
        with contextlib.suppress(EOFError):
            while True:
                self._answers.put(Answer(chunk=read_answer(source), at_s=time.monotonic()))
        self._answers.put(None)


def _start(limits: Limits) -> subprocess.Popen[bytes]:
    told = (os.getpid(), limits.memory_bytes, limits.chunk_s)
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", _CHILD, *map(str, told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            env=_environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise ConfigError(_NO_START, cause=error.strerror) from error


def _environment() -> dict[str, str]:
    """No setting and no secret of ours; what a text is made of must be the same everywhere."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | {
        "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path),
        "PYTHONHASHSEED": "0",
        "LC_ALL": "C.UTF-8",
        # Each arena would count as memory the templates have taken.
        "MALLOC_ARENA_MAX": "1",
    }
