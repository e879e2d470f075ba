"""The digest of prepared messages, fed by columns: the same as row by row, many times as fast."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from smsflow_provider.core.fingerprint import MessageDigest

_HEAD: Final = ("position", "phone", "parts", "encoding")
_FREE: Final = ("recipient_id", "sender", "body")


def add_frame(digest: MessageDigest, frame: pl.DataFrame) -> None:
    """
    Add messages to *digest*, as ``MessageDigest.add`` would row by row.

    Args:
        frame: Columns ``position``, ``phone``, ``recipient_id``, ``sender``, ``body``,
            ``encoding`` and ``parts``, in the order of positions, without nulls.
    """
    if frame.is_empty():
        return
    lengths = [pl.col(name).cast(pl.String).str.len_chars() for name in _FREE]
    pieces: list[Any] = []
    for column in [*map(pl.col, _HEAD), *lengths]:
        pieces += [column.cast(pl.String), pl.lit("|")]
    free = [pl.col(name).cast(pl.String) for name in _FREE]
    written = frame.lazy().select(pl.concat_str([*pieces, *free])).collect().to_series()
    digest.update(_characters_of(written))


def _characters_of(texts: pl.Series) -> memoryview:
    """All texts, one after the other, in UTF-8, without a copy of their own."""
    whole = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    return memoryview(whole.buffers()[2])
