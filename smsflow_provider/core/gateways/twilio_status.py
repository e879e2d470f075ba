"""What Twilio's statuses of an outgoing message say."""

from __future__ import annotations

import re

from smsflow_provider.core.model import Receipt, ReceiptKind

#: The id of a message; ``MM`` for one with media.
SID = re.compile(r"(?:SM|MM)[0-9a-f]{32}", re.ASCII)

#: None: it stands in Twilio's own queue, which says nothing new.
_STATUSES: dict[str, ReceiptKind | None] = {
    "accepted": None,
    "scheduled": None,
    "queued": None,
    "sending": None,
    "sent": ReceiptKind.ACCEPTED,
    "partially_delivered": ReceiptKind.ACCEPTED,
    "delivered": ReceiptKind.DELIVERED,
    "read": ReceiptKind.DELIVERED,
    "undelivered": ReceiptKind.UNDELIVERED,
    "failed": ReceiptKind.UNDELIVERED,
    "canceled": ReceiptKind.UNDELIVERED,
}


def receipt_of(message_id: str, *, status: str, code: str, sid: str) -> Receipt | None:
    """
    Say what *status* means. None: nothing new.

    Args:
        message_id: Ours.
        status: Twilio's word.
        code: Twilio's error code; only a failure keeps it. A failure without one has the
            status for a code.
        sid: Twilio's id of the message; left out if it is none.

    Raises:
        ValueError: Not a status of an outgoing message.
    """
    if status not in _STATUSES:
        raise ValueError("MessageStatus: is not a status of an outgoing message")
    kind = _STATUSES[status]
    if kind is None:
        return None
    is_failure = kind is ReceiptKind.UNDELIVERED
    return Receipt(
        message_id=message_id,
        kind=kind,
        code=(code or status) if is_failure else "",
        gateway_ref=sid if SID.fullmatch(sid) else "",
    )
