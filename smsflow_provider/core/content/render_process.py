"""
Render in a process of its own, so that no template can hang or fill a worker.

What a template may hold is checked when it is read (see ``body``). This is the second defence:
whatever passes that check has a budget of time and memory, in a process that can be killed.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from smsflow_provider.core.content.render_joined import RenderedChunk
from smsflow_provider.core.content.render_pipe import Answer, Limits, RenderPipe
from smsflow_provider.core.content.render_rows import RowByRow
from smsflow_provider.core.content.render_wire import Request
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.errors import ConfigError

__all__ = ["MAX_OUTSTANDING", "RenderProcess", "RenderedChunk"]

#: Chunks that may be submitted and not yet asked for.
MAX_OUTSTANDING: Final = 2
#: Seconds of processor time that rendering 50,000 rows may take.
CHUNK_S: Final = 30.0
#: Seconds of processor time that rendering one row may take.
ROW_S: Final = 1.0
#: MiB of memory that rendering may take.
MEMORY_MIB: Final = 512
_MIB: Final = 1024 * 1024


class RenderProcess:
    r"""
    Renders chunks of one template in a child process. Not to be shared between threads.

    The texts are those of ``Renderer``. Values must be normalised: a blank one is None (never
    NaN, never a text of white space only), the others are plain Python values, dates, times
    and decimals.

    A chunk that takes too long, needs too much memory, or during which the child dies, is
    rendered anew row by row in a fresh child. A row that alone is too much is ``Failed``, with
    the limit in the reason. No call ever hangs: a chunk ends within some ten times *chunk_s*,
    usually in a few microseconds a row.

    Does not look at how many parts a text has, and keeps nothing of a chunk after its result.

    Args:
        template: What to render.
        chunk_s: Seconds of the child's processor time for a chunk.
        row_s: The same for a row, when rows are rendered one by one.
        memory_bytes: What the child may take for its work. On Linux only; elsewhere only time
            is limited.
        stall_s: Least seconds by the clock without an answer before the child counts as
            hanging, whatever its processor time.

    Example:
        >>> from smsflow_provider.core.content.template import read_template
        >>> template = read_template("---\nsender: ACME\n---\nHi {{ name }}!", name="hi")
        >>> with RenderProcess(template) as process:
        ...     process.submit({"name": ["Zoe", None]}, count=2)
        ...     process.result()
        RenderedChunk(problems={1: Missing(field='name')})
    """

    def __init__(
        self,
        template: Template,
        *,
        chunk_s: float = CHUNK_S,
        row_s: float = ROW_S,
        memory_bytes: int = MEMORY_MIB * _MIB,
        stall_s: float = 10.0,
    ) -> None:
        self.limits = Limits(
            chunk_s=chunk_s, row_s=row_s, memory_bytes=memory_bytes, stall_s=stall_s
        )
        self._default = template.default_language
        self._variants = {code: template.variant(code) for code in template.variants}
        self._pipe: RenderPipe | None = None
        self._waiting: deque[Request] = deque()
        # When the child can have begun with the first of them.
        self._begun_s = 0.0

    @property
    def pid(self) -> int | None:
        """The id of the child; None before and after the block."""
        return None if self._pipe is None else self._pipe.pid

    def submit(
        self, columns: Mapping[str, Sequence[object]], *, count: int, language: str = ""
    ) -> None:
        """
        Hand in a chunk and return at once; its turn comes after those before it.

        Args:
            columns: Column name to values, *count* of each. Those the text does not use stay
                behind.
            count: Number of rows.
            language: Code of the text for all these rows; empty: the default one.

        Raises:
            ValueError: A column the text uses has another number of values, or two chunks are
                under way already.
            KeyError: No text in *language*.
            ConfigError: The child cannot be started.
        """
        variant = self._variants[language or self._default]
        if len(self._waiting) == MAX_OUTSTANDING:
            raise ValueError(f"{MAX_OUTSTANDING} chunks are under way: ask for a result first")
        used = {name: columns[name] for name in variant.fields if name in columns}
        for name, values in used.items():
            if len(values) != count:
                raise ValueError(f"column {name!r} has {len(values)} values, not {count}")
        chunk = Request(
            columns=used, count=count, language=variant.language, budget_s=self.limits.chunk_s
        )
        pipe = self._running()
        if not self._waiting:
            self._begun_s = time.monotonic()
        self._waiting.append(chunk)
        pipe.send(chunk)

    def result(self) -> RenderedChunk:
        """
        Wait for the chunk that was submitted first and give its texts.

        Raises:
            ValueError: Nothing is under way.
            TemplateError: The rows take too long or too much memory: ``facts["rows"]`` holds the
                first ones that do, as indexes in the chunk, if single rows do. The chunk is gone,
                one submitted later still there.
            ConfigError: The child cannot be started.
        """
        if not self._waiting:
            raise ValueError("no chunk is under way")
        chunk = self._waiting.popleft()
        try:
            answer = self._running().receive(since_s=self._begun_s, budget_s=chunk.budget_s)
        except ConfigError:
            self._stop()
            self._begin_anew()
            raise
        if isinstance(answer, Answer):
            self._begun_s = answer.at_s
            return answer.chunk
        self._stop()
        try:
            return RowByRow(chunk, start=self._start, limits=self.limits).render()
        finally:
            self._begin_anew()

    def close(self) -> None:
        """End the child; what is under way is lost."""
        self._waiting.clear()
        self._stop()

    def __enter__(self) -> Self:
        """
        Start the child, which gets ready while the caller goes on, and give itself.

        Raises:
            ConfigError: There is no program to start.
        """
        self._running()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the child, whatever happened."""
        self.close()

    def _start(self) -> RenderPipe:
        return RenderPipe(list(self._variants.values()), limits=self.limits)

    def _running(self) -> RenderPipe:
        if self._pipe is None:
            self._pipe = self._start()
        return self._pipe

    def _stop(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        self._pipe = None

    def _begin_anew(self) -> None:
        """Hand what is under way to a fresh child."""
        for later in self._waiting:
            self._running().send(later)
        self._begun_s = time.monotonic()
