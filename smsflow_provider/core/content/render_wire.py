"""
What a render process and its parent say to each other, and how it looks on a pipe.

Requests are pickled, for dates and decimals travel whole, and only the parent makes them.
Answers come from a process that ran a template, so nothing in them can be code: JSON and UTF-8.
"""

from __future__ import annotations

import io
import json
import pickle
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, BinaryIO

from smsflow_provider.core.content.render import Failed, Missing
from smsflow_provider.core.content.render_joined import RenderedChunk

_LENGTH = struct.Struct("<Q")
_LENGTHS = struct.Struct("<QQ")
_MISSING, _FAILED = "missing", "failed"


class Ending(IntEnum):
    """Exit codes of a render process that say why it ended."""

    #: Nobody reads its answers any more.
    ORPHAN = 0
    #: What it was asked for needs more memory than it may have.
    MEMORY = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Rows of one template to render, all in one language."""

    #: Column name to values; blank is None.
    columns: Mapping[str, Sequence[object]] = field(repr=False)
    count: int
    #: Of the text; one of those the process was told.
    language: str
    #: Processor time allowed, for all rows or for each.
    budget_s: float
    #: One answer for each row, as it is made, instead of one for all.
    row_by_row: bool = False


def to_frame(message: object) -> list[bytes]:
    """Write a message of the parent: its length, then the pickle."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    # No memory of what was written: four times as quick, and columns hold no cycles.
    pickler.fast = True
    pickler.dump(message)
    body = buffer.getvalue()
    return [_LENGTH.pack(len(body)), body]


def read_frame(source: BinaryIO) -> Any:
    """
    Read a message of the parent.

    Raises:
        EOFError: The pipe ended.
    """
    (size,) = _LENGTH.unpack(_read(source, _LENGTH.size))
    return pickle.loads(_read(source, size))  # noqa: S301  only the parent has the other end


def write_answer(target: BinaryIO, chunk: RenderedChunk) -> None:
    """Write an answer: the lengths of its two halves, JSON, and the texts."""
    head = json.dumps([_problem_to_json(*item) for item in chunk.problems.items()]).encode()
    body = chunk.encoded
    target.writelines((_LENGTHS.pack(len(head), len(body)), head, body))
    target.flush()


def read_answer(source: BinaryIO) -> RenderedChunk:
    """
    Read an answer.

    Raises:
        EOFError: The pipe ended, perhaps within an answer.
    """
    head, body = _LENGTHS.unpack(_read(source, _LENGTHS.size))
    problems = dict(_problem_from_json(*one) for one in json.loads(_read(source, head)))
    return RenderedChunk(encoded=_read(source, body), problems=problems)


def _problem_to_json(index: int, problem: Missing | Failed) -> tuple[int, str, str]:
    if isinstance(problem, Missing):
        return index, _MISSING, problem.field
    return index, _FAILED, problem.reason


def _problem_from_json(index: int, kind: str, words: str) -> tuple[int, Missing | Failed]:
    return index, Missing(field=words) if kind == _MISSING else Failed(reason=words)


def _read(source: BinaryIO, size: int) -> bytes:
    found = source.read(size)
    if len(found) < size:
        raise EOFError
    return found
