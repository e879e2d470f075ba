"""Render a chunk row by row, each with a budget of its own, to find the rows that are too much."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from smsflow_provider.core.content.render import Failed, Missing
from smsflow_provider.core.content.render_joined import RenderedChunk
from smsflow_provider.core.content.render_pipe import Answer, Death, Limits, RenderPipe
from smsflow_provider.core.content.render_wire import Request
from smsflow_provider.core.errors import TemplateError

#: Rows that may break the limits on their own before the template is given up.
MOST_BLAMED: Final = 5
# Rows that travel together.
_SLICE: Final = 1_000
# Times a row is tried whose process ended for no reason that is known.
_TRIES: Final = 2
_MIB: Final = 1024 * 1024


class RowByRow:
    """
    Renders one chunk, once.

    All rows together may take as long as a busy machine may take for the chunk; then the chunk
    is given up, as it is after five rows that are too much.
    """

    def __init__(self, chunk: Request, *, start: Callable[[], RenderPipe], limits: Limits) -> None:
        self._chunk = chunk
        self._start = start
        self._limits = limits
        self._texts: list[bytes] = []
        self._problems: dict[int, Missing | Failed] = {}
        self._fatal: list[int] = []
        self._done = 0
        self._deaths_here = 0

    def render(self) -> RenderedChunk:
        """
        Render all rows.

        Raises:
            TemplateError: Too many rows are too much, or all together take too long;
                ``facts["rows"]`` lists the first ones that are, as indexes in the chunk.
        """
        until_s = time.monotonic() + self._limits.wait_s(self._limits.chunk_s)
        while self._done < self._chunk.count:
            with contextlib.closing(self._start()) as pipe:
                death = self._render_until_death(pipe, until_s=until_s)
            if death is not None:
                self._blame(death)
        return RenderedChunk(encoded=b"".join(self._texts), problems=self._problems)

    def _render_until_death(self, pipe: RenderPipe, *, until_s: float) -> Death | None:
        while self._done < self._chunk.count:
            rows = self._next_rows()
            pipe.send(rows)
            for _ in range(rows.count):
                answer = pipe.receive(since_s=time.monotonic(), budget_s=rows.budget_s)
                if not isinstance(answer, Answer):
                    return answer
                self._keep(answer.chunk)
                if time.monotonic() > until_s:
                    raise self._too_long()
        return None

    def _next_rows(self) -> Request:
        end = min(self._done + _SLICE, self._chunk.count)
        columns = {name: all_[self._done : end] for name, all_ in self._chunk.columns.items()}
        return replace(
            self._chunk,
            columns=columns,
            count=end - self._done,
            budget_s=self._limits.row_s,
            row_by_row=True,
        )

    def _keep(self, row: RenderedChunk) -> None:
        for problem in row.problems.values():
            self._problems[self._done] = problem
        self._texts.append(row.encoded)
        self._done += 1
        self._deaths_here = 0

    def _blame(self, death: Death) -> None:
        """Hold the row the process died with responsible, unless something else ended it."""
        self._deaths_here += 1
        if not death.is_deserved and self._deaths_here < _TRIES:
            return
        self._fatal.append(self._done)
        if len(self._fatal) == MOST_BLAMED:
            raise self._too_long()
        problem = Failed(reason=self._reason_of(death))
        self._keep(RenderedChunk(encoded=b"", problems={0: problem}))

    def _reason_of(self, death: Death) -> str:
        if death is Death.MEMORY:
            return f"needs more than {self._limits.memory_bytes // _MIB} MiB"
        if death is Death.TIME:
            return f"takes longer than {self._limits.row_s:g} s"
        if death is Death.STALL:
            return f"takes longer than {self._limits.wait_s(self._limits.row_s):g} s by the clock"
        return "ends the process that renders it"

    def _too_long(self) -> TemplateError:
        return TemplateError(
            "the template takes too long or too much memory",
            rows=self._fatal,
            limit_s=self._limits.row_s,
            limit_mib=self._limits.memory_bytes // _MIB,
        )
