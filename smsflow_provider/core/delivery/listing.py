"""Lists of deliveries as JSON values: pages, groups by workflow, and what happens now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from smsflow_provider.core.delivery.attention import attention_of, watched
from smsflow_provider.core.model import SETTLED
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.delivery_list import (
    Listed,
    Wish,
    pick_dags,
    pick_deliveries,
    read_groups,
    read_listed,
)
from smsflow_provider.core.store.kept_connection import KeptStore

#: What is counted is counted up to this; one more stands for more.
MOST_COUNTED: Final = 99
#: States of what is being sent, or is about to be.
MOVING: Final = (DeliveryState.APPROVED, DeliveryState.SENDING, DeliveryState.PAUSED)


def list_page(
    store: Store, wish: Wish, *, limit: int, now: datetime, needs_attention: bool = False
) -> dict[str, Any]:
    """
    List a page of the deliveries of *wish*, newest first.

    Args:
        limit: At most so many, 1 or more.
        needs_attention: Only those that need a person *now*.

    Returns:
        JSON values: ``deliveries`` (see ``row_of``), ``next``: the place to go on behind, as text;
        None on the last page.
    """
    with KeptStore(store) as kept:
        if needs_attention:
            found = watched(kept, wish, now=now)[: limit + 1]
        else:
            found = read_listed(kept, pick_deliveries(kept, wish, limit=limit + 1))
    shown = found[:limit]
    more = str(shown[-1].place) if len(found) > limit else None
    return {"deliveries": [row_of(one, now=now) for one in shown], "next": more}


def list_groups(store: Store, wish: Wish, *, limit: int, now: datetime) -> dict[str, Any]:
    """
    List workflows by their latest delivery, newest first; a row for each task of theirs.

    Of a workflow the latest ``MOST_COUNTED`` + 1 deliveries are looked at: a task that sends more
    seldom has no row.

    Args:
        wish: ``dags`` (all that may be shown), ``text`` and ``before`` count.
        limit: At most so many workflows, 1 or more.

    Returns:
        JSON values: ``groups``: ``dag_id``, ``task_id``, ``occurrences`` (one more than
        ``MOST_COUNTED``: more), ``attention`` (how many need a person), ``last`` (see ``row_of``);
        ``next`` as in ``list_page``.
    """
    with KeptStore(store) as kept:
        dags = pick_dags(kept, wish, limit=limit + 1)
        shown = [dag_id for dag_id, _ in dags[:limit]]
        groups = read_groups(kept, shown, text=wish.text, most=MOST_COUNTED + 1)
        last = {one.no: one for one in read_listed(kept, [group.last_no for group in groups])}
        wanted = Wish(dags=shown, text=wish.text)
        needy = Counter((one.dag_id, one.task_id) for one in watched(kept, wanted, now=now))
    rows = [
        {
            "dag_id": group.dag_id,
            "task_id": group.task_id,
            "occurrences": group.occurrences,
            "attention": min(needy[group.dag_id, group.task_id], MOST_COUNTED + 1),
            "last": row_of(last[group.last_no], now=now),
        }
        for group in sorted(groups, key=lambda one: _newest_first(last[one.last_no]))
    ]
    return {"groups": rows, "next": str(dags[limit - 1][1]) if len(dags) > limit else None}


def happening(
    store: Store, dags: Sequence[str] | None, *, today: datetime, now: datetime, most: int
) -> dict[str, Any]:
    """
    Tell what needs a person and what is being sent, proofs apart.

    Args:
        dags: As in a wish.
        today: When the day of whoever asks began.
        most: So many deliveries of each kind; 0: only counts.

    Returns:
        JSON values: ``counts``: ``attention``, ``sending``, ``finished_today``, ``all`` (one more
        than ``MOST_COUNTED``: more); ``attention`` and ``sending``: rows (see ``row_of``).
    """
    wish = Wish(dags=dags)
    limit = MOST_COUNTED + 1
    with KeptStore(store) as kept:
        needy = watched(kept, wish, now=now)
        moving = pick_deliveries(kept, replace(wish, states=MOVING), limit=limit)
        ended = pick_deliveries(kept, replace(wish, ended_since=today), limit=limit)
        every = pick_deliveries(kept, wish, limit=limit)
        first = read_listed(kept, moving[:most])
    counts = {
        "attention": min(len(needy), limit),
        "sending": len(moving),
        "finished_today": len(ended),
        "all": len(every),
    }
    return {
        "counts": counts,
        "attention": [row_of(one, now=now) for one in needy[:most]],
        "sending": [row_of(one, now=now) for one in first],
    }


def row_of(listed: Listed, *, now: datetime) -> dict[str, Any]:
    """
    Put what a list shows of one delivery into a JSON value.

    Returns:
        ``delivery`` (its id) and the facts of ``Listed``; ``waiting``: not settled yet;
        ``attention``: see ``attention_of``; ``left_s``: seconds until it is sent at the pace it had
        on average, None if it is not being sent or nothing has left yet; ``progress`` of its
        preparation, None if it is not being prepared.
    """
    attention = attention_of(listed, now=now)
    return {
        "delivery": listed.id,
        "label": listed.label,
        "kind": listed.kind.value,
        "state": listed.state.value,
        "dag_id": listed.dag_id,
        "run_id": listed.run_id,
        "task_id": listed.task_id,
        "dry_run": listed.dry_run,
        "created_by": listed.created_by,
        **_times_of(listed),
        "targeted": listed.targeted,
        "to_deliver": listed.to_deliver,
        **listed.figures,
        "waiting": _waiting_of(listed),
        "cost": listed.cost,
        "currency": listed.currency,
        "pause_reason": listed.pause_reason or None,
        "attention": attention and attention.value,
        "left_s": _left_s_of(listed, now=now),
        "progress": _progress_of(listed),
    }


def _newest_first(listed: Listed) -> tuple[float, int]:
    return (-listed.created_at.timestamp(), -listed.no)


def _times_of(listed: Listed) -> dict[str, str | None]:
    names = ("created_at", "prepared_at", "sending_at", "ended_at", "moved_at")
    return {name: _text_of(getattr(listed, name)) for name in names}


def _text_of(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _waiting_of(listed: Listed) -> int:
    return listed.to_deliver - sum(listed.figures[kind] for kind in SETTLED)


def _left_s_of(listed: Listed, *, now: datetime) -> int | None:
    waiting = _waiting_of(listed)
    settled = listed.to_deliver - waiting
    if listed.state is not DeliveryState.SENDING or listed.sending_at is None or settled <= 0:
        return None
    spent_s = max((now - listed.sending_at).total_seconds(), 0)
    return round(spent_s * waiting / settled)


def _progress_of(listed: Listed) -> dict[str, Any] | None:
    if listed.begun_at is None:
        return None
    return {
        **(listed.progress or {}),
        "begun_at": listed.begun_at.isoformat(),
        "told_at": _text_of(listed.progressed_at),
    }
