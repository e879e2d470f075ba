"""What may be written beside a number on a list: the list it is on, and why."""

from __future__ import annotations

import re
from typing import Final

from smsflow_provider.core.content.senders import problem_of_sender
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.store.scopes import read_scope

#: A reason is read by people and kept in the audit.
LONGEST_REASON: Final = 200
_NUMBER_LIKE: Final = re.compile(r"(?:[0-9][ ./()-]*){6}")


def problem_of_scope(text: str) -> str | None:
    """
    Say why no delivery asks the opt-out list *text*; None: it is one that deliveries ask.

    Example:
        >>> problem_of_scope("sender:ACME"), problem_of_scope("")
        (None, None)
    """
    try:
        kind, _, name = read_scope(text).partition(":")
    except ConfigError as error:
        return error.problem
    problem = problem_of_sender(name) if kind == "sender" else None
    return problem and f"no text can come from this sender: it {problem}"


def problem_of_reason(text: str) -> str | None:
    """
    Say why *text* is no reason to be kept; None: it is one.

    Example:
        >>> problem_of_reason("called the shop, ticket 4711")
        >>> problem_of_reason("Ann, 06 12 34 56 78")
        'a reason holds no phone number'
    """
    if len(text) > LONGEST_REASON:
        return f"a reason has at most {LONGEST_REASON} characters"
    if _NUMBER_LIKE.search(text):
        return "a reason holds no phone number"
    return None
