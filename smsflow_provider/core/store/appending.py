"""Appending marks and outcomes: COPY of a few hundred at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, LiteralString

from smsflow_provider.core.store.connection import Connection
from smsflow_provider.core.store.ledger_rows import Settled, Taken

_SPECIAL = re.compile(r"[\\\t\n\r\0]")
_WRITTEN = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\0": ""}


_MARKS: Final = "COPY smsflow_marks (preparation, position, attempt, epoch, route) FROM STDIN"
_OUTCOMES: Final = (
    "COPY smsflow_outcomes (preparation, position, attempt, kind, code, gateway_ref) FROM STDIN"
)


def append_marks(
    connection: Connection, preparation: int, epoch: int, leaving: Iterable[tuple[Taken, int]]
) -> None:
    """
    Append the intent: written, committed, and only then handed over.

    The primary key makes a second mark of the same attempt impossible, whoever tries.

    Args:
        leaving: Messages, each with the route it takes.
    """
    head, tail = f"{preparation}\t", f"\t{epoch}\t"
    lines = [f"{head}{one.position}\t{one.attempt}{tail}{route}\n" for one, route in leaving]
    _append(connection, _MARKS, lines)


def append_outcomes(connection: Connection, preparation: int, settled: Iterable[Settled]) -> None:
    """Append what became of hand-overs, or why there was none. Never changed by a sender."""
    head = f"{preparation}\t"
    lines = [
        f"{head}{position}\t{attempt}\t{kind!s}\t{code and _written(code)}"
        f"\t{reference and _written(reference)}\n"
        for position, attempt, kind, code, reference, _, _ in settled
    ]
    _append(connection, _OUTCOMES, lines)


def array_of(numbers: Iterable[int]) -> str:
    """
    Write an array of numbers as PostgreSQL reads it; the statement says of which type it is.

    Example:
        >>> array_of([3, 5])
        '{3,5}'
    """
    return f"{{{','.join(map(str, numbers))}}}"


def _append(connection: Connection, command: LiteralString, lines: Sequence[str]) -> None:
    if lines:
        with connection.cursor() as cursor, cursor.copy(command) as copy:
            copy.write("".join(lines))


def _written(text: str) -> str:
    """Write a text as COPY reads it; a NUL, which it cannot hold, is left out."""
    if text.isprintable() and "\\" not in text:
        return text
    return _SPECIAL.sub(lambda found: _WRITTEN[found[0]], text)
