"""People in an Excel file: one sheet, its first row with something in it names the columns."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import time
from importlib import import_module
from typing import Any

import polars as pl
import pyarrow as pa

from smsflow_provider.core.audience.file_options import PLAIN, FileOptions
from smsflow_provider.core.audience.reference import near_hint
from smsflow_provider.core.audience.source import BATCH_ROWS, Pick, all_columns
from smsflow_provider.core.audience.spool import empty_batch
from smsflow_provider.core.errors import AudienceError

#: The module that reads spreadsheets.
LIBRARY = "fastexcel"
#: How files of old Excel begin, and what a new one, which is a zip, has in its first bytes.
_OLD_MARK = b"\xd0\xcf\x11\xe0"
_ZIP_MARK = b"PK\x03\x04"
_NEW_PIECES = (b"[Content_Types].xml", b"xl/", b"_rels/", b"docProps/", b"mimetype")
#: Bytes of the largest file read; such a file is held in memory whole.
MOST_BYTES = 256 * 1024 * 1024
#: Bytes of it unpacked, and cells between the first and the last of a sheet, which the library
#: holds all, empty or not: 32 bytes each.
MOST_UNPACKED = 2 * 1024**3
MOST_CELLS = 64 * 1024**2
#: What a sheet says of itself before its first row.
_EXTENT = re.compile(rb'<dimension ref="[A-Z]+[0-9]+:([A-Z]+)([0-9]+)"')
#: Beyond it a float no longer knows its last digits.
_EXACT = 2**53


def is_excel(head: bytes) -> bool:
    """
    Tell whether a file that begins so is a spreadsheet, old or new.

    Args:
        head: Its first bytes, a few hundred at least.
    """
    if head.startswith(_OLD_MARK):
        return True
    return head.startswith(_ZIP_MARK) and head[30:].startswith(_NEW_PIECES)


class ExcelBatches:
    """
    A source over one sheet of an Excel file (``.xlsx``, ``.xls``, ``.xlsb``, ``.ods``).

    Excel knows numbers only as floating point: a column of whole numbers becomes whole again, a
    column of midnights becomes dates. Columns that mix numbers and texts become text. Wholly
    empty rows are no rows; a cell with an error (``#N/A``) is empty. A number that Excel shows
    with zeros in front has none in the file.

    Args:
        data: The whole file.
        label: The file's name, for errors.
        options: Which sheet.
        pick: Which columns to read.
        library: The module that reads such files; an extra of this package brings it.
        most_unpacked: Bytes the file may have when it is unpacked.
    """

    def __init__(
        self,
        data: bytes,
        *,
        label: str,
        options: FileOptions = PLAIN,
        pick: Pick = all_columns,
        library: str = LIBRARY,
        most_unpacked: int = MOST_UNPACKED,
    ) -> None:
        self._most_unpacked = most_unpacked
        self._library = library
        self._data = data
        self._label = label
        self._options = options
        self._pick = pick
        self._sheet = ""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Hand out the rows; see ``Source.batches``."""
        library = _loaded(self._library, label=self._label)
        self._check_size()
        try:
            yield from self._read(library.read_excel(self._data))
        except library.FastExcelError as error:
            raise AudienceError(
                "the file cannot be read as Excel: is it cut off, or protected by a password?",
                file=self._label,
                cause=type(error).__name__,
            ) from None

    def facts(self) -> dict[str, Any]:
        """Tell which sheet was read; see ``told_by``."""
        return {"sheet": self._sheet}

    def _check_size(self) -> None:
        """Refuse what would not fit: the library would end the process, not raise."""
        try:
            with zipfile.ZipFile(io.BytesIO(self._data)) as book:
                unpacked = sum(one.file_size for one in book.infolist())
                cells = max(_extents(book), default=0) if unpacked <= self._most_unpacked else 0
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, zlib.error):
            return  # of another kind, or broken: the library says which
        if unpacked > self._most_unpacked or cells > MOST_CELLS:
            raise AudienceError(
                "the Excel file is too large: remove what stands far from the people,"
                " or export it as CSV or Parquet",
                file=self._label,
                bytes=unpacked,
                cells=cells,
                limit_bytes=self._most_unpacked,
                limit_cells=MOST_CELLS,
            )

    def _read(self, book: Any) -> Iterator[pa.RecordBatch]:
        self._sheet = self._choose(book)
        names = _header(book, self._sheet)
        if not names:
            raise AudienceError(
                "the sheet is empty: there is not even a header",
                file=self._label,
                sheet=self._sheet,
            )
        wanted = set(self._pick(names))
        places = [place for place, name in enumerate(names) if name in wanted]
        chosen = [names[place] for place in places]
        yield empty_batch(pa.schema([(name, pa.null()) for name in chosen]))
        found = book.load_sheet(
            self._sheet, schema_sample_rows=None, use_columns=places, eager=False
        ).to_arrow()
        yield from _pieces(_without_blank_rows(found), chosen)

    def _choose(self, book: Any) -> str:
        """Take the sheet that was asked for, or the only one that people see."""
        names = list(book.sheet_names)
        asked = self._options.sheet
        if asked is None:
            names = [name for name in names if book.load_sheet(name, n_rows=0).visible == "visible"]
        if asked in names:
            return str(asked)
        if asked is None and len(names) == 1:
            return str(names[0])
        problem = (
            f"there is no sheet {asked!r}{near_hint(asked, names)}"
            if asked
            else "the file has not one sheet: say file_options.sheet"
        )
        raise AudienceError(problem, file=self._label, sheets=names)


def _loaded(library: str, *, label: str) -> Any:
    try:
        return import_module(library)
    except ImportError:
        raise AudienceError(
            "Excel files need the extra 'excel': pip install 'smsflow-provider[excel]'", file=label
        ) from None


def _extents(book: zipfile.ZipFile) -> Iterator[int]:
    """Read how many cells each sheet says it spans."""
    for name in book.namelist():
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            with book.open(name) as sheet:
                found = _EXTENT.search(sheet.read(4096))
            if found:
                yield _column_number(found[1]) * int(found[2])


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _header(book: Any, sheet: str) -> list[str]:
    """Read the names as they stand: the library would rename what is there twice."""
    row = book.load_sheet(sheet, header_row=None, n_rows=1, dtypes="string").to_arrow()
    if row.num_rows == 0:
        return []
    names = [column[0].as_py() or "" for column in row.columns]
    return [str(name).strip() for name in names]


def _without_blank_rows(found: pa.RecordBatch) -> pa.RecordBatch:
    if found.num_rows == 0 or found.num_columns == 0:
        return found
    frame = pl.DataFrame([pl.from_arrow(column) for column in found.columns])
    is_filled = frame.select(~pl.all_horizontal(pl.all().is_null())).to_series()
    return found.filter(is_filled.to_arrow().cast(pa.bool_()))


def _pieces(found: pa.RecordBatch, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
    arrays = [_settled(column) for column in found.columns]
    whole = pa.RecordBatch.from_arrays(arrays, list(names))
    for start in range(0, whole.num_rows, BATCH_ROWS):
        yield whole.slice(start, BATCH_ROWS)


def _settled(column: pa.Array) -> pa.Array:
    if pa.types.is_floating(column.type):
        return _whole(column)
    return _dates(column) if pa.types.is_timestamp(column.type) else column


def _whole(column: pa.Array) -> pa.Array:
    values = pl.Series(column).drop_nulls()
    is_whole = ((values == values.round()) & (values.abs() < _EXACT)).all()
    return column.cast(pa.int64()) if is_whole else column


def _dates(column: pa.Array) -> pa.Array:
    values = pl.Series(column).drop_nulls()
    return column.cast(pa.date32()) if (values.dt.time() == time(0)).all() else column
