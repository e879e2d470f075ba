"""Which deliveries need a person, and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from smsflow_provider.core.model import SETTLED
from smsflow_provider.core.states import DeliveryState
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.delivery_list import Listed, Wish, pick_watched, read_listed

#: A failed preparation is told for so long: mostly its workflow runs again.
FAILED_FOR: Final = timedelta(days=7)
#: Messages of unknown end are told for so long after the end of the delivery.
UNKNOWN_FOR: Final = timedelta(days=3)
#: An approval that ends within this needs somebody.
SOON: Final = timedelta(hours=1)
#: So many messages must be settled before their share of failures says something.
JUDGED_FROM: Final = 100
#: The share of messages that failed, were not delivered or are in doubt.
FAILING_SHARE: Final = 0.1
#: So many deliveries are looked at: the latest.
MOST_WATCHED: Final = 1_000


class Attention(StrEnum):
    """Why a delivery needs a person."""

    #: Somebody is to say Send, or Reject.
    WAITING_FOR_REVIEW = "waiting_for_review"
    #: It is approved, has not begun, and soon may no more.
    APPROVAL_EXPIRES_SOON = "approval_expires_soon"
    #: The audience, the template or the settings are wrong.
    PREPARATION_FAILED = "preparation_failed"
    #: Whatever paused it, a person lets it go on.
    PAUSED = "paused"
    #: Many messages fail while it is being sent.
    FAILING = "failing"
    #: Nobody knows of some messages whether they left.
    UNKNOWN_MESSAGES = "unknown_messages"


_BY_STATE: Final = {
    DeliveryState.READY: Attention.WAITING_FOR_REVIEW,
    DeliveryState.PAUSED: Attention.PAUSED,
}


def attention_of(listed: Listed, *, now: datetime) -> Attention | None:
    """Say why a person must look at the delivery *now*. None: nobody must."""
    match listed.state:
        case DeliveryState.PREPARATION_FAILED if listed.moved_at >= now - FAILED_FOR:
            return Attention.PREPARATION_FAILED
        case DeliveryState.APPROVED:
            return _of_approval(listed, now=now)
        case DeliveryState.SENDING if _is_failing(listed.figures):
            return Attention.FAILING
        case DeliveryState.SENDING if listed.figures["unknown"]:
            return Attention.UNKNOWN_MESSAGES
        case DeliveryState.FINISHED if listed.figures["unknown"]:
            is_recent = listed.ended_at is not None and listed.ended_at >= now - UNKNOWN_FOR
            return Attention.UNKNOWN_MESSAGES if is_recent else None
    return _BY_STATE.get(listed.state)


def watched(store: Store, wish: Wish, *, now: datetime) -> list[Listed]:
    """
    List the deliveries of *wish* that need a person *now*, newest first.

    Looks at the latest ``MOST_WATCHED`` open ones, and as many that finished lately.
    """
    nos = pick_watched(
        store,
        wish,
        failed_since=now - FAILED_FOR,
        unknown_since=now - UNKNOWN_FOR,
        limit=MOST_WATCHED,
    )
    found = read_listed(store, nos)
    return [one for one in found if attention_of(one, now=now) is not None]


def _of_approval(listed: Listed, *, now: datetime) -> Attention | None:
    ends_at = listed.approval_expires_at
    if ends_at is None or ends_at > now + SOON:
        return None
    return Attention.APPROVAL_EXPIRES_SOON


def _is_failing(figures: dict[str, int]) -> bool:
    """Tell whether a good part of what is settled went wrong."""
    settled = sum(figures[kind] for kind in SETTLED)
    wrong = figures["failed"] + figures["unknown"] + figures["undelivered"]
    return settled >= JUDGED_FROM and wrong >= settled * FAILING_SHARE
