"""Numbers on their way into the store and out of it: many at once, eight bytes each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, LiteralString

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smsflow_provider.core.errors import StoreError
from smsflow_provider.core.store.connection import Connection, Store

#: What the tables take as a phone: E.164 without the plus.
LOWEST: Final = 10**6
HIGHEST: Final = 10**15 - 1
#: Numbers handled at once.
PAGE: Final = 50_000
#: Numbers of a list that are loaded at once.
LOADED_ROWS: Final = 1_000_000

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": None})


#: Told how many rows changed, in the transaction that changes them: what it writes stands or falls
#: with the change.
Note = Callable[[Connection, int], None]


def note_nothing(_: Connection, __: int) -> None:
    """Say nothing of a change."""


_NO_PHONES: Final = np.empty(0, dtype=np.uint64)


def pages_of(phones: Iterable[int]) -> Iterator[list[int]]:
    """Hand out numbers a page at a time."""
    found = iter(phones)
    while page := list(islice(found, PAGE)):
        yield page


def copied_lines(entries: Iterable[tuple[int, Sequence[str]]]) -> Iterator[str]:
    """
    Write entries as COPY reads them, a page at a time.

    Args:
        entries: Phone (E.164 without the plus), and texts.

    Raises:
        StoreError: Some are no such numbers, with how many of the page.
    """
    found = iter(entries)
    while page := list(islice(found, PAGE)):
        _check_phones([phone for phone, _ in page])
        yield "".join(
            "\t".join([str(phone), *(text.translate(_ESCAPES) for text in texts)]) + "\n"
            for phone, texts in page
        )


def _check_phones(phones: Sequence[int]) -> None:
    wrong = sum(not LOWEST <= phone <= HIGHEST for phone in phones)
    if wrong:
        raise StoreError("some of these are not E.164 numbers without the plus", count=wrong)


def take_lines(
    store: Store,
    lines: Iterable[str],
    *,
    inbox: LiteralString,
    fill: LiteralString,
    take: LiteralString,
    note: Note = note_nothing,
) -> int:
    """
    Bring lines into a table of the transaction's own, and from there where they belong.

    All or none: what *lines* raises leaves nothing.

    Returns:
        How many rows *take* changed.
    """
    with store.transaction() as connection, connection.cursor() as cursor:
        cursor.execute(inbox)
        with cursor.copy(fill) as copy:
            for page in lines:
                copy.write(page)
        changed = cursor.execute(take).rowcount
        note(connection, changed)
    return changed


def unpacked(raw: bytes, *, width: int = 8) -> NDArray[Any]:
    """
    Read integers that the server packed into one value: a quarter of the time of rows.

    Args:
        raw: From ``string_agg(int8send(…), '')``, or of ``int4send`` with a *width* of 4.

    Example:
        >>> unpacked((33612345678).to_bytes(8, "big"))
        array([33612345678], dtype='>i8')
    """
    return np.frombuffer(raw, dtype=f">i{width}")


def phones_of(pieces: Sequence[bytes]) -> pl.Series:
    """Join packed numbers, each once: a series ``phone`` of UInt64, ascending."""
    joined = np.concatenate([_NO_PHONES, *(unpacked(raw).astype(np.uint64) for raw in pieces)])
    joined.sort()
    return pl.Series("phone", joined).set_sorted()
