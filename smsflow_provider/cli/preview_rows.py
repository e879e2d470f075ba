"""Rows for ``smsflow preview``, from a file or from the command line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self, TextIO

from smsflow_provider.core.errors import ConfigError

#: Rows of a chunk.
_CHUNK: Final = 5_000
_PARQUET: Final = b"PAR1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some rows, as columns."""

    columns: Mapping[str, Sequence[object]] = field(repr=False)
    count: int

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> Self:
        """Make columns of rows; a row that lacks a value has None there."""
        names = dict.fromkeys(name for row in rows for name in row if name)
        columns = {name: [row.get(name) for row in rows] for name in names}
        return cls(columns=columns, count=len(rows))


def pair_of(text: str) -> tuple[str, str]:
    """
    Read ``--set FIELD=VALUE``.

    Raises:
        ConfigError: There is no equals sign.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError("write --set FIELD=VALUE", got=text)
    return name, value


def read_rows(path: Path) -> Iterator[Rows]:
    """
    Read a Parquet file, or a CSV file in UTF-8, in chunks.

    A preview forgives what an audience does not: lines with too few or too many cells.

    Raises:
        ConfigError: It is not there, or cannot be read.
    """
    if not path.is_file():
        raise ConfigError("the file of rows is not there", file=str(path))
    with path.open("rb") as file:
        is_parquet = file.read(len(_PARQUET)) == _PARQUET
    return _parquet(path) if is_parquet else _csv(path)


def _parquet(path: Path) -> Iterator[Rows]:
    # A second to load, and most previews have a few rows of CSV.
    from smsflow_provider.core.audience.files import FileBatches  # noqa: PLC0415

    for batch in FileBatches(lambda: path.open("rb"), label=path.name).batches():
        for start in range(0, batch.num_rows, _CHUNK):
            piece = batch.slice(start, _CHUNK)
            yield Rows(columns=piece.to_pydict(), count=piece.num_rows)


def _csv(path: Path) -> Iterator[Rows]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restkey="", delimiter=_delimiter_of(file))
            while rows := list(islice(reader, _CHUNK)):
                yield Rows.of(rows)
    except UnicodeDecodeError as error:
        raise ConfigError(
            "the file of rows is not UTF-8", file=str(path), position=error.start
        ) from None
    except csv.Error as error:
        raise ConfigError("the file of rows is no CSV", file=str(path), cause=str(error)) from None


def _delimiter_of(file: TextIO) -> str:
    """Take the separator that the line of names has most of."""
    names = file.readline()
    file.seek(0)
    return max(",;\t|", key=names.count)
