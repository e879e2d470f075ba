"""Lists of numbers as people hand them in: read row by row, with what is wrong by its place."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TextIO

from smsflow_provider.core.audience.csv_file import SAMPLE_BYTES
from smsflow_provider.core.audience.csv_lines import sniff_delimiter
from smsflow_provider.core.audience.reference import near_hint
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.number import Number, to_e164_many

#: So many digits in the first cell, and the file has no header.
_DIGITS_OF_A_PHONE: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One row as the file has it."""

    #: Line of the file on which the row ends, from 1; for numbers by hand, their place.
    line: int
    phone: str = field(repr=False)
    #: The other columns that are asked for, as far as they are there.
    facts: dict[str, str] = field(default_factory=dict, repr=False)


def read_rows(file: TextIO, *, column: str, facts: Sequence[str] = ()) -> Iterator[Raw]:
    """
    Read the rows of a CSV file with a header, or of a plain list of numbers.

    Args:
        file: Open for text, at its start.
        column: The column of numbers; of no meaning for a plain list.
        facts: Other columns to read where they are there.

    Raises:
        ConfigError: There is a header, but not this column in it.
        csv.Error: The text is no CSV; a command line shows it, who serves others must not.
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


def sorted_out(
    raws: Sequence[Raw], *, region: str | None, place: str, advice: str = "say --region"
) -> tuple[list[tuple[Raw, int]], list[str]]:
    """
    Tell good numbers from bad ones.

    Args:
        raws: The rows.
        region: Country of national numbers.
        place: What the place of a row is called: ``line``.
        advice: What to do where the region is lacking.

    Returns:
        Rows with their numbers (E.164 without the plus); and what is wrong with the others, each
        by its place and never by its number.
    """
    good: list[tuple[Raw, int]] = []
    bad: list[str] = []
    numbers = to_e164_many((raw.phone for raw in raws), region=region)
    for raw, number in zip(raws, numbers, strict=True):
        if number.e164 is None:
            bad.append(f"{place} {raw.line}: {_told(number, advice=advice)}")
        else:
            good.append((raw, int(number.e164)))
    return good, bad


def _told(number: Number, *, advice: str) -> str:
    words = str(number.problem).replace("_", " ")
    return f"{words} ({advice})" if str(number.problem) == "no_region" else words
