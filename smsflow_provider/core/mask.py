"""Phones as people may see them without a special right: enough to recognise, not to call."""

from __future__ import annotations


def mask_phone(phone: int) -> str:
    """
    Mask E.164 digits: the first two and the last two stay.

    Example:
        >>> mask_phone(33612345678)
        '+33·······78'
    """
    digits = str(phone)
    return f"+{digits[:2]}{'·' * (len(digits) - 4)}{digits[-2:]}"
