"""
One switch for everything: off, nothing is handed over by anybody, campaign, proof or direct text.

Off pauses what is being sent, and what begins meanwhile pauses at once. On lets people resume
deliveries, one by one: none goes on by itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from smsflow_provider.core.errors import IllegalMoveError
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.audit import write_audit
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deadlock import retried
from smsflow_provider.core.store.deliveries import read_delivery
from smsflow_provider.core.store.switch import (
    Switch,
    hold_switch,
    lock_sending,
    pause_by_switch,
    read_switch,
    take_switch,
    turn_switch,
)

#: Characters of a reason that are kept.
REASON_LIMIT: Final = 500


def find_switch(store: Store) -> Switch:
    """Read how the switch stands."""
    with store.transaction() as connection:
        return read_switch(connection)


def switch_off(store: Store, *, actor: str, reason: str = "") -> tuple[Switch, list[str]]:
    """
    Switch everything off, and pause every delivery that is being sent, in one transaction.

    Every worker sees it within a tick; what is in flight comes back. Off already: the first who
    switched it off stays the one who is named.

    Args:
        actor: Who does it; not empty.
        reason: What people are told; 500 characters are kept. No number and no text in it.

    Returns:
        How the switch stands, and the deliveries that were paused by this.
    """
    return retried(lambda: _switch_off(store, actor=actor, reason=reason))


def switch_on(
    store: Store, *, actor: str, reason: str = "", seen_at: datetime | None = None
) -> Switch:
    """
    Switch on again. Nothing goes on by itself: resume what is to go on.

    On already: nothing changes.

    Args:
        seen_at: When it was turned, as the person saw it. None: whoever turned it is meant.

    Raises:
        IllegalMoveError: Somebody has turned it since *seen_at*.
    """
    with store.transaction() as connection:
        switch = take_switch(connection)
        if not switch.is_off:
            return switch
        if seen_at not in (None, switch.at):
            raise IllegalMoveError(
                "somebody has switched off since you looked: look who and why, and decide anew",
                by=switch.by,
            )
        write_audit(connection, actor=actor, action="switched_on")
        return turn_switch(connection, is_off=False, reason=_kept(reason), actor=actor)


def check_switched_on(switch: Switch) -> None:
    """
    Raise while everything is switched off.

    Raises:
        IllegalMoveError: Says who switched off, and when.
    """
    if switch.is_off:
        raise IllegalMoveError(
            "everything is switched off: switch it on first, then resume what is to go on",
            by=switch.by,
            since=switch.at and switch.at.isoformat(timespec="seconds"),
        )


def check_may_begin(store: Store) -> None:
    """Raise as ``check_switched_on`` does, for what begins and ends in one act."""
    check_switched_on(find_switch(store))


def pause_if_off(store: Store, delivery_id: str, *, actor: str) -> None:
    """Pause a delivery that is being sent although everything is off, as a former version may."""
    with store.transaction() as connection:
        switch = hold_switch(connection)
        delivery = read_delivery(connection, delivery_id, lock=True)
        if switch.is_off and delivery.state is DeliveryState.SENDING:
            pause_by_switch(connection, delivery, switch, actor=actor)


def _switch_off(store: Store, *, actor: str, reason: str) -> tuple[Switch, list[str]]:
    with store.transaction() as connection:
        switch = take_switch(connection)
        sending = lock_sending(connection)
        if not switch.is_off:
            switch = turn_switch(connection, is_off=True, reason=_kept(reason), actor=actor)
            facts = {"paused": len(sending)}
            write_audit(connection, actor=actor, action="switched_off", facts=facts)
        for delivery in sending:
            pause_by_switch(connection, delivery, switch, actor=actor)
    return switch, [delivery.id for delivery in sending]


def _kept(reason: str) -> str:
    """Cut a reason, and drop what PostgreSQL takes in no text."""
    return reason.replace("\0", "").encode(errors="ignore").decode()[:REASON_LIMIT]
