"""Sources made of lists, and files opened from disk: what the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl
import pyarrow as pa

from smsflow_provider.core.audience.build import build_audience
from smsflow_provider.core.audience.read import read_audience
from smsflow_provider.core.audience.reference import AudienceReference
from smsflow_provider.core.audience.rows import batch_of
from smsflow_provider.core.audience.source import OnEmpty

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSource:
    """A source of rows given as lists, one list per batch."""

    names: tuple[str, ...]
    lists: tuple[Rows, ...]
    label: str = "people"

    def batches(self) -> Iterator[pa.RecordBatch]:
        return (batch_of(self.names, rows) for rows in self.lists)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSource:
    """A source of ready batches."""

    given: tuple[pa.RecordBatch, ...]
    label: str = "people"

    def batches(self) -> Iterator[pa.RecordBatch]:
        return iter(self.given)


def open_local(uri: str) -> BinaryIO:
    return Path(uri.removeprefix("file://")).open("rb")


def built(folder: Path, names: Sequence[str], *lists: Rows, **settings: Any) -> AudienceReference:
    """Build an audience that must not be skipped."""
    source = ListSource(names=tuple(names), lists=lists)
    reference = build_audience(source, target=folder / "who.parquet", **settings)
    assert reference is not None
    return reference


def frame_of(reference: AudienceReference) -> pl.DataFrame:
    """Read a whole audience, content checked."""
    return pl.concat(read_audience(reference, open_file=open_local, check_content=True))


def rows_of(reference: AudienceReference) -> list[tuple[Any, ...]]:
    return frame_of(reference).rows()


CONTINUE = OnEmpty.CONTINUE
