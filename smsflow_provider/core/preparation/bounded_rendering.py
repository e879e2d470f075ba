"""Render a few rows in a child with little time and memory: for texts that anybody may type in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from smsflow_provider.core.content.render import SEPARATOR, Failed, Rendered, is_blank
from smsflow_provider.core.content.render_joined import RenderedChunk
from smsflow_provider.core.content.render_process import RenderProcess
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.errors import TemplateError

#: Seconds of processor time for all rows, and for one; MiB of memory.
_CHUNK_S: Final = 1.0
_ROW_S: Final = 0.2
_MEMORY_BYTES: Final = 128 * 1024 * 1024
_STALL_S: Final = 3.0
_TOO_MUCH: Final = "takes too long or too much memory"


class BoundedRendering:
    """
    Renders rows of *template* in a process of its own, one for each call. Safe between threads.

    A call ends within some seconds, whatever the text says.
    """

    def __init__(self, template: Template) -> None:
        self._template = template

    def render_chunk(self, rows: Mapping[str, Sequence[object]], *, count: int) -> list[Rendered]:
        """Render rows given as columns, each in its own language; see ``Renderer``."""
        made: dict[int, Rendered] = {}
        with RenderProcess(
            self._template,
            chunk_s=_CHUNK_S,
            row_s=_ROW_S,
            memory_bytes=_MEMORY_BYTES,
            stall_s=_STALL_S,
        ) as process:
            for code, chosen in self._by_language(rows, count=count).items():
                part = {
                    name: [None if is_blank(values[one]) else values[one] for one in chosen]
                    for name, values in rows.items()
                }
                process.submit(part, count=len(chosen), language=code)
                made.update(zip(chosen, _texts(process, count=len(chosen)), strict=True))
        return [made[index] for index in range(count)]

    def _by_language(
        self, rows: Mapping[str, Sequence[object]], *, count: int
    ) -> dict[str, list[int]]:
        column = self._template.settings.language
        values = rows.get(column or "", [None] * count)
        chosen: dict[str, list[int]] = {}
        for index, value in enumerate(values):
            chosen.setdefault(self._template.language_of(value), []).append(index)
        return chosen


def _texts(process: RenderProcess, *, count: int) -> list[Rendered]:
    try:
        return _apart(process.result(), count=count)
    except TemplateError:
        return [Failed(reason=_TOO_MUCH)] * count


def _apart(chunk: RenderedChunk, *, count: int) -> list[Rendered]:
    texts = iter(chunk.joined.split(SEPARATOR))
    return [chunk.problems.get(index) or next(texts) for index in range(count)]
