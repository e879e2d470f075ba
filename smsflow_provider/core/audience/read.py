"""Read a frozen audience back, in batches, and make sure that it is the one referred to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from smsflow_provider.core.audience.columns import kind_of
from smsflow_provider.core.audience.fingerprint import Fingerprint
from smsflow_provider.core.audience.layout import ID, IDS_ARE, PHONE, ROW_NUMBERS
from smsflow_provider.core.audience.place import OpenFile, open_found
from smsflow_provider.core.audience.reference import AudienceReference, Column
from smsflow_provider.core.audience.source import BATCH_ROWS
from smsflow_provider.core.audience.spool import empty_batch, read_batches
from smsflow_provider.core.errors import AudienceError


def read_audience(
    reference: AudienceReference,
    *,
    open_file: OpenFile,
    rows: int = BATCH_ROWS,
    columns: Sequence[str] | None = None,
    check_content: bool = False,
) -> Iterator[pl.DataFrame]:
    """
    Read an audience in order and in bounded memory.

    Args:
        reference: What ``build_audience`` returned.
        open_file: Opens the URI for reading in binary.
        rows: Rows of a frame, at most.
        columns: Read these only. None: all; a check of the content needs all.
        check_content: Hash what is read, and compare with the reference behind the last frame. A
            reader who acts on the rows must not commit before the iteration has ended.

    Yields:
        Frames with ``recipient_id`` and ``phone`` (text) and the other columns. An empty audience
        yields none.

    Raises:
        AudienceError: The file is gone, is no audience, or is another than the one referred to.
    """
    for batch in read_record_batches(
        reference, open_file=open_file, rows=rows, columns=columns, check_content=check_content
    ):
        yield pl.DataFrame(batch)


def read_record_batches(
    reference: AudienceReference,
    *,
    open_file: OpenFile,
    rows: int = BATCH_ROWS,
    columns: Sequence[str] | None = None,
    check_content: bool = False,
) -> Iterator[pa.RecordBatch]:
    """Read an audience as Arrow batches; otherwise the same as ``read_audience``."""
    with _opened(reference, open_file=open_file) as file:
        fingerprint = Fingerprint(file.schema_arrow) if check_content else None
        for batch in read_batches(file, rows=rows, columns=columns):
            if fingerprint:
                fingerprint.update(batch)
            yield batch
    if fingerprint and fingerprint.hexdigest() != reference.fingerprint:
        raise AudienceError("the audience's file has changed since it was built", uri=reference.uri)


def read_schema(reference: AudienceReference, *, open_file: OpenFile) -> dict[str, pl.DataType]:
    """Read names and types of an audience's columns without reading a row. Same errors."""
    return dict(pl.DataFrame(read_empty(reference, open_file=open_file)).schema)


def read_empty(reference: AudienceReference, *, open_file: OpenFile) -> pa.RecordBatch:
    """Read a batch of zero rows, with the columns of an audience. Same errors."""
    with _opened(reference, open_file=open_file) as file:
        return empty_batch(file.schema_arrow)


def described(reference: AudienceReference, *, open_file: OpenFile) -> AudienceReference:
    """Add the columns to a reference that travelled without them. Same errors."""
    schema = read_empty(reference, open_file=open_file).schema
    return replace(
        reference,
        columns=tuple(Column(name=one.name, kind=kind_of(one.type)) for one in schema),
    )


def has_row_numbers(reference: AudienceReference, *, open_file: OpenFile) -> bool:
    """
    Tell whether the ids of an audience are the numbers of its rows: then they identify nobody.

    Files of former versions do not say; their first 50,000 ids are looked at. Same errors.
    """
    with _opened(reference, open_file=open_file) as file:
        told = (file.schema_arrow.metadata or {}).get(IDS_ARE)
        if told is not None:
            return bool(told == ROW_NUMBERS)
        first = next(read_batches(file, columns=[ID]), None)
    if first is None:
        return False
    expected = pl.int_range(1, first.num_rows + 1, eager=True).cast(pl.String)
    return pl.Series(first.column(0)).equals(expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceFile:
    """A frozen audience that can be read as often as it takes. Opens nothing until it is read."""

    reference: AudienceReference
    #: Opens the URI for reading in binary.
    open_file: OpenFile

    @property
    def count(self) -> int:
        """Rows of the audience."""
        return self.reference.count

    def schema(self) -> dict[str, pl.DataType]:
        """Read names and types of the columns; errors as ``read_audience``."""
        return read_schema(self.reference, open_file=self.open_file)

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """
        Read the rows in order; errors as ``read_audience``.

        Args:
            columns: Read these only. None: all, and the content is checked on the way.
        """
        return read_audience(
            self.reference,
            open_file=self.open_file,
            columns=columns,
            check_content=columns is None,
        )


@contextmanager
def _opened(reference: AudienceReference, *, open_file: OpenFile) -> Iterator[pq.ParquetFile]:
    with open_found(reference.uri, open_file=open_file) as raw:
        try:
            file = pq.ParquetFile(raw)
        except pa.ArrowInvalid:
            raise AudienceError(
                "the audience's file is not a whole Parquet file", uri=reference.uri
            ) from None
        _check(file, reference)
        yield file


def _check(file: pq.ParquetFile, reference: AudienceReference) -> None:
    missing = [name for name in (ID, PHONE) if name not in file.schema_arrow.names]
    if missing:
        raise AudienceError(
            "the file is not an audience: build it with a build_audience task",
            uri=reference.uri,
            missing=missing,
        )
    found = file.metadata.num_rows
    if found != reference.count:
        raise AudienceError(
            "the audience's file has another number of rows than when it was built",
            uri=reference.uri,
            expected=reference.count,
            found=found,
        )
