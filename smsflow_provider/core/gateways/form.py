"""Writing a form, as ``application/x-www-form-urlencoded``, for each message anew."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote_plus

from smsflow_provider.core.errors import RefusedError

#: What stands in a form as it is; the rest is escaped.
_SPECIAL: Final = re.compile("([^A-Za-z0-9_.~-])")


class _Written(dict[str, str]):
    """How a form carries a character. Learned as they come."""

    def __missing__(self, character: str) -> str:
        written = self[character] = quote_plus(character)
        return written


_WRITTEN: Final = _Written()


def encoded_form(fields: Iterable[tuple[str, str]]) -> bytes:
    """
    Write *fields*, of which the names need no escaping, as ``urlencode`` does.

    It takes a fraction of the time for values that are mostly letters.

    Raises:
        RefusedError: A value is not valid Unicode; nothing was sent.

    Example:
        >>> encoded_form([("To", "+336"), ("Body", "Où ? Ici")])
        b'To=%2B336&Body=O%C3%B9+%3F+Ici'
    """
    try:
        return "&".join([f"{name}={_quoted(value)}" for name, value in fields]).encode("ascii")
    except UnicodeEncodeError:
        problem = RefusedError("the text is not valid Unicode", code="bad_text")
    raise problem


def _quoted(text: str) -> str:
    pieces = _SPECIAL.split(text)
    pieces[1::2] = map(_WRITTEN.__getitem__, pieces[1::2])
    return "".join(pieces)
