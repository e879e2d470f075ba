"""SQL by name: ``sql/<subject>.sql`` holds statements, each under a ``-- name --`` line."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_HEAD = re.compile(r"^-- (\w+) --$", re.MULTILINE)


@cache
def statements(subject: str) -> dict[str, LiteralString]:
    """
    Read the statements of one subject.

    Args:
        subject: The name of a file in ``core/store/sql``, without its ending.

    Returns:
        Statement text by name, with psycopg's ``%(name)s`` parameters.
    """
    text = files(__package__).joinpath("sql", f"{subject}.sql").read_text(encoding="utf-8")
    pieces = _HEAD.split(text)
    return cast(
        "dict[str, LiteralString]",
        {name: body.strip() for name, body in zip(pieces[1::2], pieces[2::2], strict=True)},
    )
