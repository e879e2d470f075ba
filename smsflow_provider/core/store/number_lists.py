"""The lists of numbers as people look at them: one number, the newest entries, about how many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, Generic, TypeVar

from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.opt_outs import OptOut
from smsflow_provider.core.store.phones import PAGE, pages_of
from smsflow_provider.core.store.quarantine import Quarantined
from smsflow_provider.core.store.statements import statements

_SQL: Final = "number_lists"
#: Up to so many entries are counted; of more the database's own guess is given.
COUNTED: Final = 10_000

Entry = TypeVar("Entry", OptOut, Quarantined)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent(Generic[Entry]):
    """A page of the newest entries."""

    entries: Sequence[Entry]
    #: The page behind begins before this moment. None: there is none.
    next_before: datetime | None
    #: Entries of the page's last moment, such as those of one file, are left out.
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many entries a list has."""

    entries: int
    #: A guess of the database, not a count.
    is_estimate: bool


def opt_outs_of(store: Store, phone: int) -> list[OptOut]:
    """Find the opt-out lists that one number is on, by scope."""
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["opt_outs_of"], {"phone": phone}).fetchall()
    return [OptOut(**row) for row in rows]


def quarantined_of(store: Store, phone: int) -> Quarantined | None:
    """Find what is known of one number; ``quarantined_at`` None: errors are counted only."""
    with store.transaction() as connection:
        row = connection.execute(statements(_SQL)["quarantined_of"], {"phone": phone}).fetchone()
    return Quarantined(**row) if row else None


def recent_opt_outs(store: Store, *, limit: int, before: datetime | None = None) -> Recent[OptOut]:
    """
    List the newest entries of all lists, newest first.

    A key of moments, so that no number stands in it: of a file that came in at once, at most
    *limit* entries are shown, and the next page begins with what came before it.
    """
    values = {"before": before, "limit": limit + 1}
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["recent_opt_outs"], values).fetchall()
    found = [OptOut(**row) for row in rows]
    return _page(found, [one.created_at for one in found], limit=limit)


def recent_quarantined(
    store: Store, *, limit: int, before: datetime | None = None
) -> Recent[Quarantined]:
    """List the numbers that came into quarantine last, newest first; see ``recent_opt_outs``."""
    values = {"before": before, "limit": limit + 1}
    with store.transaction() as connection:
        rows = connection.execute(statements(_SQL)["recent_quarantined"], values).fetchall()
    found = [Quarantined(**row) for row in rows]
    return _page(found, [one.quarantined_at for one in found], limit=limit)


def count_known_opt_outs(store: Store, entries: Iterable[tuple[int, str]]) -> int:
    """Count which of some entries (phone and scope, each once) are on their lists already."""
    known = 0
    found = iter(entries)
    with store.transaction() as connection:
        while page := list(islice(found, PAGE)):
            values = {"phones": [one for one, _ in page], "scopes": [one for _, one in page]}
            row = connection.execute(statements(_SQL)["known_opt_outs"], values).fetchone()
            known += int(row["entries"]) if row else 0
    return known


def count_known_quarantined(store: Store, phones: Iterable[int]) -> int:
    """Count which of some numbers, each given once, are in quarantine already."""
    known = 0
    with store.transaction() as connection:
        for page in pages_of(phones):
            sql = statements(_SQL)["known_quarantined"]
            row = connection.execute(sql, {"phones": page}).fetchone()
            known += int(row["entries"]) if row else 0
    return known


def _page(found: list[Entry], moments: Sequence[datetime | None], *, limit: int) -> Recent[Entry]:
    if len(found) <= limit:
        return Recent(entries=found, next_before=None, is_cut=False)
    last = moments[limit - 1]
    return Recent(entries=found[:limit], next_before=last, is_cut=moments[limit] == last)


def size_of_opt_outs(store: Store) -> Size:
    """Tell about how many opt-outs there are, within a few milliseconds."""
    return _size(store, few="few_opt_outs", table="smsflow_opt_outs")


def size_of_quarantine(store: Store) -> Size:
    """Tell about how many numbers are in quarantine; a guess may count those with errors only."""
    return _size(store, few="few_quarantined", table="smsflow_quarantine")


def _size(store: Store, *, few: str, table: str) -> Size:
    with store.transaction() as connection:
        some = connection.execute(statements(_SQL)[few], {"limit": COUNTED + 1}).fetchone()
        counted = int(some["entries"]) if some else 0
        if counted <= COUNTED:
            return Size(entries=counted, is_estimate=False)
        row = connection.execute(statements(_SQL)["rows_about"], {"table": table}).fetchone()
    return Size(entries=max(int(row["entries"]) if row else 0, counted), is_estimate=True)
