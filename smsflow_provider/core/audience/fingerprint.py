"""One hash over an audience's content: the same people give the same hash, wherever they lie."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from smsflow_provider.core.audience import columns

#: Part of what is hashed: a change of the rules below must change every fingerprint.
_RULES = "smsflow audience 1"


class Fingerprint:
    """
    The running sha256 of an audience: column names, types and values, in order.

    Depends on nothing else: not on how the rows are cut into batches, not on compression, not on
    the Parquet writer or the machine. Two hashes run per column, one over lengths or presence
    and one over the bytes, so that no two contents feed the same stream.

    Args:
        schema: Names and types, each type made by ``columns.settled``.

    Example:
        >>> schema = pa.schema([("phone", pa.string())])
        >>> len(Fingerprint(schema).hexdigest())
        64
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._heads = [[field.name, columns.kind_of(field.type)] for field in schema]
        self._hashes = [(hashlib.sha256(), hashlib.sha256()) for _ in schema]
        self._count = 0

    def update(self, batch: pa.RecordBatch) -> None:
        """Feed the next rows; *batch* must have the schema given at the start."""
        self._count += batch.num_rows
        for array, (shape, content) in zip(batch.columns, self._hashes, strict=True):
            if array.type == columns.TEXT:
                shape.update(_lengths(array))
                content.update(_characters(array))
            else:
                shape.update(_presence(array))
                content.update(_values(array))

    def hexdigest(self) -> str:
        """Close the hash over all that was fed; more may be fed afterwards."""
        told = [
            [*head, shape.hexdigest(), content.hexdigest()]
            for head, (shape, content) in zip(self._heads, self._hashes, strict=True)
        ]
        text = json.dumps([_RULES, self._count, told], ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()


def _lengths(array: pa.Array) -> bytes:
    """Bytes of each text as 4-byte numbers; -1 where there is none."""
    return _raw(_filled(pc.binary_length(array), -1), "<i4")


def _characters(array: pa.Array) -> memoryview:
    """All texts, one after the other, in UTF-8."""
    full = _filled(array, "")
    _, offsets, data = full.buffers()
    if data is None or len(full) == 0:
        return memoryview(b"")
    ends = np.frombuffer(offsets, dtype="<i4")
    return memoryview(data)[int(ends[full.offset]) : int(ends[full.offset + len(full)])]


def _presence(array: pa.Array) -> bytes:
    return _raw(array.is_valid().cast(pa.uint8()), "<u1")


def _values(array: pa.Array) -> bytes:
    """Fixed-width values, little-endian; zero where there is none."""
    kind = array.type
    if pa.types.is_boolean(kind):
        return _raw(_filled(array.cast(pa.uint8()), 0), "<u1")
    if pa.types.is_decimal(kind):
        return _fixed(_filled(array, 0), width=16)
    if kind == columns.DATE:
        return _raw(_filled(array.view(pa.int32()), 0), "<i4")
    return _raw(_filled(array.view(pa.int64()), 0), "<i8")


def _filled(array: pa.Array, value: object) -> pa.Array:
    return pc.fill_null(array, _scalar(value, array.type)) if array.null_count else array


@cache
def _scalar(value: object, kind: pa.DataType) -> pa.Scalar:
    # pa.scalar() would import pandas; polars does not.
    return pl.Series([value]).to_arrow().cast(kind)[0]


def _raw(array: pa.Array, kind: str) -> bytes:
    return _fixed(array, width=np.dtype(kind).itemsize)


def _fixed(array: pa.Array, *, width: int) -> bytes:
    buffer: Any = array.buffers()[1]
    if buffer is None:
        return b""
    start = array.offset * width
    return memoryview(buffer)[start : start + len(array) * width].tobytes()
