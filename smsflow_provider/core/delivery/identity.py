"""The public id of a delivery: the same for every try of the same task of the same run."""

from __future__ import annotations

import hashlib
import re

from smsflow_provider.core.model import Origin


def delivery_id_of(origin: Origin) -> str:
    """
    Name the delivery of one task of one run.

    Returns:
        At most 60 characters, safe in a URL and a file name; readable in front, unique behind.

    Example:
        >>> delivery_id_of(Origin(dag_id="shop.spring_sale", run_id="r1", task_id="sms"))
        'spring_sale-sms-bgj5lkdjsna7'
    """
    whole = "\x1f".join([origin.dag_id, origin.run_id, origin.task_id, str(origin.map_index)])
    words = f"{origin.dag_id.rpartition('.')[2]}-{origin.task_id}"
    slug = re.sub(r"[^a-zA-Z0-9_]+", "-", words).strip("-")[:47].lower() or "delivery"
    digest = hashlib.sha256(whole.encode()).digest()[:8]
    tail = _base32(int.from_bytes(digest, "big"))[:12]
    return f"{slug}-{tail}"


def _base32(number: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    text = ""
    while number:
        number, rest = divmod(number, 32)
        text += letters[rest]
    return text.rjust(13, "a")
