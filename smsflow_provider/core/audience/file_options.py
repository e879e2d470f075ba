"""How a file of people is to be read, where the file does not say so itself."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, fields
from encodings.aliases import aliases
from enum import StrEnum
from typing import Any

from smsflow_provider.core.audience.reference import near_hint, word_hint
from smsflow_provider.core.errors import AudienceError


class BadLines(StrEnum):
    """What a line that cannot be read does to the audience."""

    #: One bad line and there is no audience: nobody could say who is missing.
    FAIL = "fail"
    #: The audience is made without it; how many, and which lines, is told.
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """What a person says about a file. What they do not say is found out."""

    #: One character. None: comma, semicolon, tab or bar, whichever fits.
    delimiter: str | None = None
    #: Of a CSV. None: by its byte order mark, else UTF-8.
    encoding: str | None = None
    #: Of an Excel file. None: its only one.
    sheet: str | None = None
    #: Of a CSV.
    bad_lines: BadLines = BadLines.FAIL


#: What a file has unless somebody says more.
PLAIN = FileOptions()


def read_file_options(given: Mapping[str, Any] | None) -> FileOptions:
    """
    Read ``file_options``: ``delimiter``, ``encoding``, ``sheet`` and ``bad_lines``.

    Args:
        given: Names and values; None and empty values are not given.

    Raises:
        AudienceError: An unknown name or a value that cannot be; all problems, with near names.

    Example:
        >>> read_file_options({"encoding": "cp1252", "bad_lines": "skip"}).bad_lines
        <BadLines.SKIP: 'skip'>
    """
    if not isinstance(given or {}, Mapping):
        raise AudienceError("file_options must be names with values", got=type(given).__name__)
    said = {name: value for name, value in (given or {}).items() if value not in (None, "")}
    problems = _problems(said)
    if problems:
        raise AudienceError("the file cannot be read so", problems=problems)
    if "bad_lines" in said:
        said["bad_lines"] = BadLines(said["bad_lines"])
    return FileOptions(**said)


def _problems(said: Mapping[str, Any]) -> list[str]:
    known = [one.name for one in fields(FileOptions)]
    unknown = [
        f"file_options: unknown name {name!r}{near_hint(str(name), known)}"
        for name in said
        if name not in known
    ]
    no_texts = [
        f"file_options.{name}: must be a text"
        for name in said
        if name in known and not isinstance(said[name], str)
    ]
    return unknown + no_texts if unknown or no_texts else _value_problems(said)


def _value_problems(said: Mapping[str, str]) -> list[str]:
    problems = []
    if not _is_delimiter(said.get("delimiter", ",")):
        problems.append("file_options.delimiter: must be one character, no quote and no line end")
    if not _is_encoding(said.get("encoding", "utf-8")):
        hint = near_hint(said["encoding"], sorted({*aliases, *aliases.values()}))
        problems.append(f"file_options.encoding: nobody knows {said['encoding']!r}{hint}")
    if said.get("bad_lines", BadLines.FAIL) not in set(BadLines):
        hint = word_hint(said["bad_lines"], BadLines)
        problems.append(f"file_options.bad_lines: cannot be {said['bad_lines']!r}{hint}")
    return problems


def _is_delimiter(text: str) -> bool:
    return len(text) == 1 and text.isascii() and text not in '"\r\n\0'


def _is_encoding(name: str) -> bool:
    """Tell whether Python knows it as a way to write text; ``hex`` and alike are none."""
    try:
        codecs.lookup(name)
        "".encode(name)
    except (LookupError, ValueError):
        return False
    return True
