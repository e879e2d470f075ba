"""Lists of numbers as files and command lines: read with every bad row named, and written."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TextIO

from smsflow_provider.core.audience.csv_file import SAMPLE_BYTES
from smsflow_provider.core.audience.csv_lines import sniff_delimiter
from smsflow_provider.core.audience.reference import near_hint
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.number import Number, to_e164_many

#: Bad rows named one by one; beyond that they are counted.
SHOWN_ROWS = 100
#: So many digits in the first cell, and the file has no header.
_DIGITS_OF_A_PHONE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One row as the file has it."""

    #: Line of the file on which the row ends, from 1; for numbers by hand, their place.
    line: int
    phone: str = field(repr=False)
    #: The other columns that are asked for, as far as they are there.
    facts: dict[str, str] = field(default_factory=dict, repr=False)


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


def read_rows(file: TextIO, *, column: str, facts: Sequence[str] = ()) -> Iterator[Raw]:
    """
    Read the rows of a CSV file with a header, or of a plain list of numbers.

    Args:
        file: Open for text, at its start.
        column: The column of numbers; of no meaning for a plain list.
        facts: Other columns to read where they are there.

    Raises:
        ConfigError: There is a header, but not this column in it.
    """
    sample = file.read(SAMPLE_BYTES).removeprefix("\ufeff")
    lines = _joined(sample, file)
    reader = csv.reader(lines, delimiter=sniff_delimiter(sample))
    first = next((row for row in reader if any(row)), None)
    if first is None:
        return
    names = [name.strip() for name in first]
    if _is_number_like(names[0]) and len(names) == 1:
        yield Raw(line=reader.line_num, phone=names[0])
        names = [column]
    elif column not in names:
        raise ConfigError(
            f"the file has no column {column!r}{near_hint(column, names)}",
            columns="none: there is no header" if _is_number_like("".join(names)) else names,
        )
    yield from _raws(reader, names, column=column, facts=facts)


def _raws(
    reader: Iterator[list[str]], names: list[str], *, column: str, facts: Sequence[str]
) -> Iterator[Raw]:
    kept = [name for name in facts if name in names]
    for row in reader:
        if not any(row):
            continue
        cells = dict(zip(names, row, strict=False))
        found: dict[str, str] = {name: cells.get(name, "") for name in kept}
        yield Raw(line=_line_of(reader), phone=cells.get(column, ""), facts=found)


def _line_of(reader: Iterator[list[str]]) -> int:
    return int(getattr(reader, "line_num", 0))


def _joined(sample: str, file: TextIO) -> Iterator[str]:
    """Hand out lines, the first of them from what was read already."""
    lines = io.StringIO(sample, newline="").readlines()
    yield from lines[:-1]
    yield (lines[-1] if lines else "") + file.readline()
    yield from file


def _is_number_like(cell: str) -> bool:
    return sum(char.isdigit() for char in cell) >= _DIGITS_OF_A_PHONE


def by_hand(numbers: Sequence[str]) -> list[Raw]:
    """Take the numbers of a command line as rows."""
    return [Raw(line=place, phone=text) for place, text in enumerate(numbers, start=1)]


def sorted_out(
    raws: Sequence[Raw], *, region: str | None, place: str
) -> tuple[list[tuple[Raw, int]], list[str]]:
    """
    Tell good numbers from bad ones.

    Returns:
        Rows with their numbers (E.164 without the plus); and what is wrong with the others, each
        by its place and never by its number.
    """
    good: list[tuple[Raw, int]] = []
    bad: list[str] = []
    numbers = to_e164_many((raw.phone for raw in raws), region=region)
    for raw, number in zip(raws, numbers, strict=True):
        if number.e164 is None:
            bad.append(f"{place} {raw.line}: {_told(number)}")
        else:
            good.append((raw, int(number.e164)))
    return good, bad


def _told(number: Number) -> str:
    words = str(number.problem).replace("_", " ")
    return f"{words} (say --region)" if str(number.problem) == "no_region" else words


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
