"""
The filters of expressions in settings: small, pure, linear, with a bounded result.

None, and what is missing, stays None through all of them but ``default`` and ``length``.
"""

from __future__ import annotations

import base64 as base64_module
import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final
from urllib.parse import quote

from jinja2.runtime import Undefined

#: Characters or items of what a filter gives.
MOST_RESULT: Final = 4_000_000


def default(value: object, other: object) -> object:
    """Give *other* for what is missing, None or empty."""
    return other if value in (None, "") else value


def upper(value: object) -> str:
    """Write in capitals."""
    return str(value).upper()


def lower(value: object) -> str:
    """Write in small letters."""
    return str(value).lower()


def trim(value: object) -> str:
    """Drop white space at both ends."""
    return str(value).strip()


def digits(value: object) -> str:
    """Keep the digits 0 to 9."""
    return "".join(each for each in str(value) if each in "0123456789")


def text(value: object) -> str:
    """Write as a text; true and false in small letters."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def number(value: object) -> int | float | None:
    """Read as a number; None for what is none."""
    if isinstance(value, (int, float)):
        return value
    try:
        return int(str(value))
    except ValueError:
        return None


def length(value: object) -> int:
    """Count characters, items or keys; 0 for what is missing."""
    return len(value) if isinstance(value, (str, list, tuple, Mapping)) else 0


def first(value: object) -> object:
    """Give the first item of a list; None of an empty one."""
    return value[0] if isinstance(value, (list, tuple)) and value else None


def last(value: object) -> object:
    """Give the last item of a list; None of an empty one."""
    return value[-1] if isinstance(value, (list, tuple)) and value else None


def each(value: object, name: str) -> list[object]:
    """Take what stands under *name* out of each object of a list; None where it is missing."""
    items = value if isinstance(value, (list, tuple)) else []
    return [item.get(name) if isinstance(item, Mapping) else None for item in items]


def unique(value: object) -> list[object]:
    """Drop repeated texts, numbers and Nones of a list; anything else of it is dropped too."""
    items = value if isinstance(value, (list, tuple)) else []
    plain = [item for item in items if item is None or isinstance(item, (str, int, float))]
    # By their texts, whose hashes nobody can foresee: chosen numbers could make it quadratic.
    return list({(type(item).__name__, str(item)): item for item in plain}.values())


def join(value: object, mark: str = "") -> str:
    """Join a list to one text."""
    items = value if isinstance(value, (list, tuple)) else [value]
    return str(mark).join(text(item) for item in items if item is not None)


def before(value: object, mark: str) -> str | None:
    """Give what stands before the first *mark*; None without one."""
    found, is_there, _ = str(value).partition(mark)
    return found if is_there else None


def after(value: object, mark: str) -> str | None:
    """Give what stands behind the first *mark*; None without one."""
    _, is_there, found = str(value).partition(mark)
    return found if is_there else None


def word(value: object, place: int = 1) -> str | None:
    """Give one word of a text, counted from 1; None when there are fewer."""
    words = str(value).split()
    return words[place - 1] if 1 <= place <= len(words) else None


def line(value: object, place: int = 1) -> str | None:
    """Give one line of a text, counted from 1; None when there are fewer."""
    lines = str(value).splitlines()
    return lines[place - 1] if 1 <= place <= len(lines) else None


def starts_with(value: object, mark: str) -> bool:
    """Whether a text begins with *mark*."""
    return str(value).startswith(mark)


def ends_with(value: object, mark: str) -> bool:
    """Whether a text ends with *mark*."""
    return str(value).endswith(mark)


def urlencode(value: object) -> str:
    """Escape for a query or a form, everything but letters, digits and ``_.-~``."""
    return quote(text(value), safe="")


def tojson(value: object) -> str:
    """Write as JSON, for a text that holds JSON itself."""
    return json.dumps(value, ensure_ascii=False)


def base64(value: object) -> str:
    """Encode the UTF-8 of a text, as Basic authorization wants it."""
    return base64_module.b64encode(text(value).encode()).decode("ascii")


def ucs2_hex(value: object) -> str:
    """Write a text as hexadecimal UTF-16, high byte first, for gateways that want it so."""
    return text(value).encode("utf-16-be").hex().upper()


_PLAIN: Final[tuple[Callable[..., Any], ...]] = (
    *(upper, lower, trim, digits, text, number, first, last, each, unique, join),
    *(before, after, word, line, starts_with, ends_with, urlencode, tojson, base64, ucs2_hex),
)


def _guarded(plain: Callable[..., Any], *, passes_none: bool = True) -> Callable[..., Any]:
    @wraps(plain)
    def guarded(value: object, *args: object, **named: object) -> Any:
        given = None if isinstance(value, Undefined) else value
        if given is None and passes_none:
            return None
        found = plain(given, *args, **named)
        if isinstance(found, (str, list)) and len(found) > MOST_RESULT:
            raise ValueError(f"{plain.__name__}: the result is too long")
        return found

    return guarded


#: Name in an expression to function.
FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    **{plain.__name__: _guarded(plain) for plain in _PLAIN},
    "default": _guarded(default, passes_none=False),
    "length": _guarded(length, passes_none=False),
}
