"""Words that several verbs print."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """
    Say how many.

    Example:
        >>> counted(1, "part"), counted(1_200, "part")
        ('1 part', '1,200 parts')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
