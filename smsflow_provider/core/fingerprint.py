"""
One fingerprint over all that a reviewer sees: template, settings, audience, prepared messages.

Computed while preparing, and once more from the store before the first message leaves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping


class MessageDigest:
    """A running digest over prepared messages, in the order of their positions."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, rows: Iterable[tuple[int, int, str, str, str, str, int]]) -> None:
        """
        Add messages.

        Args:
            rows: ``(position, phone, recipient_id, sender, body, encoding, parts)`` each.
        """
        update = self._hash.update
        for position, phone, recipient_id, sender, body, encoding, parts in rows:
            # Lengths stand before the free texts, so that no two different rows read the same.
            update(
                f"{position}|{phone}|{parts}|{encoding}|{len(recipient_id)}|{len(sender)}|{len(body)}|"
                f"{recipient_id}{sender}{body}".encode("utf-8", "surrogatepass")
            )

    def update(self, written: bytes | memoryview) -> None:
        """Add messages that are written already as ``add`` writes them, in UTF-8."""
        self._hash.update(written)

    def hexdigest(self) -> str:
        """Return the digest so far."""
        return self._hash.hexdigest()


def fingerprint_of(
    *,
    template: Mapping[str, object],
    settings: Mapping[str, object],
    audience: Mapping[str, object],
    excluded: Mapping[str, int],
    messages: str,
) -> str:
    """
    Compute the fingerprint of one preparation.

    Args:
        template: The template's snapshot, JSON values only.
        settings: The delivery's settings, JSON values only.
        audience: The audience reference. Only its ``count`` is taken: where it lies differs from
            run to run, and whoever gets a text stands among the messages.
        excluded: Recipients excluded, by reason.
        messages: ``MessageDigest.hexdigest()`` over all prepared messages.

    Returns:
        64 hexadecimal characters.
    """
    whole = {
        "template": template,
        "settings": settings,
        "audience": audience.get("count"),
        "excluded": excluded,
        "messages": messages,
    }
    text = json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
