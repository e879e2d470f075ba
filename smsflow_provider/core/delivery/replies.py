"""
Apply replies: STOP and START to the lists of opt-outs, in the order in which they came.

The seam for automatic answers: ``apply_replies`` tells what it understood of each reply, once
its transaction is committed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from smsflow_provider.core.clock import utc_now
from smsflow_provider.core.delivery.keywords import (
    Action,
    Keywords,
    OptOutScope,
    Understood,
    understand,
    with_word_of_gateway,
)
from smsflow_provider.core.delivery.published import keywords_in
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.replies import (
    Effect,
    StoredReply,
    outdated,
    settle,
    take_effect,
    take_waiting,
)
from smsflow_provider.core.store.scopes import EVERYTHING, sender_scope

#: Replies of one transaction.
BATCH: Final = 1_000

_ON_LISTS: Final = frozenset({Action.OPT_OUT, Action.OPT_IN})


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedReply:
    """A reply and what was understood of it."""

    reply: StoredReply
    understood: Understood
    #: It changed the lists, or would have if the number had not stood there so already.
    took_effect: bool


def apply_replies(
    store: Store,
    *,
    limit: int = BATCH,
    now: Callable[[], datetime] = utc_now,
    on_applied: Callable[[Sequence[AppliedReply]], None] = lambda _: None,
) -> int:
    """
    Apply the oldest replies that wait, in one transaction.

    An opt-out of somebody whose number cannot be read is for a person to look at (``review``).

    Args:
        limit: Replies of the transaction, at most.
        on_applied: Called once they are committed, never with one that was told before. What it
            raises is not caught, and changes nothing of what was applied.

    Returns:
        How many were applied; 0 when none waits, or another process is applying them.
    """
    with store.transaction() as connection:
        waiting = take_waiting(connection, limit=limit)
        if not waiting:
            return 0
        keywords = keywords_in(connection)
        told = [(reply, _understood(reply, keywords)) for reply in _in_order(waiting)]
        late = outdated(connection, [reply.no for reply, one in told if one.action in _ON_LISTS])
        applied = [_applied(reply, one, late) for reply, one in told]
        at = now()
        for some in _passes(applied):
            effects = [_effect_of(one, keywords.scope) for one in some]
            take_effect(connection, effects, at=at)
        found = [(one.reply.no, one.understood.keyword, one.understood.action) for one in applied]
        settle(connection, found, at=at)
    on_applied(applied)
    return len(applied)


def apply_all_replies(store: Store, *, limit: int = BATCH) -> int:
    """Apply replies until none waits. Returns how many there were."""
    total = 0
    while applied := apply_replies(store, limit=limit):
        total += applied
    return total


def _in_order(waiting: Iterable[StoredReply]) -> list[StoredReply]:
    return sorted(waiting, key=lambda reply: (reply.received_at, reply.no))


def _understood(reply: StoredReply, keywords: Keywords) -> Understood:
    found = with_word_of_gateway(understand(reply.body, keywords), reply.keyword)
    if found.action is Action.OPT_OUT and reply.phone is None:
        return Understood(action=Action.REVIEW, keyword=found.keyword)
    return found


def _applied(reply: StoredReply, understood: Understood, late: set[int]) -> AppliedReply:
    acts = understood.action in _ON_LISTS and reply.phone is not None and reply.no not in late
    return AppliedReply(reply=reply, understood=understood, took_effect=acts)


def _passes(applied: Sequence[AppliedReply]) -> list[list[AppliedReply]]:
    """Sort those that take effect into passes that name each phone once, in order."""
    passes: list[list[AppliedReply]] = []
    place: dict[int | None, int] = defaultdict(int)
    for one in applied:
        if not one.took_effect:
            continue
        if place[one.reply.phone] == len(passes):
            passes.append([])
        passes[place[one.reply.phone]].append(one)
        place[one.reply.phone] += 1
    return passes


def _effect_of(one: AppliedReply, scope: OptOutScope) -> Effect:
    is_opt_out = one.understood.action is Action.OPT_OUT
    return Effect(
        phone=one.reply.phone or 0,
        scope=_scope_of(one.reply, scope, is_opt_out=is_opt_out),
        is_opt_out=is_opt_out,
        keyword=one.understood.keyword,
    )


def _scope_of(reply: StoredReply, scope: OptOutScope, *, is_opt_out: bool) -> str | None:
    """Name the list a STOP puts a number on, and a START takes it off. None: off every list."""
    if scope is OptOutScope.SENDER:
        return sender_scope(reply.recipient) if reply.recipient.strip() else EVERYTHING
    return EVERYTHING if is_opt_out else None
