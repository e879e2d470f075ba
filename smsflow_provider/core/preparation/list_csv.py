"""A list of numbers as CSV that is opened in a spreadsheet without running anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

#: What a spreadsheet takes for the beginning of a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(columns: Sequence[str], pages: Iterable[Iterable[Sequence[object]]]) -> Iterator[str]:
    r"""
    Write rows as CSV; the first cell of each is a number in E.164, which no spreadsheet runs.

    Example:
        >>> "".join(csv_lines(["phone", "reason"], [[("+33612345678", "=1+1")]]))
        "phone,reason\r\n+33612345678,'=1+1\r\n"
    """
    yield _written([columns])
    for page in pages:
        yield _written([(row[0], *map(_harmless, row[1:])) for row in page])


def _written(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _harmless(cell: object) -> object:
    if isinstance(cell, datetime):
        return cell.isoformat()
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
