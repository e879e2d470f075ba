"""What a person looked at when they decided: their act is about that, not about what came since."""

from __future__ import annotations

from dataclasses import dataclass

from smsflow_provider.core.delivery.actions import version_of
from smsflow_provider.core.errors import IllegalMoveError
from smsflow_provider.core.store.deliveries import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was looked at. A field that is None is not compared."""

    #: Of the content; empty: nothing was prepared yet.
    fingerprint: str | None = None
    #: Where the delivery stood; see ``version_of``.
    version: str | None = None


def check_seen(delivery: Delivery, seen: Seen | None) -> None:
    """
    Raise where *delivery*, read and locked, is not what was looked at.

    Raises:
        IllegalMoveError: Says what happened, and to look again.
    """
    if seen is None:
        return
    if seen.fingerprint not in (None, delivery.fingerprint or ""):
        raise IllegalMoveError(
            "the delivery was prepared again since you looked: review it", delivery=delivery.id
        )
    if seen.version not in (None, version_of(delivery)):
        raise IllegalMoveError(
            "the delivery has moved since you looked: look again, and decide anew",
            delivery=delivery.id,
            state=delivery.state.value,
        )
