"""The files of an archive: Parquet, whole or absent, read back before anything is dropped."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from smsflow_provider.core.errors import StoreError

_MOMENT: Final = pl.Datetime("us", "UTC")
_OWN: Final = {"delivery": pl.String, "preparation": pl.Int64}

#: The files of an archive and their columns, besides ``delivery`` and ``preparation``.
FILES: Final[dict[str, dict[str, Any]]] = {
    "messages": {
        "position": pl.Int32,
        "phone": pl.UInt64,
        "recipient_id": pl.String,
        "sender": pl.String,
        "body": pl.String,
        "encoding": pl.String,
        "parts": pl.Int16,
        "region": pl.String,
        "kind": pl.String,
        "zones": pl.String,
        "language": pl.String,
        "state": pl.String,
        "code": pl.String,
        "gateway_ref": pl.String,
        "changed_at": _MOMENT,
        "receipt": pl.String,
        "received_at": _MOMENT,
    },
    "attempts": {
        "position": pl.Int32,
        "attempt": pl.Int16,
        "epoch": pl.Int64,
        "route": pl.Int16,
        "marked_at": _MOMENT,
        "outcome": pl.String,
        "code": pl.String,
        "gateway_ref": pl.String,
        "settled_at": _MOMENT,
    },
    "receipt_parts": {
        "position": pl.Int32,
        "part": pl.Int16,
        "parts": pl.Int16,
        "kind": pl.String,
        "code": pl.String,
    },
    "exclusions": {
        "row_number": pl.Int32,
        "phone": pl.UInt64,
        "recipient_id": pl.String,
        "reason": pl.String,
        "detail": pl.String,
        "winner_id": pl.String,
    },
}


class Folder(Protocol):
    """
    A path in a store of files: a ``pathlib.Path``, an ``ObjectStoragePath``, or alike.

    ``rename`` must put a whole file in place at once, as file systems and object stores do.
    """

    def __truediv__(self, name: str, /) -> Self:
        """Go down."""

    def mkdir(self, *, parents: bool, exist_ok: bool) -> None:
        """Make the folder."""

    def open(self, mode: str, /) -> Any:
        """Open the file."""

    def rename(self, target: Any, /) -> Any:
        """Move the file."""

    def unlink(self, missing_ok: bool = ...) -> None:  # noqa: FBT001  as pathlib has it
        """Remove the file."""


class ArchiveFile:
    """One file of an archive while it is written. Made by ``writing``."""

    def __init__(self, kind: str, file: BinaryIO) -> None:
        self._schema = {**_OWN, **FILES[kind]}
        self._arrow = pl.DataFrame(schema=self._schema).to_arrow().schema
        self._writer = pq.ParquetWriter(file, self._arrow, compression="zstd")
        self.rows = 0

    def add(self, delivery: str, preparation: int, rows: Sequence[tuple[Any, ...]]) -> None:
        """Append rows of one delivery, in the order of the columns of ``FILES``."""
        if not rows:
            return
        own = dict(list(self._schema.items())[len(_OWN) :])
        frame = pl.DataFrame(rows, schema=own, orient="row").select(
            pl.lit(delivery, dtype=pl.String).alias("delivery"),
            pl.lit(preparation, dtype=pl.Int64).alias("preparation"),
            pl.all(),
        )
        self._writer.write_table(frame.to_arrow().cast(self._arrow))
        self.rows += len(rows)

    def end(self) -> None:
        """Write the footer."""
        self._writer.close()


@contextmanager
def _closed(written: ArchiveFile) -> Iterator[None]:
    """Write the footer; after an error only let go of the file, whatever that says."""
    try:
        yield
    except BaseException:
        with suppress(OSError, ValueError, pa.ArrowException):
            written.end()
        raise
    written.end()


@contextmanager
def writing(folder: Folder, kind: str) -> Iterator[ArchiveFile]:
    """
    Write ``{kind}.parquet`` into *folder*, so that it is whole and on disk, or does not exist.

    A neighbour that ends in ``.part`` is written and renamed; a crash leaves at most that one,
    and the next try writes over it. On a disk only its owner may read the file.
    """
    part, target = folder / f"{kind}.parquet.part", folder / f"{kind}.parquet"
    try:
        with part.open("wb") as file:
            if isinstance(part, Path):
                part.chmod(0o600)
            written = ArchiveFile(kind, file)
            with _closed(written):
                yield written
            file.flush()
            with suppress(OSError, AttributeError):  # an object store has no disk of its own
                os.fsync(file.fileno())
        part.rename(target)
        if isinstance(folder, Path):
            _keep_names(folder)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def check_rows(folder: Folder, rows: dict[str, int]) -> None:
    """
    Read the files back.

    Raises:
        StoreError: One of them is gone or holds another number of rows; nothing may be dropped.
    """
    for kind, expected in rows.items():
        try:
            with (folder / f"{kind}.parquet").open("rb") as file:
                found = pq.ParquetFile(file).metadata.num_rows
        except (OSError, pa.ArrowInvalid) as error:
            raise StoreError(
                "a file of the archive cannot be read back: nothing was dropped",
                file=f"{kind}.parquet",
                cause=type(error).__name__,
            ) from error
        if found != expected:
            raise StoreError(
                "a file of the archive is not what was written: nothing was dropped",
                file=f"{kind}.parquet",
                rows=found,
                expected=expected,
            )


def _keep_names(folder: Path) -> None:
    """Make the names of a folder, and its own name, durable."""
    for each in (folder, folder.parent):
        descriptor = os.open(each, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
