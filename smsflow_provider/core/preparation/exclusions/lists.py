"""Load every list that the rules of a delivery ask, from the store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import polars as pl

from smsflow_provider.core.preparation.candidates import Candidates
from smsflow_provider.core.preparation.exclusions.opted_out import scopes_of
from smsflow_provider.core.preparation.exclusions.pressure import Pressure, least_count
from smsflow_provider.core.preparation.exclusions.rules import ExclusionRules, Lists
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.contacts import contacts_of
from smsflow_provider.core.store.erased import erased_among
from smsflow_provider.core.store.opt_outs import load_opt_out_lists
from smsflow_provider.core.store.quarantine import load_quarantine


def load_lists(
    store: Store,
    candidates: Candidates,
    rules: ExclusionRules,
    *,
    delivery_no: int,
    now: datetime,
    audiences: Mapping[str, pl.Series] | None = None,
    allowed: pl.Series | None = None,
) -> Lists:
    """
    Load the lists: opt-outs of every scope and sender there is, quarantine, contacts.

    Args:
        candidates: Complete; their senders say which opt-out lists are asked.
        delivery_no: The delivery that is prepared; its own texts are no pressure.
        now: Aware; the windows of pressure rules end here.
        audiences: Numbers of the excluded audiences by name, from whoever can read them.
        allowed: The only numbers that may be texted in this environment. None: all.

    Raises:
        StoreError: The store is out of reach, or its schema is another one.
    """
    return Lists(
        opt_outs=_opt_outs(store, candidates, rules),
        quarantined=load_quarantine(store),
        audiences=audiences or {},
        allowed=allowed,
        contacts={
            rule.name: _contacts(store, candidates, rule, delivery_no=delivery_no, now=now)
            for rule in rules.pressures
        },
    )


def _opt_outs(store: Store, candidates: Candidates, rules: ExclusionRules) -> dict[str, pl.Series]:
    """Load the lists of opt-outs; who was erased is on the first of them, whichever it is."""
    found = load_opt_out_lists(store, scopes_of(candidates, rules.scopes))
    if rules.scopes:
        erased = erased_among(store, candidates.columns.phone.tolist())
        if erased:
            first, more = rules.scopes[0], pl.Series("phone", erased, dtype=pl.UInt64)
            found[first] = pl.concat([found[first], more]).unique().sort()
    return found


def _contacts(
    store: Store, candidates: Candidates, rule: Pressure, *, delivery_no: int, now: datetime
) -> pl.DataFrame:
    return contacts_of(
        store,
        since=now - timedelta(days=rule.days),
        weight=rule.weight,
        delivery_no=delivery_no,
        classes=rule.classes,
        least=least_count(candidates, rule),
    )
