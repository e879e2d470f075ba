"""
The process that renders: ``python -m …render_child PARENT BYTES SECONDS``.

Started by ``RenderProcess``, never by people: the id of its parent, the memory it may take, and
the time the template may take to be compiled. It reads requests from standard input, answers on
standard output, and may be ended at any moment: it holds nothing that cannot be made again. The
kernel ends it when a request takes more processor time than it may; it ends itself when one
takes too much memory, and when its parent is gone. What it could say of an error might quote a
row, so it says nothing: standard error is closed as soon as it runs.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import select
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

from smsflow_provider.core.content.render import VariantRenderer
from smsflow_provider.core.content.render_joined import RenderedChunk, render_joined
from smsflow_provider.core.content.render_wire import (
    Ending,
    Request,
    read_frame,
    write_answer,
)
from smsflow_provider.core.content.variant import Variant

# How often it looks whether its parent lives, where the pipe does not tell: a process the parent
# forked may hold the other end of it.
_LOOK_EVERY_MS: Final = 1_000
# Rows of plain values are no garbage to look for.
_COLLECT_AFTER: Final = 1_000_000
Renderers = Mapping[str, VariantRenderer]

_NOTHING: Final = RenderedChunk(encoded=b"", problems={})


def main() -> None:
    """Render until standard input ends."""
    parent, memory_bytes, compile_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    source, target = sys.stdin.buffer, sys.stdout.buffer
    _arm(parent)
    _limit_memory(memory_bytes)
    _be_silent()
    write_answer(target, _NOTHING)
    with contextlib.suppress(EOFError, BrokenPipeError):
        try:
            _serve(source, target, compile_s=compile_s)
        except MemoryError:
            os._exit(Ending.MEMORY)
    os._exit(Ending.ORPHAN)


def _serve(source: BinaryIO, target: BinaryIO, *, compile_s: float) -> NoReturn:
    variants: list[Variant] = read_frame(source)
    # What does not depend on a row is computed as early as here.
    with _at_most(compile_s):
        renderers = {one.language: VariantRenderer(one) for one in variants}
    write_answer(target, _NOTHING)
    while True:
        for request in _taken_apart(read_frame(source)):
            write_answer(target, _render(request, renderers))


def _taken_apart(request: Request) -> Iterator[Request]:
    """
    Give one request for each row if it is to be answered row by row.

    Each is answered as it is done: the first without an answer is the one that was fatal.
    """
    if not request.row_by_row:
        yield request
        return
    for index in range(request.count):
        row = {name: [values[index]] for name, values in request.columns.items()}
        yield replace(request, columns=row, count=1)


def _render(request: Request, renderers: Renderers) -> RenderedChunk:
    with _at_most(request.budget_s):
        return render_joined(renderers[request.language], request.columns, count=request.count)


@contextlib.contextmanager
def _at_most(budget_s: float) -> Iterator[None]:
    """Have the kernel end this process when what is inside takes more processor time."""
    signal.setitimer(signal.ITIMER_PROF, budget_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _arm(parent: int) -> None:
    gc.set_threshold(_COLLECT_AFTER)
    # What the parent ignores or blocks, its children inherit.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # A core dump would hold rows.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_watch, args=[parent], daemon=True).start()


def _watch(parent: int) -> None:
    """End with the parent, also in mid-render."""
    poll = select.poll()
    poll.register(sys.stdin.fileno(), 0)
    while os.getppid() == parent:
        if poll.poll(_LOOK_EVERY_MS):
            break
    os._exit(Ending.ORPHAN)


def _limit_memory(memory_bytes: int) -> None:
    """Allow *memory_bytes* more than are taken now. Only Linux says how many that are."""
    with contextlib.suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + memory_bytes
        now, most = resource.getrlimit(resource.RLIMIT_AS)
        for given in (now, most):
            limit = limit if given == resource.RLIM_INFINITY else min(limit, given)
        resource.setrlimit(resource.RLIMIT_AS, (limit, most))


def _be_silent() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stderr.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    main()
