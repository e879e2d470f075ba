"""Appending rows that a sender makes: COPY of a few hundred at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import LiteralString

from smsflow_provider.core.store.connection import Connection

_SPECIAL = re.compile(r"[\\\t\n\r\0]")
_WRITTEN = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\0": ""}


def append_lines(connection: Connection, command: LiteralString, lines: Sequence[str]) -> None:
    """
    Append rows by *command*, a ``COPY … FROM STDIN`` in the text format.

    Args:
        lines: One a row, with tabs between its values and a line feed at its end; texts as
            `written`. None: nothing is sent.
    """
    if lines:
        with connection.cursor() as cursor, cursor.copy(command) as copy:
            copy.write("".join(lines))


def written(text: str) -> str:
    """Write a text as COPY reads it; a NUL, which it cannot hold, is left out."""
    if text.isprintable() and "\\" not in text:
        return text
    return _SPECIAL.sub(lambda found: _WRITTEN[found[0]], text)
