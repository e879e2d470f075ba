"""People in a CSV file: every column as text."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv

from smsflow_provider.core.audience.csv_lines import (
    find_bad_lines,
    is_quote_open,
    records_of,
    sniff_delimiter,
)
from smsflow_provider.core.audience.file_options import PLAIN, BadLines, FileOptions
from smsflow_provider.core.audience.source import Pick, all_columns
from smsflow_provider.core.audience.spool import empty_batch
from smsflow_provider.core.audience.text_encoding import (
    Counted,
    Escaped,
    encoding_of,
    likely_encodings,
)
from smsflow_provider.core.errors import AudienceError

#: Bytes looked at to find the separator, and the longest record a file may have.
SAMPLE_BYTES = 64 * 1024
RECORD_BYTES = 4 * 1024 * 1024
#: Bad lines named in an error or in the log; the count is exact.
SHOWN_LINES = 20

#: Opens the same file anew, in binary, from its start.
Reopen = Callable[[], BinaryIO]


class CsvBatches:
    """
    A source over one CSV file.

    The first record names the columns; every column is text, so that phones keep their zeros and
    their plus; an empty cell stays an empty text. A line with too few or too many cells, or with
    bytes that are not text in a column that is read, is bad. See ``BadLines`` for what follows;
    more bad lines than good ones are an error either way, and so is a quote that is never closed.

    Args:
        reopen: Opens the file; called again only to name bad lines.
        label: The file's name, for errors.
        options: What is known about the file.
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
        self._encoding = "utf-8"
        self._delimiter = ","
        self._names: list[str] = []
        self._places: list[int] = []
        self._bad_count = 0

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Hand out the rows; see ``Source.batches``."""
        with self._reopen() as file:
            head = file.read(SAMPLE_BYTES)
        has_rows = self._look(head)
        yield empty_batch(pa.schema([(name, pa.string()) for name in self._read_names]))
        if has_rows:
            yield from self._skipping() if self._is_skipping else self._whole()

    def facts(self) -> dict[str, Any]:
        """Tell how the file was read, and which lines were left out; see ``told_by``."""
        found: dict[str, Any] = {"delimiter": self._delimiter, "encoding": self._encoding}
        if self._bad_count:
            found["bad_lines"] = self._bad_count
            found["first_bad_lines"] = self._told(self._find(SHOWN_LINES))
        return found

    @property
    def _is_skipping(self) -> bool:
        return self._options.bad_lines is BadLines.SKIP

    @property
    def _read_names(self) -> list[str]:
        return [self._names[place].strip() for place in self._places]

    def _look(self, head: bytes) -> bool:
        """Find encoding, separator and columns; tell whether there may be rows."""
        self._encoding = encoding_of(head, stated=self._options.encoding, label=self._label)
        text = head.decode(self._encoding, errors="replace").removeprefix("\ufeff")
        self._delimiter = self._options.delimiter or sniff_delimiter(text)
        records = list(islice(filter(None, records_of(text, self._delimiter)), 2))
        if not records:
            raise AudienceError("the file is empty: there is not even a header", file=self._label)
        self._names = records[0]
        self._places = _places(self._names, self._pick)
        return len(records) > 1 or len(head) == SAMPLE_BYTES

    def _whole(self) -> Iterator[pa.RecordBatch]:
        bad: list[int] = []
        try:
            with self._reopen() as file:
                yield from self._read(file, pa.string(), encoding=self._encoding, bad=bad)
        except (pa.ArrowInvalid, UnicodeError):
            # Their texts quote the line.
            raise self._refusal() from None
        if bad:
            raise self._refusal()

    def _skipping(self) -> Iterator[pa.RecordBatch]:
        bad: list[int] = []
        good = undecoded = 0
        try:
            with self._reopen() as raw, _as_utf8(raw, self._encoding) as file:
                for batch in self._read(file, pa.binary(), encoding="utf-8", bad=bad):
                    kept = _decoded(batch)
                    undecoded += batch.num_rows - kept.num_rows
                    good += kept.num_rows
                    yield kept
        except (pa.ArrowInvalid, UnicodeError):
            raise self._refusal() from None
        self._bad_count = len(bad) + undecoded
        if self._bad_count > good:
            raise self._refusal()

    def _read(
        self, file: Any, kind: pa.DataType, *, encoding: str, bad: list[int]
    ) -> Iterator[pa.RecordBatch]:
        counted = Counted(file)
        reader = _open_csv(
            io.BufferedReader(counted, RECORD_BYTES),
            self._names,
            kind,
            self._delimiter,
            encoding=encoding,
            bad=bad,
            places=self._places,
        )
        for batch in reader:
            yield pa.RecordBatch.from_arrays(batch.columns, self._read_names)
        # What follows an open quote is one cell: its people would be missing without a word.
        if counted.quotes % 2 and self._has_open_quote():
            raise pa.ArrowInvalid

    def _has_open_quote(self) -> bool:
        return is_quote_open(self._reopen(), self._delimiter, encoding=self._encoding)

    def _refusal(self) -> AudienceError:
        found = self._find()
        hints = self._encoding_hints(found)
        return AudienceError(
            "the file has lines that cannot be read",
            file=self._label,
            lines=self._told(found)
            or [f"a quote is never closed, or a line is longer than {RECORD_BYTES} bytes"],
            count=len(found) or 1,
            columns=len(self._names),
            delimiter=self._delimiter,
            encoding=self._encoding,
            do="mend the file, or leave such lines out by its option bad_lines: skip",
            **({"likely_encodings": hints} if hints else {}),
        )

    def _encoding_hints(self, found: Sequence[tuple[int, str]]) -> list[str]:
        if not any(why.startswith("not ") for _, why in found):
            return []
        with self._reopen() as file:
            sample = file.read(RECORD_BYTES)
        return likely_encodings(sample)

    def _find(self, most: int | None = None) -> list[tuple[int, str]]:
        found = find_bad_lines(
            self._reopen(),
            self._delimiter,
            width=len(self._names),
            encoding=self._encoding,
            places=self._places,
        )
        with closing(found):
            return list(islice(found, most))

    @staticmethod
    def _told(found: Sequence[tuple[int, str]]) -> list[str]:
        return [f"line {line}: {why}" for line, why in found[:SHOWN_LINES]]


def _places(names: Sequence[str], pick: Pick) -> list[int]:
    stripped = [name.strip() for name in names]
    wanted = set(pick(stripped))
    return [place for place, name in enumerate(stripped) if name in wanted]


def _as_utf8(raw: BinaryIO, encoding: str) -> BinaryIO | io.BufferedReader:
    if codecs.lookup(encoding).name == "utf-8":
        return raw
    return io.BufferedReader(Escaped(raw, encoding=encoding), RECORD_BYTES)


def _open_csv(
    file: Any,
    names: list[str],
    kind: pa.DataType,
    delimiter: str,
    *,
    encoding: str,
    bad: list[int],
    places: Sequence[int],
) -> pa_csv.CSVStreamingReader:
    def note(_row: pa_csv.InvalidRow) -> str:
        bad.append(1)
        return "skip"

    chosen = [names[place] for place in places] if len(places) < len(names) else None
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
            column_types=dict.fromkeys(names, kind),
            include_columns=chosen,
            strings_can_be_null=False,
        ),
    )


def _decoded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Keep the rows whose every cell is text."""
    try:
        return _as_text(batch)
    except pa.ArrowInvalid:
        sound = [
            all(_is_text(value) for value in row)
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
        ]
        return _as_text(batch.filter(pa.array(sound, pa.bool_())))


def _as_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    arrays = [column.cast(pa.string()) for column in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names)


def _is_text(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
