"""People who must get no campaign text: by number, each list under a scope."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, LiteralString

import numpy as np
import polars as pl
from psycopg import Copy

from smsflow_provider.core.errors import StoreError
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.statements import statements

_SQL = "opt_outs"

#: What the table takes as a phone: E.164 without the plus.
LOWEST, HIGHEST = 10**6, 10**15 - 1
#: Numbers handled at once.
PAGE = 50_000

# On the way in, entries go through a table of the transaction's own. These cannot stand with the
# named statements, which must be valid on the schema as it is.
_INBOX: LiteralString = """
CREATE TEMPORARY TABLE smsflow_opt_outs_inbox (phone bigint, scope text, reason text, source text)
    ON COMMIT DROP"""
_FILL: LiteralString = "COPY smsflow_opt_outs_inbox (phone, scope, reason, source) FROM STDIN"
_TAKE: LiteralString = """
INSERT INTO smsflow_opt_outs (phone, scope, reason, source)
SELECT DISTINCT ON (phone, scope) phone, scope, reason, source FROM smsflow_opt_outs_inbox
 ORDER BY phone, scope
    ON CONFLICT (phone, scope) DO NOTHING"""
# Walks the table once; the primary key has the order.
_DRAIN: LiteralString = """
COPY (SELECT DISTINCT phone FROM smsflow_opt_outs WHERE scope = ANY(%(scopes)s) ORDER BY phone)
  TO STDOUT (FORMAT BINARY)"""

#: PostgreSQL's binary COPY of one bigint: number of fields, length, value. Big-endian.
_TUPLE = np.dtype([("fields", ">i2"), ("length", ">i4"), ("phone", ">i8")])
_HEADER_BYTES = 19
_TRAILER_BYTES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """One number on one list."""

    #: E.164 without the plus.
    phone: int = field(repr=False)
    #: The list. Empty: no delivery at all.
    scope: str = ""
    #: Why, in the words of whoever added it.
    reason: str = ""
    #: Where it came from: an import, a reply, a person.
    source: str = ""
    #: When it came onto the list; None before it did.
    created_at: datetime | None = None


def add_opt_outs(
    store: Store,
    phones: Iterable[int],
    *,
    scope: str = "",
    reason: str = "",
    source: str = "",
) -> int:
    """
    Put numbers onto one list, all or none; a number that is on it stays as it is.

    Args:
        phones: E.164 without the plus. Repeated numbers are one.
        scope: The list. Empty: no delivery at all.
        reason: Why.
        source: Where they come from.

    Returns:
        How many were not on the list before.

    Raises:
        StoreError: Some are no such numbers, with how many; nothing was added.
    """
    tail = f"\t{_escaped(scope)}\t{_escaped(reason)}\t{_escaped(source)}\n"
    return _add(store, _pages_of_lines(phones, tail=tail))


def add_opt_out_entries(store: Store, entries: Iterable[OptOut]) -> int:
    """Put entries onto the lists they name; otherwise the same as ``add_opt_outs``."""
    lines = (
        (entry.phone, "\t".join(map(_escaped, (entry.scope, entry.reason, entry.source))))
        for entry in entries
    )
    return _add(store, _pages_of_entries(lines))


def _pages_of_lines(phones: Iterable[int], *, tail: str) -> Iterator[str]:
    found = iter(phones)
    while page := list(islice(found, PAGE)):
        _check_phones(page)
        yield tail.join(map(str, page)) + tail


def _pages_of_entries(lines: Iterable[tuple[int, str]]) -> Iterator[str]:
    found = iter(lines)
    while page := list(islice(found, PAGE)):
        _check_phones([phone for phone, _ in page])
        yield "".join(f"{phone}\t{rest}\n" for phone, rest in page)


def _check_phones(phones: Sequence[int]) -> None:
    wrong = sum(not LOWEST <= phone <= HIGHEST for phone in phones)
    if wrong:
        raise StoreError("some of these are not E.164 numbers without the plus", count=wrong)


def _escaped(text: str) -> str:
    """Write a text as COPY reads it."""
    for char, safe in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(char, safe)
    return text.replace("\x00", "")


def _add(store: Store, pages: Iterable[str]) -> int:
    with store.transaction() as connection, connection.cursor() as cursor:
        cursor.execute(_INBOX)
        with cursor.copy(_FILL) as copy:
            for page in pages:
                copy.write(page)
        return cursor.execute(_TAKE).rowcount


def remove_opt_outs(store: Store, phones: Iterable[int], *, scope: str | None = "") -> int:
    """
    Take numbers off one list, all or none; those that are not on it are passed over.

    Args:
        phones: E.164 without the plus.
        scope: The list. None: every list.

    Returns:
        How many entries are gone.
    """
    found, removed = iter(phones), 0
    with store.transaction() as connection:
        while page := list(islice(found, PAGE)):
            values = {"phones": page, "scope": scope}
            removed += connection.execute(statements(_SQL)["remove_opt_outs"], values).rowcount
    return removed


def iterate_opt_outs(
    store: Store, *, scope: str | None = None, page: int = PAGE
) -> Iterator[list[OptOut]]:
    """
    Hand out the entries by phone and scope, a page at a time.

    Each page is a transaction of its own: what is added meanwhile behind the current page is
    seen, what is added before it is not.

    Args:
        scope: One list. None: all of them.
        page: Entries of a page, at most.
    """
    values = {"phone": 0, "after_scope": "", "scope": scope, "limit": page}
    while entries := _page_after(store, values):
        yield entries
        values |= {"phone": entries[-1].phone, "after_scope": entries[-1].scope}


def _page_after(store: Store, values: dict[str, object]) -> list[OptOut]:
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["next_opt_outs"], values).fetchall()
    return [_entry_of(row) for row in rows]


def _entry_of(row: Row) -> OptOut:
    return OptOut(**row)


def count_opt_outs(store: Store, *, scope: str | None = None) -> int:
    """Count the entries of one list, or of all."""
    with store.transaction() as connection:
        row = connection.execute(statements(_SQL)["count_opt_outs"], {"scope": scope}).fetchone()
    return int(row["entries"]) if row else 0


class PhoneSet:
    """
    Many numbers in 8 bytes each, to look one up or to join with all of them.

    Looking one up takes about half a microsecond with a million of them. Never changes.

    Args:
        phones: E.164 without the plus, ascending, each once.

    Example:
        >>> 33612345678 in PhoneSet(np.array([33612345678], dtype=np.uint64))
        True
    """

    def __init__(self, phones: np.ndarray[Any, np.dtype[np.uint64]]) -> None:
        self._sorted = array("Q", phones.tobytes())

    def __contains__(self, phone: object) -> bool:
        if not isinstance(phone, int):
            return False
        place = bisect_left(self._sorted, phone)
        return place < len(self._sorted) and self._sorted[place] == phone

    def __len__(self) -> int:
        return len(self._sorted)

    def __iter__(self) -> Iterator[int]:
        return iter(self._sorted)

    def __repr__(self) -> str:
        """Say how many; not which."""
        return f"PhoneSet({len(self)} numbers)"

    @property
    def series(self) -> pl.Series:
        """The numbers as a series ``phone`` of UInt64, ascending, for a join."""
        return pl.Series("phone", np.frombuffer(self._sorted, dtype=np.uint64))


def load_opt_outs(store: Store, *, scopes: Sequence[str] = ("",)) -> PhoneSet:
    """
    Load the numbers of some lists.

    Args:
        scopes: The lists. The empty one is not added by itself.

    Returns:
        Each number once. Takes about twice its memory while loading.

    Raises:
        StoreError: The store is out of reach, or its schema is another one.
    """
    with store.transaction() as connection:
        return read_opt_outs(connection, scopes=scopes)


def read_opt_outs(connection: Connection, *, scopes: Sequence[str] = ("",)) -> PhoneSet:
    """Load the numbers in an open transaction; otherwise the same as ``load_opt_outs``."""
    with (
        connection.cursor() as cursor,
        cursor.copy(_DRAIN, {"scopes": list(scopes)}) as copy,
    ):
        raw = _drained(copy)
    tuples = np.frombuffer(raw, dtype=_TUPLE, offset=_HEADER_BYTES, count=_count_of(raw))
    return PhoneSet(tuples["phone"].astype(np.uint64))


def _drained(copy: Copy) -> bytes:
    return b"".join(bytes(block) for block in copy)


def _count_of(raw: bytes) -> int:
    return (len(raw) - _HEADER_BYTES - _TRAILER_BYTES) // _TUPLE.itemsize
