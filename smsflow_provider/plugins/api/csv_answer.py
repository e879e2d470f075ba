"""A file of numbers as the answer of a route: streamed, and kept by no cache."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from fastapi.responses import StreamingResponse

from smsflow_provider.core.preparation.list_csv import csv_lines

#: Spreadsheets read UTF-8 as what it is only behind this.
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


def csv_answer(
    name: str,
    *,
    columns: Sequence[str],
    pages: Iterable[Iterable[Sequence[object]]],
    is_marked: bool = False,
) -> StreamingResponse:
    """
    Stream rows as CSV, page by page; whoever opens it in a spreadsheet runs no formula.

    Args:
        name: Of the file.
        is_marked: Begin with a byte order mark: for files that people read and no program does.
    """
    return StreamingResponse(
        chain([_BOM] if is_marked else [], csv_lines(columns, pages)),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )
