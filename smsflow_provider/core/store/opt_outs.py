"""People who must get no campaign text: by number, each list under a scope."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
from smsflow_provider.core.store.scopes import read_scope
from smsflow_provider.core.store.statements import statements

_SQL: Final = "opt_outs"

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

#: Of an exported file. Those between the first and the last are read from imported ones, too.
OPT_OUT_COLUMNS: Final = ("phone", "scope", "reason", "source", "created_at")


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

    def as_row(self) -> tuple[object, ...]:
        """Give the values of ``OPT_OUT_COLUMNS``: whole, with the plus."""
        return (f"+{self.phone}", self.scope, self.reason, self.source, self.created_at)


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
        scope: The list, as ``read_scope`` takes it. Empty: no delivery at all.
        reason: Why.
        source: Where they come from.

    Returns:
        How many were not on the list before.

    Raises:
        ConfigError: Not the name of a list.
        StoreError: Some are no such numbers, with how many; nothing was added.
    """
    kept = read_scope(scope)
    return _add(store, ((phone, (kept, reason, source)) for phone in phones))


def add_opt_out_entries(
    store: Store, entries: Iterable[OptOut], *, note: Note = note_nothing
) -> int:
    """
    Put entries onto the lists they name; otherwise the same as ``add_opt_outs``.

    Args:
        note: Told how many were added, in the same transaction.
    """
    return _add(
        store,
        ((one.phone, (read_scope(one.scope), one.reason, one.source)) for one in entries),
        note=note,
    )


def _add(
    store: Store,
    entries: Iterable[tuple[int, tuple[str, str, str]]],
    *,
    note: Note = note_nothing,
) -> int:
    lines = copied_lines(entries)
    return take_lines(store, lines, inbox=_INBOX, fill=_FILL, take=_TAKE, note=note)


def remove_opt_outs(
    store: Store, phones: Iterable[int], *, scope: str | None = "", note: Note = note_nothing
) -> int:
    """
    Take numbers off one list, all or none; those that are not on it are passed over.

    Args:
        phones: E.164 without the plus.
        scope: The list, as ``read_scope`` takes it. None: every list.
        note: Told how many are gone, in the same transaction.

    Returns:
        How many entries are gone.

    Raises:
        ConfigError: Not the name of a list.
    """
    kept = None if scope is None else read_scope(scope)
    removed = 0
    with store.transaction() as connection:
        for page in pages_of(phones):
            values = {"phones": page, "scope": kept}
            removed += connection.execute(statements(_SQL)["remove_opt_outs"], values).rowcount
        note(connection, removed)
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


def load_opt_out_lists(
    store: Store, scopes: Sequence[str], *, rows: int = LOADED_ROWS
) -> dict[str, pl.Series]:
    """
    Load the numbers of some lists, each for itself.

    Args:
        scopes: The lists; see ``scopes``. The empty one is not added by itself.
        rows: Entries of a page, about.

    Returns:
        For each of *scopes*, also where nobody is on it: a series ``phone`` of UInt64,
        ascending, each once.

    Raises:
        StoreError: The store is out of reach, or its schema is another one.
    """
    statement = statements(_SQL)["packed_opt_outs"]
    pieces: dict[str, list[bytes]] = {scope: [] for scope in scopes}
    after = 0
    with store.transaction() as connection:
        while True:
            values = {"after": after, "limit": rows, "scopes": list(scopes)}
            found = connection.execute(statement, values, binary=True).fetchall()
            if not found:
                return {scope: phones_of(some) for scope, some in pieces.items()}
            for row in found:
                pieces[row["scope"]].append(row["phones"])
            after = max(row["last"] for row in found)
