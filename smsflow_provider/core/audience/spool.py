"""One Parquet file out of batches whose types are not known before the last of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from smsflow_provider.core.audience import columns
from smsflow_provider.core.audience.source import BATCH_ROWS
from smsflow_provider.core.errors import AudienceError


class Spool:
    """
    Collects batches in a scratch folder and ends with one file of one schema.

    A column's type is only known at the end: its first 50,000 values may all be empty, or whole
    where a later one is not. So batches go to a segment as long as their types fit; when a type
    must grow, a new segment begins; at the end several segments are written once more. A type
    grows a few times at most, so memory stays bounded and the work at most doubles.

    Args:
        folder: A scratch folder of its own; the caller removes it.
    """

    def __init__(self, folder: Path) -> None:
        self.count = 0
        self._folder = folder
        self._schema: pa.Schema | None = None
        self._metadata: dict[bytes, bytes] = {}
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._segments: list[tuple[Path, pa.Schema]] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """
        Take the next rows. Small batches are collected, so that the file's groups are not small.

        Args:
            batch: Settled columns, of the same names in the same order every time. What the schema
                of the first says beside them is kept in the file.

        Raises:
            AudienceError: A column's type does not go together with what came before.
        """
        if self._schema is None:
            self._metadata = batch.schema.metadata or {}
        schema = _widened(self._schema, batch.schema)
        if schema != self._schema:
            self._close_segment()
            self._schema = schema
        self._waiting.append(fitted(batch, schema))
        self._waiting_rows += batch.num_rows
        self.count += batch.num_rows
        if self._waiting_rows >= BATCH_ROWS:
            self._flush()

    def finish(self) -> Path:
        """
        Write what is left and hand out the one file. Nothing can be added afterwards.

        A column without a single value becomes text.
        """
        if self._schema is None:
            raise AudienceError("nothing was collected, not even columns")
        schema = _without_nothing(self._schema)
        self._close_segment()
        if [schema] == [kept for _, kept in self._segments]:
            return self._segments[0][0]
        return self._rewritten(schema)

    def _rewritten(self, schema: pa.Schema) -> Path:
        path = self._folder / "whole.parquet"
        with self._writer_of(path, schema) as writer:
            for segment, _ in self._segments:
                for batch in read_batches(pq.ParquetFile(segment)):
                    writer.write_batch(fitted(batch, schema))
        return path

    def _flush(self) -> None:
        if self._waiting_rows:
            table = pa.Table.from_batches(self._waiting, schema=self._schema)
            self._open_writer().write_table(table, row_group_size=BATCH_ROWS)
        self._waiting, self._waiting_rows = [], 0

    def _open_writer(self) -> pq.ParquetWriter:
        if self._writer is None:
            path = self._folder / f"{len(self._segments)}.parquet"
            self._segments.append((path, self._schema))
            self._writer = self._writer_of(path, self._schema)
        return self._writer

    def _writer_of(self, path: Path, schema: pa.Schema) -> pq.ParquetWriter:
        return pq.ParquetWriter(path, schema.with_metadata(self._metadata), compression="zstd")

    def _close_segment(self) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def read_batches(
    file: pq.ParquetFile, *, rows: int = BATCH_ROWS, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """Read a Parquet file in bounded memory; ``read_table`` would also import pandas."""
    names = None if columns is None else list(columns)
    return iter(file.iter_batches(batch_size=rows, columns=names))


def fitted(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Cast the columns of *batch* to the types of *schema*, exactly or not at all."""
    if batch.schema == schema:
        return batch
    arrays = [
        columns.cast_to(array, field.type, name=field.name)
        for array, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def empty_batch(schema: pa.Schema) -> pa.RecordBatch:
    """Make a batch of zero rows. ``Schema.empty_table`` would import pandas."""
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)


def _widened(known: pa.Schema | None, found: pa.Schema) -> pa.Schema:
    if known is None:
        return found.remove_metadata()
    if known == found:
        return known
    return pa.schema([_wider(one, other) for one, other in zip(known, found, strict=True)])


def _wider(one: pa.Field, other: pa.Field) -> pa.Field:
    kind = columns.joined(one.type, other.type)
    if kind is None:
        raise AudienceError(
            "a column changes its type on the way: cast it to text in the source",
            column=one.name,
            types=[columns.kind_of(one.type), columns.kind_of(other.type)],
        )
    return pa.field(one.name, kind)


def _without_nothing(schema: pa.Schema) -> pa.Schema:
    return pa.schema(
        [
            pa.field(field.name, columns.TEXT if pa.types.is_null(field.type) else field.type)
            for field in schema
        ]
    )
