"""Lists of numbers as files and command lines: read with every bad row named, and written."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TextIO

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.number_list import Raw, read_rows, sorted_out

__all__ = ["Raw", "by_hand", "read_rows", "reading", "sorted_out", "tell_bad", "write_rows"]

#: Bad rows named one by one; beyond that they are counted.
SHOWN_ROWS = 100


@contextmanager
def reading(name: str, *, encoding: str) -> Iterator[TextIO]:
    """
    Open a file for text; ``-`` is standard input.

    Raises:
        ConfigError: It cannot be opened.
    """
    if name == "-":
        yield sys.stdin
        return
    try:
        # What is no text becomes a bad row, told with the others.
        file = Path(name).open(  # noqa: SIM115  closed below
            encoding=encoding, errors="surrogateescape", newline=""
        )
    except (OSError, LookupError) as error:
        raise ConfigError(
            "the file cannot be read", file=name, cause=getattr(error, "strerror", str(error))
        ) from None
    with file:
        yield file


def by_hand(numbers: Sequence[str]) -> list[Raw]:
    """Take the numbers of a command line as rows."""
    return [Raw(line=place, phone=text) for place, text in enumerate(numbers, start=1)]


def tell_bad(bad: Sequence[str]) -> None:
    """Say on stderr what is wrong."""
    for line in islice(bad, SHOWN_ROWS):
        print(line, file=sys.stderr)
    if len(bad) > SHOWN_ROWS:
        print(f"... and {len(bad) - SHOWN_ROWS:,} more", file=sys.stderr)


def write_rows(
    place: str | None, *, columns: Sequence[str], pages: Iterable[Iterable[Sequence[object]]]
) -> None:
    """
    Write rows as CSV.

    Args:
        place: A file that only its owner may read; it is whole or not there. None: stdout.
        columns: The header.
        pages: Rows, page by page.
    """
    if place is None:
        _write(sys.stdout, columns, pages)
        return
    count = _write_file(Path(place), columns, pages)
    print(f"{count:,} entries written.")


def _write_file(
    path: Path, columns: Sequence[str], pages: Iterable[Iterable[Sequence[object]]]
) -> int:
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "w", newline="", encoding="utf-8") as file:  # noqa: PTH123  a handle
            count = _write(file, columns, pages)
        part.rename(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return count


def _write(
    file: TextIO, columns: Sequence[str], pages: Iterable[Iterable[Sequence[object]]]
) -> int:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    count = 0
    for page in pages:
        rows = list(page)
        writer.writerows(rows)
        count += len(rows)
    return count
