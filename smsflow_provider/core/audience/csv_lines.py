"""The lines of a CSV file: what separates their cells, and which of them are bad."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Generator, Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

#: Separators a file may have without saying so; the first wins where two fit alike.
DELIMITERS = (",", ";", "\t", "|")

_SENTINEL = "\x01the end\x01"


def sniff_delimiter(text: str) -> str:
    r"""
    Find the character that cuts the first records of *text* into equally many cells, most cells.

    Args:
        text: The start of a CSV file.

    Returns:
        One of ``DELIMITERS``; a comma if none cuts anything.

    Example:
        >>> sniff_delimiter("id;name\n1;Dupont, Marie\n")
        ';'
    """
    return max(DELIMITERS, key=lambda delimiter: _score(text, delimiter))


def _score(text: str, delimiter: str) -> tuple[int, int]:
    # The last record of the sample may be cut off: with more than one, it does not count.
    rows = list(islice(filter(None, records_of(text, delimiter)), 21))
    widths = [len(row) for row in (rows[:-1] or rows)]
    alike = sum(width == widths[0] for width in widths) if widths and widths[0] > 1 else 0
    return alike, widths[0] if widths else 0


def records_of(text: str, delimiter: str) -> Iterator[list[str]]:
    """Cut *text* into records; ends early at what cannot be cut."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error:
        return


def find_bad_lines(
    file: BinaryIO,
    delimiter: str,
    *,
    width: int,
    encoding: str,
    places: Collection[int] | None = None,
) -> Generator[tuple[int, str], None, None]:
    """
    Read a file again, slowly, and name the line on which each bad record ends.

    Args:
        file: The file, at its start; closed with the iteration.
        delimiter: What separates its cells.
        width: Cells of a good record.
        encoding: How the file is written.
        places: Cells that must be text, from 0. None: all.

    Yields:
        The line's number from 1, and what is wrong; never what stands there.
    """
    with _text_of(file, encoding) as text:
        reader = csv.reader(text, delimiter=delimiter)
        yield from _bad_lines(reader, width=width, encoding=encoding, places=places)


def _bad_lines(
    reader: Any, *, width: int, encoding: str, places: Collection[int] | None
) -> Iterator[tuple[int, str]]:
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield reader.line_num, "cannot be read"
            continue
        except UnicodeError:
            # Not every encoding can go on behind such a place.
            yield reader.line_num + 1, f"not {encoding}, nor what follows"
            return
        if not row:
            continue
        if len(row) != width:
            yield reader.line_num, f"{len(row)} cells instead of {width}"
        elif any(_is_undecoded(row[place]) for place in places or range(len(row))):
            yield reader.line_num, f"not {encoding}"


def _is_undecoded(cell: str) -> bool:
    return any("\udc80" <= char <= "\udcff" for char in cell)


def is_quote_open(file: BinaryIO, delimiter: str, *, encoding: str) -> bool:
    """
    Tell whether a quote is open where the file ends, so that its last cell holds lost lines.

    Args:
        file: The file, at its start; closed at the end.
        delimiter: What separates its cells.
        encoding: How the file is written.
    """
    last: list[str] = []
    with _text_of(file, encoding) as text:
        try:
            for row in csv.reader(chain(text, ["\n", _SENTINEL]), delimiter=delimiter):
                last = row
        except csv.Error:
            return True
    return last != [_SENTINEL]


def _text_of(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(file, encoding=encoding, errors="surrogateescape", newline="")
