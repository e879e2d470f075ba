"""The names of opt-out lists: one for everything, one for each sender, one for each programme."""

from __future__ import annotations

import difflib
import re
from typing import Final

from smsflow_provider.core.errors import ConfigError

#: The list that holds for every delivery.
EVERYTHING: Final = ""
#: How a list is named after what it is for.
KINDS: Final = ("sender", "programme")

_NUMBER = re.compile(r"\+?[0-9]+")


def sender_scope(sender: str) -> str:
    """
    Name the opt-out list of one sender.

    Capitals make no other sender, nor does the plus of a number: phones show them alike.

    Raises:
        ConfigError: The sender is empty.

    Example:
        >>> sender_scope("Acme"), sender_scope("+36111")
        ('sender:ACME', 'sender:36111')
    """
    name = sender.strip()
    if not name:
        raise ConfigError("the opt-out list of a sender needs the name of the sender")
    if _NUMBER.fullmatch(name):
        return f"sender:{name.removeprefix('+')}"
    return f"sender:{name.upper()}"


def programme_scope(programme: str) -> str:
    """
    Name the opt-out list of one programme, such as ``loyalty``; capitals make no other one.

    Raises:
        ConfigError: The name is empty.

    Example:
        >>> programme_scope("Loyalty")
        'programme:loyalty'
    """
    name = programme.strip()
    if not name:
        raise ConfigError("the opt-out list of a programme needs the name of the programme")
    return f"programme:{name.lower()}"


def read_scope(text: str) -> str:
    """
    Read the name of an opt-out list as a person writes it.

    Args:
        text: Empty, ``sender:ACME`` or ``programme:loyalty``.

    Returns:
        The name under which the list is kept.

    Raises:
        ConfigError: Another kind before the colon, with the near one; or nothing behind it. No
            delivery asks other lists: a number on one would get texts.

    Example:
        >>> read_scope(" Sender: acme ")
        'sender:ACME'
    """
    kind, colon, name = text.strip().partition(":")
    if not kind and not colon:
        return EVERYTHING
    if not colon:
        raise ConfigError(
            "an opt-out list is for everything, for a sender or for a programme",
            known=["sender:NAME", "programme:NAME"],
        )
    kind = kind.strip().lower()
    if kind == "sender":
        return sender_scope(name)
    if kind == "programme":
        return programme_scope(name)
    near = difflib.get_close_matches(kind, KINDS, n=1)
    hint = f" (did you mean '{near[0]}:'?)" if near else ""
    raise ConfigError(f"an opt-out list of an unknown kind{hint}", kind=kind, known=list(KINDS))
