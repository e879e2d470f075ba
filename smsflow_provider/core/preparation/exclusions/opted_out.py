"""Excluded as ``opted_out``: people who said that they want no such texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from smsflow_provider.core.preparation.candidates import Candidates, Rows
from smsflow_provider.core.preparation.exclusions.membership import Found, list_of, on_list
from smsflow_provider.core.store.scopes import sender_scope


def scopes_of(candidates: Candidates, scopes: Sequence[str]) -> tuple[str, ...]:
    """Name every opt-out list that is asked: *scopes*, and the one of each sender there is."""
    senders = map(sender_scope, filter(None, candidates.senders.texts))
    return tuple(dict.fromkeys([*scopes, *senders]))


def opted_out(
    candidates: Candidates, scopes: Sequence[str], *, opt_outs: Mapping[str, pl.Series]
) -> Iterator[Found]:
    """
    Find the rows whose number is on a list that holds for them.

    A row's own lists are *scopes*, which hold for all rows, and the list of its own sender. The
    list of another sender does not hold for it.

    Yields:
        Rows, and the scope of the first list they are on.

    Raises:
        ValueError: One of the lists was not loaded.
    """
    lists = {
        scope: list_of(opt_outs, scope, what="opt-outs of the scope")
        for scope in scopes_of(candidates, scopes)
    }
    for rows in candidates.waiting():
        for scope in scopes:
            yield from _on(candidates, rows, lists, scope)
        senders = candidates.columns.sender[rows]
        for code in np.unique(senders[senders > 0]):
            scope = sender_scope(candidates.senders[int(code)])
            yield from _on(candidates, rows[senders == code], lists, scope)


def _on(
    candidates: Candidates, rows: Rows, lists: Mapping[str, pl.Series], scope: str
) -> Iterator[Found]:
    yield rows[on_list(candidates.columns.phone[rows], lists[scope])], scope
