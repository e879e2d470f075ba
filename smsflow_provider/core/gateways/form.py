"""Writing the values of a form, as ``application/x-www-form-urlencoded``, a message at a time."""

from __future__ import annotations

import re
from functools import lru_cache
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


def quoted(text: str) -> str:
    """
    Write a value as ``quote_plus`` does, in a fraction of the time if it is mostly letters.

    Raises:
        RefusedError: It is not valid Unicode; nothing was sent.

    Example:
        >>> quoted("Où ? Ici")
        'O%C3%B9+%3F+Ici'
    """
    try:
        pieces = _SPECIAL.split(text)
        pieces[1::2] = map(_WRITTEN.__getitem__, pieces[1::2])
        return "".join(pieces)
    except UnicodeEncodeError:
        problem = RefusedError("the text is not valid Unicode", code="bad_text")
    raise problem


def quoted_address(url: str) -> str:
    """Write an address; what stands before its query is the same for many, and kept."""
    place, mark, query = url.partition("?")
    return f"{_quoted_place(place)}%3F{quoted(query)}" if mark else _quoted_place(place)


@lru_cache(maxsize=64)
def _quoted_place(place: str) -> str:
    return quoted(place)
