"""Numbers that cannot get a text, whoever has them: hand-made entries, and those of failures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, LiteralString

import polars as pl

from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.phones import (
    LOADED_ROWS,
    PAGE,
    Note,
    copied_lines,
    note_nothing,
    pages_of,
    phones_of,
    take_lines,
)
from smsflow_provider.core.store.qualified import FROM_RECEIPTS, FROM_REFUSALS, read_qualifier
from smsflow_provider.core.store.statements import statements

_SQL: Final = "quarantine"

# On the way in, entries go through a table of the transaction's own. These cannot stand with the
# named statements, which must be valid on the schema as it is.
_INBOX: LiteralString = """
CREATE TEMPORARY TABLE smsflow_quarantine_inbox (phone bigint, reason text, source text)
    ON COMMIT DROP"""
_FILL: LiteralString = "COPY smsflow_quarantine_inbox (phone, reason, source) FROM STDIN"
_TAKE: LiteralString = """
INSERT INTO smsflow_quarantine AS q (phone, reason, source)
SELECT DISTINCT ON (phone) phone, reason, source FROM smsflow_quarantine_inbox ORDER BY phone
    ON CONFLICT (phone) DO UPDATE
   SET reason = excluded.reason, source = excluded.source, quarantined_at = now()
 WHERE q.quarantined_at IS NULL"""

#: Of an exported file. The second and third are read from imported ones, too.
QUARANTINE_COLUMNS: Final = (
    "phone",
    "reason",
    "source",
    "errors",
    "last_error_at",
    "quarantined_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """One number in quarantine."""

    #: E.164 without the plus.
    phone: int = field(repr=False)
    #: Why: a code of the carrier, or the words of whoever added it.
    reason: str = ""
    #: Where it came from: an import, receipts, a person.
    source: str = ""
    #: Errors that count, up to now.
    errors: int = 0
    last_error_at: datetime | None = None
    #: None before it is in the store.
    quarantined_at: datetime | None = None

    def as_row(self) -> tuple[object, ...]:
        """Give the values of ``QUARANTINE_COLUMNS``: whole, with the plus."""
        return (
            f"+{self.phone}",
            self.reason,
            self.source,
            self.errors,
            self.last_error_at,
            self.quarantined_at,
        )


def add_quarantined(
    store: Store, phones: Iterable[int], *, reason: str = "", source: str = ""
) -> int:
    """
    Put numbers into quarantine, all or none; one that is there stays as it is.

    Args:
        phones: E.164 without the plus. Repeated numbers are one.
        reason: Why.
        source: Where they come from.

    Returns:
        How many were not in quarantine before; errors may have been counted of them.

    Raises:
        StoreError: Some are no such numbers, with how many; nothing was added.
    """
    return _add(store, ((phone, (reason, source)) for phone in phones))


def add_quarantined_entries(
    store: Store, entries: Iterable[Quarantined], *, note: Note = note_nothing
) -> int:
    """
    Put entries into quarantine with their reasons and sources; see ``add_quarantined``.

    Args:
        note: Told how many were added, in the same transaction.
    """
    return _add(
        store, ((entry.phone, (entry.reason, entry.source)) for entry in entries), note=note
    )


def _add(
    store: Store, entries: Iterable[tuple[int, tuple[str, str]]], *, note: Note = note_nothing
) -> int:
    lines = copied_lines(entries)
    return take_lines(store, lines, inbox=_INBOX, fill=_FILL, take=_TAKE, note=note)


def remove_quarantined(store: Store, phones: Iterable[int], *, note: Note = note_nothing) -> int:
    """
    Take numbers out of quarantine, all or none; those that are not in it are passed over.

    Their errors are forgotten: they begin anew.

    Args:
        phones: E.164 without the plus.
        note: Told how many were taken out, in the same transaction.

    Returns:
        How many were taken out.
    """
    removed = 0
    with store.transaction() as connection:
        for page in pages_of(phones):
            values = {"phones": page}
            removed += connection.execute(statements(_SQL)["remove_quarantined"], values).rowcount
        note(connection, removed)
    return removed


def age_quarantine(store: Store, *, now: datetime) -> int:
    """
    Forget errors that have not counted for long, and let numbers out whose time is over.

    Only numbers that failures brought come out by themselves, and only where the published
    limits say after how long; what a person or a file put in stays.

    Args:
        now: The time, with a zone.

    Returns:
        How many rows are gone.
    """
    gone = 0
    with store.transaction() as connection:
        limits = read_qualifier(connection).limits
    kept_for = limits.quarantine_for
    values = {
        "counted_before": now - limits.forget_after,
        "quarantined_before": None if kept_for is None else now - kept_for,
        "sources": [FROM_RECEIPTS, FROM_REFUSALS],
        "limit": PAGE,
    }
    while True:
        with store.transaction() as connection:
            found = connection.execute(statements(_SQL)["age_quarantine"], values).rowcount
        gone += found
        if found < PAGE:
            return gone


def iterate_quarantined(store: Store, *, page: int = PAGE) -> Iterator[list[Quarantined]]:
    """
    Hand out the quarantine by number, a page at a time; each page is a transaction of its own.

    Args:
        page: Entries of a page, at most.
    """
    last = 0
    while entries := _page_after(store, last, limit=page):
        yield entries
        last = entries[-1].phone


def _page_after(store: Store, phone: int, *, limit: int) -> list[Quarantined]:
    values = {"phone": phone, "limit": limit}
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["next_quarantined"], values).fetchall()
    return [_entry_of(row) for row in rows]


def _entry_of(row: Row) -> Quarantined:
    return Quarantined(**row)


def count_quarantined(store: Store) -> int:
    """Count the numbers in quarantine."""
    with store.transaction() as connection:
        row = connection.execute(statements(_SQL)["count_quarantined"]).fetchone()
    return int(row["phones"]) if row else 0


def load_quarantine(store: Store, *, rows: int = LOADED_ROWS) -> pl.Series:
    """
    Load the numbers in quarantine.

    Args:
        rows: Numbers of a page, at most.

    Returns:
        A series ``phone`` of UInt64, ascending, each once.

    Raises:
        StoreError: The store is out of reach, or its schema is another one.
    """
    statement = statements(_SQL)["packed_quarantine"]
    pieces: list[bytes] = []
    after = 0
    with store.transaction() as connection:
        while True:
            values = {"after": after, "limit": rows}
            found = connection.execute(statement, values, binary=True).fetchone()
            if found is None or found["phones"] is None:
                return phones_of(pieces)
            pieces.append(found["phones"])
            after = found["last"]
