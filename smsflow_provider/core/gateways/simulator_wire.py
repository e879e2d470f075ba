"""What the simulator and its dialects write to each other: rows of JSON, and signatures."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from smsflow_provider.core.errors import RefusedError
from smsflow_provider.core.gateways.base import Found, Known
from smsflow_provider.core.model import Message, Outcome, OutcomeKind, Receipt, ReceiptKind

#: Carries the signature of a call: HMAC-SHA256, by the API key, of its address, a line feed and its
#: body; in hexadecimal.
SIGNATURE_HEADER: Final = "X-Simulator-Signature"

_KINDS = {
    "accepted": OutcomeKind.ACCEPTED,
    "refused": OutcomeKind.FAILED,
    # It took a message with this id before: it will be delivered, once.
    "duplicate": OutcomeKind.ACCEPTED,
}
_KNOWN = {
    "accepted": Known.TAKEN,
    "refused": Known.NOT_TAKEN,
    "not_found": Known.NOT_TAKEN,
}
_CODE = re.compile(r"[\w.:-]{0,64}", re.ASCII)
_MOST_PARTS: Final = 255


def signature_of(url: str, body: bytes, *, api_key: str) -> str:
    """Sign a call to *url*, as the simulator does."""
    signed = url.encode("utf-8", errors="replace") + b"\n" + body
    return hmac.new(api_key.encode(), signed, hashlib.sha256).hexdigest()


def written(message: Message) -> dict[str, object]:
    """Write one message as the simulator takes it."""
    return {
        "id": message.id,
        "to": message.to,
        "sender": message.sender,
        "text": message.body,
        "encoding": message.encoding.value,
        "parts": message.parts,
        "expires_at": message.expires_at.isoformat() if message.expires_at else None,
        "callback_url": message.callback_url,
    }


def encoded(document: object) -> bytes:
    """
    Encode a request.

    Raises:
        RefusedError: A text is not valid Unicode; nothing was sent.
    """
    try:
        return json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        problem = RefusedError("a text is not valid Unicode", code="bad_text")
    raise problem


def outcome_of_row(row: Mapping[str, Any], *, message_id: str) -> Outcome:
    """Read what an answer says about one message. Raises KeyError or TypeError for what is none."""
    return Outcome(
        message_id=message_id,
        kind=_KINDS[row["status"]],
        code=code_of(row.get("code", "")),
        gateway_ref=code_of(row.get("ref", "")),
    )


def unnamed(message: Message) -> Outcome:
    """Say that an answer does not name *message*: nobody knows."""
    return Outcome(message_id=message.id, kind=OutcomeKind.UNKNOWN, code="not_answered")


def row_of(body: bytes) -> Mapping[str, Any]:
    """
    Read the body of a call.

    Raises:
        ValueError: It is not a JSON object; nothing of it is quoted.
    """
    try:
        row = json.loads(body)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, Mapping):
        raise ValueError("body: is not a JSON object")  # noqa: TRY004  one type for all callers
    return row


def receipt_of(row: Mapping[str, Any], *, message_id: str) -> Receipt | None:
    """Read a receipt. None: *row* is none."""
    try:
        kind = ReceiptKind(row["status"])
    except (KeyError, ValueError):
        return None
    part, parts = (_part_of(row.get(name, 0)) for name in ("part", "parts"))
    is_part = 1 <= part <= parts
    return Receipt(
        message_id=message_id,
        kind=kind,
        code=code_of(row.get("code", "")),
        gateway_ref=code_of(row.get("ref", "")),
        part=part if is_part else 0,
        parts=parts if is_part else 0,
    )


def _part_of(value: object) -> int:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) and 0 <= value <= _MOST_PARTS else 0


def found_of_row(row: Mapping[str, Any] | None, *, message_id: str) -> Found:
    """Read what a look-up says about one message. None: it does not name it. Raises as above."""
    if row is None:
        return Found(message_id=message_id, known=Known.UNSURE)
    report = row.get("report")
    return Found(
        message_id=message_id,
        known=_KNOWN[row["status"]],
        gateway_ref=code_of(row.get("ref", "")),
        receipt=receipt_of(report, message_id=message_id) if report else None,
    )


def code_of(value: object) -> str:
    """Let only short codes through; anything else might quote a phone or a text."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else ""
