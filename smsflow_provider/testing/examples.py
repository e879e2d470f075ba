"""Values for tests: messages with plausible fields, all from the number they are asked for."""

from __future__ import annotations

from typing import Any

from smsflow_provider.core.model import Encoding, Message, message_id_of


def example_message(number: int = 1, **changed: Any) -> Message:
    """
    Make the *number*-th example message, with some fields *changed*.

    The phone is one of a range kept for fiction (+44 7700 900000 to 900999).

    Example:
        >>> example_message(1).id, example_message(2, sender="Shop").sender
        ('1-1-1', 'Shop')
    """
    fields: dict[str, Any] = {
        "id": message_id_of(1, 1, number),
        "to": f"+447700900{number % 1000:03d}",
        "sender": "smsflow",
        "body": f"Example {number}",
        "encoding": Encoding.GSM7,
        "parts": 1,
    }
    return Message(**(fields | changed))
