"""Files of people: Parquet, and CSV with every column as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from itertools import islice
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from smsflow_provider.core.audience.spool import empty_batch, read_batches
from smsflow_provider.core.errors import AudienceError

#: Separators a file may have without saying so; the first wins where two fit alike.
DELIMITERS = (",", ";", "\t", "|")
#: Bytes looked at to find the separator, and the longest record a file may have.
SAMPLE_BYTES = 64 * 1024
RECORD_BYTES = 4 * 1024 * 1024
#: Bad lines named in an error; the count is exact.
SHOWN_LINES = 20

#: Opens the same file anew, in binary, from its start.
Reopen = Callable[[], BinaryIO]

_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_PACKED_MARKS = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd"}


class FileBatches:
    """
    A source over one file: Parquet if it begins as Parquet does, else CSV.

    CSV: the first record names the columns; every column is text, so that phones keep their zeros
    and their plus; an empty cell stays an empty text. A line with too few or too many cells, or
    with bytes that are not text, is bad: one bad line and there is no audience, because nobody
    could say who is missing. All bad lines are told at once, by number.

    Args:
        reopen: Opens the file; called again only to name bad lines.
        label: The file's name, for errors.
        encoding: Of a CSV file. ``utf-8`` may begin with a byte order mark.
        delimiter: Of a CSV file. None: found among comma, semicolon, tab and bar.
    """

    def __init__(
        self,
        reopen: Reopen,
        *,
        label: str,
        encoding: str = "utf-8",
        delimiter: str | None = None,
    ) -> None:
        self._reopen = reopen
        self._label = label
        self._encoding = encoding
        self._delimiter = delimiter

    @property
    def label(self) -> str:
        """The file's name."""
        return self._label

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Hand out the rows; see ``Source.batches``."""
        with self._reopen() as file:
            head = file.read(SAMPLE_BYTES)
        if head.startswith(b"PAR1"):
            return self._parquet()
        _check_readable(head, label=self._label, encoding=self._encoding)
        return self._csv(head)

    def _parquet(self) -> Iterator[pa.RecordBatch]:
        with self._reopen() as file:
            try:
                found = pq.ParquetFile(file)
                yield empty_batch(found.schema_arrow)
                yield from read_batches(found)
            except (pa.ArrowInvalid, OSError):
                raise AudienceError(
                    "the file begins as Parquet, but cannot be read as such: is it cut off?",
                    file=self._label,
                ) from None

    def _csv(self, head: bytes) -> Iterator[pa.RecordBatch]:
        text = head.decode(self._encoding, errors="replace").removeprefix("\ufeff")
        delimiter = self._delimiter or sniff_delimiter(text)
        records = list(islice(filter(None, _records(text, delimiter)), 2))
        if not records:
            raise AudienceError("the file is empty: there is not even a header", file=self._label)
        yield _without_rows(records[0])
        if len(records) > 1 or len(head) == SAMPLE_BYTES:
            yield from self._csv_rows(records[0], delimiter)

    def _csv_rows(self, names: list[str], delimiter: str) -> Iterator[pa.RecordBatch]:
        bad: list[int] = []
        try:
            with self._reopen() as file:
                reader = _open_csv(file, names, delimiter, encoding=self._encoding, bad=bad)
                yield from (_stripped(batch) for batch in reader)
        except (pa.ArrowInvalid, UnicodeError):
            # Their texts quote the line.
            raise self._bad_lines(delimiter, width=len(names)) from None
        if bad:
            raise self._bad_lines(delimiter, width=len(names))

    def _bad_lines(self, delimiter: str, *, width: int) -> AudienceError:
        with self._reopen() as file:
            found = list(_find_bad_lines(file, delimiter, width=width, encoding=self._encoding))
        return AudienceError(
            "the file has lines that cannot be read",
            file=self._label,
            lines=[f"line {line}: {why}" for line, why in found[:SHOWN_LINES]]
            or [f"a quote is never closed, or a line is longer than {RECORD_BYTES} bytes"],
            count=len(found) or 1,
            columns=width,
            delimiter=delimiter,
            encoding=self._encoding,
        )


def _check_readable(head: bytes, *, label: str, encoding: str) -> None:
    if head.startswith(_WIDE_MARKS) and "16" not in encoding:
        raise AudienceError("the file is UTF-16: say encoding='utf-16'", file=label)
    for mark, packing in _PACKED_MARKS.items():
        if head.startswith(mark):
            raise AudienceError("the file is packed: unpack it first", file=label, packing=packing)


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
    rows = list(islice(filter(None, _records(text, delimiter)), 21))
    widths = [len(row) for row in (rows[:-1] or rows)]
    alike = sum(width == widths[0] for width in widths) if widths and widths[0] > 1 else 0
    return alike, widths[0] if widths else 0


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error:
        return


def _open_csv(
    file: BinaryIO, names: list[str], delimiter: str, *, encoding: str, bad: list[int]
) -> pa_csv.CSVStreamingReader:
    def note(_row: pa_csv.InvalidRow) -> str:
        bad.append(1)
        return "skip"

    return pa_csv.open_csv(
        file,
        read_options=pa_csv.ReadOptions(
            use_threads=False,
            block_size=RECORD_BYTES,
            encoding=encoding,
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )


def _without_rows(names: list[str]) -> pa.RecordBatch:
    return empty_batch(pa.schema([(name.strip(), pa.string()) for name in names]))


def _stripped(batch: pa.RecordBatch) -> pa.RecordBatch:
    names = [name.strip() for name in batch.schema.names]
    return pa.RecordBatch.from_arrays(batch.columns, names)


def _find_bad_lines(
    file: BinaryIO, delimiter: str, *, width: int, encoding: str
) -> Iterator[tuple[int, str]]:
    """Read the file again, slowly, and name the line on which each bad record ends."""
    text = io.TextIOWrapper(file, encoding=encoding, errors="surrogateescape", newline="")
    reader = csv.reader(text, delimiter=delimiter)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield reader.line_num, "cannot be read"
            continue
        if row and len(row) != width:
            yield reader.line_num, f"{len(row)} cells instead of {width}"
        elif any(_is_undecoded(cell) for cell in row):
            yield reader.line_num, f"not {encoding}"


def _is_undecoded(cell: str) -> bool:
    return any("\udc80" <= char <= "\udcff" for char in cell)
