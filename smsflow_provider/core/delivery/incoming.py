"""What gateways report, made fit for the store: checked, cut, without what it cannot hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from smsflow_provider.core.model import Receipt, Reply, read_message_id
from smsflow_provider.core.store.receipts import ReceivedReceipt

#: Longest reference of a gateway that is kept; characters.
REFERENCE_LIMIT: Final = 256
_CODE_LIMIT: Final = 64
_PARTS_LIMIT: Final = 255


def receipt_to_store(
    receipt: Receipt,
    *,
    conn_type: str,
    gateway: str,
    received_at: datetime,
    only_its_own: bool = False,
) -> ReceivedReceipt:
    """
    Make a row of the inbox.

    Args:
        receipt: As a dialect read it.
        conn_type: The gateway's connection type.
        gateway: The connection it came in by; empty where that is not known.
        received_at: When.
        only_its_own: Nothing but the address it came to vouches for it: it may speak for messages
            that went through *gateway*, and for no others.

    Raises:
        ValueError: It names no message, neither by our id nor by the connection and the gateway's
            own id, or no possible part.
    """
    if receipt.message_id:
        read_message_id(receipt.message_id)
    elif not gateway or not 0 < len(receipt.gateway_ref) <= REFERENCE_LIMIT:
        raise ValueError("a receipt about nothing")
    if not 0 <= receipt.part <= _PARTS_LIMIT or not 0 <= receipt.parts <= _PARTS_LIMIT:
        raise ValueError("no such part")
    return ReceivedReceipt(
        message_id=receipt.message_id,
        kind=receipt.kind,
        code=plain(receipt.code)[:_CODE_LIMIT],
        gateway_ref=plain(receipt.gateway_ref)[:REFERENCE_LIMIT],
        received_at=received_at,
        conn_type=conn_type,
        gateway=gateway if only_its_own or not receipt.message_id else "",
        part=receipt.part,
        parts=receipt.parts,
    )


def reply_to_store(reply: Reply) -> Reply:
    """
    Keep a reply whole, but for what PostgreSQL cannot hold.

    Raises:
        ValueError: Its reference is too long to be one.
    """
    if len(reply.gateway_ref) > REFERENCE_LIMIT:
        raise ValueError("a reference that is too long")
    return replace(
        reply,
        sender=plain(reply.sender),
        recipient=plain(reply.recipient),
        body=storable(reply.body),
        gateway_ref=plain(reply.gateway_ref),
    )


def plain(text: str) -> str:
    r"""
    Leave out what is no printable character: a code or a reference has none.

    Example:
        >>> plain("30003\x00")
        '30003'
    """
    if text.isprintable():
        return text
    return "".join(char for char in text if char.isprintable())


def storable(text: str) -> str:
    r"""
    Keep a text as it is, but for what PostgreSQL cannot hold: NUL, and halves of characters.

    Example:
        >>> storable("stop\x00 it\n\ud83d")
        'stop it\n?'
    """
    return text.replace("\x00", "").encode("utf-8", errors="replace").decode("utf-8")
