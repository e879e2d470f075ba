"""Files of people: Parquet, Excel and CSV, each known by how it begins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from smsflow_provider.core.audience.csv_file import SAMPLE_BYTES, CsvBatches, Reopen
from smsflow_provider.core.audience.excel import MOST_BYTES, ExcelBatches, is_excel
from smsflow_provider.core.audience.file_options import PLAIN, FileOptions
from smsflow_provider.core.audience.source import Pick, all_columns
from smsflow_provider.core.audience.spool import empty_batch, read_batches
from smsflow_provider.core.errors import AudienceError

_PACKED_MARKS = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd"}


class FileBatches:
    """
    A source over one file: Parquet or Excel if it begins as those do, else CSV.

    See ``CsvBatches`` and ``ExcelBatches`` for what they make of cells. Of a Parquet file only the
    columns that are wanted are read; of the others, only those are converted.

    Args:
        reopen: Opens the file; a CSV is opened again to name bad lines.
        label: The file's name, for errors.
        options: What a person said about the file.
        pick: Which columns to read.
    """

    def __init__(
        self,
        reopen: Reopen,
        *,
        label: str,
        options: FileOptions = PLAIN,
        pick: Pick = all_columns,
    ) -> None:
        self._reopen = reopen
        self._label = label
        self._options = options
        self._pick = pick
        self._facts: dict[str, Any] = {}

    @property
    def label(self) -> str:
        """The file's name."""
        return self._label

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Hand out the rows; see ``Source.batches``."""
        with self._reopen() as file:
            head = file.read(SAMPLE_BYTES)
        if head.startswith(b"PAR1"):
            self._facts = {"file": self._label, "format": "parquet"}
            return self._parquet()
        if is_excel(head):
            return self._told(self._excel(), "excel")
        for mark, packing in _PACKED_MARKS.items():
            if head.startswith(mark):
                raise AudienceError(
                    "the file is packed: unpack it first", file=self._label, packing=packing
                )
        return self._told(self._csv(), "csv")

    def facts(self) -> dict[str, Any]:
        """Tell the file's name and format, and how it was read; see ``told_by``."""
        return self._facts

    def _told(self, source: CsvBatches | ExcelBatches, form: str) -> Iterator[pa.RecordBatch]:
        yield from source.batches()
        self._facts = {"file": self._label, "format": form, **source.facts()}

    def _csv(self) -> CsvBatches:
        return CsvBatches(self._reopen, label=self._label, options=self._options, pick=self._pick)

    def _excel(self) -> ExcelBatches:
        with self._reopen() as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise AudienceError(
                "the Excel file is too large: export it as CSV or Parquet",
                file=self._label,
                limit_bytes=MOST_BYTES,
            )
        return ExcelBatches(data, label=self._label, options=self._options, pick=self._pick)

    def _parquet(self) -> Iterator[pa.RecordBatch]:
        with self._reopen() as file:
            try:
                found = pq.ParquetFile(file)
                schema = found.schema_arrow
                names = list(self._pick(schema.names))
                yield empty_batch(schema).select(names) if names else empty_batch(schema)
                yield from read_batches(found, columns=None if names == schema.names else names)
            except (pa.ArrowInvalid, OSError):
                raise AudienceError(
                    "the file begins as Parquet, but cannot be read as such: is it cut off?",
                    file=self._label,
                ) from None
