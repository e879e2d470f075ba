"""Freeze a source: one Parquet file, and a small reference to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from smsflow_provider.core.audience.columns import TEXT, kind_of
from smsflow_provider.core.audience.fingerprint import Fingerprint
from smsflow_provider.core.audience.layout import ID, PHONE, Layout, make_layout
from smsflow_provider.core.audience.place import Artifact, put_whole
from smsflow_provider.core.audience.reference import AudienceReference, Column
from smsflow_provider.core.audience.source import (
    BATCH_ROWS,
    OnEmpty,
    Pick,
    Source,
    all_columns,
    ended,
)
from smsflow_provider.core.audience.spool import Spool, empty_batch, read_batches
from smsflow_provider.core.errors import AudienceError


def build_audience(
    source: Source,
    *,
    target: Artifact,
    phone_column: str = "phone",
    id_column: str | None = None,
    columns: Sequence[str] = (),
    on_empty: OnEmpty = OnEmpty.FAIL,
) -> AudienceReference | None:
    """
    Read *source* once, in bounded memory, and keep it as one Parquet file at *target*.

    The file has ``recipient_id`` and ``phone`` as text, then every other column under its own
    name. Whole numbers keep no point, so that a spreadsheet's phone stays a phone. The phone is
    otherwise as given: numbers are not checked here, nobody is left out, and two rows of one
    person stay two.

    The rows are collected in a scratch folder of this machine and copied to *target* when all of
    them are there. A crash before that leaves nothing at *target*. Run twice, with two targets,
    it leaves two whole files; which one counts is the caller's to say.

    Args:
        source: Where the people come from.
        target: Where the file goes; nobody else may write there (see ``artifact_path``).
        phone_column: The source's column of phones.
        id_column: The source's column that identifies a recipient. None: ``recipient_id`` if
            there is one, else the row's number, from 1.
        columns: Keep these others only, in this order. Empty: all. What the source need not read
            is its own affair: see ``pick_of``.
        on_empty: What to do when there is nobody.

    Returns:
        The reference with its columns; None when there is nobody and *on_empty* is skip. Then no
        file is written.

    Raises:
        AudienceError: The source cannot be read, a column is missing or cannot be kept, or there
            is nobody and *on_empty* is fail.
    """
    with TemporaryDirectory(prefix="smsflow-audience-") as scratch:
        spool = Spool(Path(scratch))
        lay_out = partial(
            make_layout,
            phone_column=phone_column,
            id_column=id_column,
            chosen=columns,
            label=source.label,
        )
        with ended(_arranged(source, lay_out)) as batches:
            for batch in batches:
                spool.add(batch)
        if spool.count == 0 and not is_empty_fine(on_empty, label=source.label):
            return None
        whole = spool.finish()
        reference = _reference_to(whole, uri=uri_of(target))
        put_whole(whole, target)
    return reference


def is_empty_fine(on_empty: OnEmpty, *, label: str) -> bool:
    """
    Tell whether to go on with nobody; False: skip.

    Raises:
        AudienceError: *on_empty* is fail.
    """
    if on_empty is OnEmpty.FAIL:
        raise AudienceError("the audience is empty: there is nobody to send to", source=label)
    return on_empty is OnEmpty.CONTINUE


def pick_of(
    *, columns: Sequence[str], phone_column: str, id_column: str | None, label: str
) -> Pick:
    """
    Tell a source which of its columns an audience is made of; arguments as ``build_audience``.

    Example:
        >>> pick = pick_of(columns=["city"], phone_column="tel", id_column=None, label="people.csv")
        >>> pick(["recipient_id", "tel", "city", "income"])
        ['recipient_id', 'tel', 'city']
    """
    if not columns:
        return all_columns

    def pick(names: Sequence[str]) -> Sequence[str]:
        return make_layout(
            names, phone_column=phone_column, id_column=id_column, chosen=columns, label=label
        ).needed

    return pick


def _arranged(
    source: Source, lay_out: Callable[[Sequence[str]], Layout]
) -> Iterator[pa.RecordBatch]:
    layout: Layout | None = None
    first_row = 1
    with ended(source.batches()) as batches:
        for batch in batches:
            layout = layout or lay_out(batch.schema.names)
            for piece in _pieces(batch):
                yield layout.arranged(piece, first_row=first_row)
                first_row += piece.num_rows
    if layout is None:
        yield empty_batch(pa.schema([(ID, TEXT), (PHONE, TEXT)]))


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    for start in range(0, max(batch.num_rows, 1), BATCH_ROWS):
        yield batch.slice(start, BATCH_ROWS)


def _reference_to(path: Path, *, uri: str) -> AudienceReference:
    """Read the finished file back: what is counted and hashed is what readers will see."""
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        fingerprint = Fingerprint(schema)
        for batch in read_batches(file):
            fingerprint.update(batch)
        count = file.metadata.num_rows
    return AudienceReference(
        uri=uri,
        count=count,
        fingerprint=fingerprint.hexdigest(),
        columns=tuple(Column(name=one.name, kind=kind_of(one.type)) for one in schema),
    )


def uri_of(target: Artifact) -> str:
    """
    Write a path as the URI under which readers find it; a local path becomes ``file://``.

    Nothing is escaped: object storage paths take names as they are.

    Example:
        >>> uri_of(Path("/artifacts/who is it.parquet"))
        'file:///artifacts/who is it.parquet'
    """
    text = str(target.absolute() if isinstance(target, Path) else target)
    return f"file://{text}" if text.startswith("/") else text
